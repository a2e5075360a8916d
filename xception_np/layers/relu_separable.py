"""A ReLU and the separable convolution after it, in one pass over memory."""

from typing import Self

from xception_np import ops
from xception_np.layers.base import Layer
from xception_np.layers.joined import Joined
from xception_np.layers.separable_conv import SeparableConv
from xception_np.layers.simple import ReLU


class ReluSeparable(Joined):
    """ReLU and a separable convolution, which keeps x as it came in."""

    def __init__(self, relu: ReLU, convolution: SeparableConv):
        super().__init__(f"{relu.name} with {convolution.name}", [relu, convolution])
        self.relu, self.convolution = relu, convolution

    @classmethod
    def of(cls, first: Layer, second: Layer) -> Self | None:
        """Two layers as one, if that can be."""
        if isinstance(first, ReLU) and isinstance(second, SeparableConv) and second.activation is None:
            return cls(first, second)
        return None

    @property
    def geometry(self):
        """The convolution's."""
        return self.convolution.geometry

    def forward(self, x, training=None):
        """y = convolution(relu(x))."""
        depthwise, pointwise = self.convolution.depthwise.value, self.convolution.pointwise.value
        return ops.separable_conv.forward(x, depthwise, pointwise, self.geometry, before="relu")

    def apply(self, x):
        """The same, at inference."""
        return self.forward(x)[0]

    def backward(self, dy, cache):
        """dx; adds to the convolution's gradients."""
        return self.convolution.backward(dy, cache)
