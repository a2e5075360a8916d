"""A convolution and its bias, in one pass over memory."""

from typing import Self

from xception_np import ops
from xception_np.layers.base import Layer
from xception_np.layers.bias import Bias
from xception_np.layers.conv import Conv
from xception_np.layers.joined import Joined
from xception_np.layers.separable_conv import SeparableConv


class Biased(Joined):
    """A convolution, and a bias with or without ReLU."""

    def __init__(self, convolution: Conv | SeparableConv, bias: Bias):
        super().__init__(f"{convolution.name} with {bias.name}", [convolution, bias])
        self.convolution, self.bias = convolution, bias

    @classmethod
    def of(cls, first: Layer, second: Layer) -> Self | None:
        """Two layers as one, if that can be."""
        match first, second:
            case (Conv() | SeparableConv(activation=None)) as convolution, Bias() as bias:
                return cls(convolution, bias)
        return None

    def forward(self, x, training=None):
        """y = activation(convolution(x) + bias)."""
        convolution, bias = self.convolution, self.bias
        weights = [parameter.value for parameter in convolution.parameters]
        return self._operation.forward(x, *weights, bias.bias.value, convolution.geometry, bias.activation)

    def apply(self, x):
        """The same, at inference."""
        return self.forward(x)[0]

    def backward(self, dy, cache):
        """Dx; adds to the gradients of both."""
        dx, *gradients = self._operation.backward(dy, cache)
        for parameter, gradient in zip(self.parameters, gradients, strict=True):
            parameter.add_gradient(gradient)
        return dx

    @property
    def _operation(self):
        return ops.conv_bias if isinstance(self.convolution, Conv) else ops.separable_conv_bias
