"""A convolution and what stands around it at inference, in one pass over memory."""

from typing import Self

from xception_np import ops
from xception_np.layers.base import Layer
from xception_np.layers.bias import Bias
from xception_np.layers.conv import Conv
from xception_np.layers.joined import Joined
from xception_np.layers.relu_separable import ReluSeparable
from xception_np.layers.separable_conv import SeparableConv


class Biased(Joined):
    """A convolution, and a bias with or without ReLU; before a separable one there may be a ReLU, too."""

    def __init__(self, convolution: Conv | SeparableConv | ReluSeparable, bias: Bias):
        super().__init__(f"{convolution.name} with {bias.name}", [convolution, bias])
        self.convolution, self.bias = convolution, bias

    @classmethod
    def of(cls, first: Layer, second: Layer) -> Self | None:
        """Two layers as one, if that can be."""
        match first, second:
            case (Conv() | ReluSeparable() | SeparableConv(activation=None)) as convolution, Bias() as bias:
                return cls(convolution, bias)
        return None

    def forward(self, x, training=None):
        """y = activation(convolution(before(x)) + bias)."""
        return self._forward(x, None)

    def apply(self, x):
        """The same, at inference."""
        return self._forward(x, None)[0]

    @property
    def adds(self):
        """The addend is a part of the operation."""
        return self.bias.activation is None

    def apply_and_add(self, x, addend):
        """y = convolution(before(x)) + addend + bias, at inference."""
        return self._forward(x, addend)[0] if self.adds else super().apply_and_add(x, addend)

    def backward(self, dy, cache):
        """dx; adds to the gradients of both."""
        dx, *gradients = self._operation.backward(dy, cache)
        for parameter, gradient in zip(self.parameters, gradients, strict=True):
            parameter.add_gradient(gradient)
        return dx

    def learn(self, dy, cache):
        """Adds to the gradients of both; of a regular convolution without dx."""
        if not isinstance(self.convolution, Conv):
            super().learn(dy, cache)
            return
        # y = activation(z + bias), so the gradient passes the bias first
        dz, dbias = ops.bias.backward(dy, cache.bias)
        self.convolution.learn(dz, cache.convolution)
        self.bias.bias.add_gradient(dbias)

    def _forward(self, x, addend):
        convolution, values = self.convolution, [parameter.value for parameter in self.parameters]
        before = {"before": "relu"} if isinstance(convolution, ReluSeparable) else {}
        return self._operation.forward(x, *values, convolution.geometry, self.bias.activation, **before, addend=addend)

    @property
    def _operation(self):
        return ops.conv_bias if isinstance(self.convolution, Conv) else ops.separable_conv_bias
