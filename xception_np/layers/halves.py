"""The two halves of a separable convolution as layers of their own, for those who look at each: to count, to time.

They share the parameters of the layer that they are halves of.
"""

from xception_np import ops
from xception_np.geometry import Geometry
from xception_np.layers.base import Layer
from xception_np.layers.parameter import Parameter


class DepthwiseConv(Layer):
    """Every channel on its own: `kernel` (kh, kw, C, M)."""

    def __init__(self, name: str, kernel: Parameter, geometry: Geometry):
        self.name, self.kernel, self.geometry = name, kernel, geometry

    @property
    def parameters(self):
        """The kernel."""
        return [self.kernel]

    def forward(self, x, training=None):
        """y = depthwise(x, kernel)."""
        return ops.depthwise_conv.forward(x, self.kernel.value, self.geometry)

    def backward(self, dy, cache):
        """dx; adds to the kernel's gradient."""
        dx, dkernel = ops.depthwise_conv.backward(dy, cache)
        self.kernel.add_gradient(dkernel)
        return dx

    def output_shape(self, x_shape):
        """(N, OH, OW, C*M)."""
        return ops.depthwise_conv.output_shape(x_shape, self.kernel.shape, self.geometry)

    def cost(self, x_shape):
        """As the operation's."""
        return ops.depthwise_conv.cost(x_shape, self.kernel.shape, self.geometry)


class PointwiseConv(Layer):
    """Every pixel on its own: `kernel` (C, F)."""

    def __init__(self, name: str, kernel: Parameter):
        self.name, self.kernel = name, kernel

    @property
    def parameters(self):
        """The kernel."""
        return [self.kernel]

    def forward(self, x, training=None):
        """y = x @ kernel at every pixel."""
        return ops.pointwise_conv.forward(x, self.kernel.value)

    def backward(self, dy, cache):
        """dx; adds to the kernel's gradient."""
        dx, dkernel = ops.pointwise_conv.backward(dy, cache)
        self.kernel.add_gradient(dkernel)
        return dx

    def output_shape(self, x_shape):
        """(N, H, W, F)."""
        return ops.pointwise_conv.output_shape(x_shape, self.kernel.shape)

    def cost(self, x_shape):
        """As the operation's."""
        return ops.pointwise_conv.cost(x_shape, self.kernel.shape)
