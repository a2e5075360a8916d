"""Layers of the spectrum's ends and middle: regular and grouped convolution, bias-free as everywhere in Xception."""

from xception_np import ops
from xception_np.geometry import Geometry
from xception_np.layers.base import Layer
from xception_np.layers.parameter import Parameter


class Conv(Layer):
    """Regular convolution of C channels to F filters: `kernel` (kh, kw, C, F)."""

    def __init__(self, name: str, channels: int, filters: int, geometry: Geometry):
        self.name, self.geometry = name, geometry
        kh, kw = geometry.kernel
        self.kernel = Parameter(f"{name}/kernel", (kh, kw, channels, filters), fan_in=kh * kw * channels)

    @property
    def parameters(self):
        """The kernel."""
        return [self.kernel]

    def forward(self, x, training=None):
        """y = conv(x, kernel)."""
        return ops.conv.forward(x, self.kernel.value, self.geometry)

    def backward(self, dy, cache):
        """dx; adds to the kernel's gradient."""
        dx, dkernel = ops.conv.backward(dy, cache)
        self.kernel.add_gradient(dkernel)
        return dx

    def learn(self, dy, cache):
        """Adds to the kernel's gradient."""
        self.kernel.add_gradient(ops.conv.weight_gradient(dy, cache))

    def output_shape(self, x_shape):
        """(N, OH, OW, F)."""
        return ops.conv.output_shape(x_shape, self.kernel.shape, self.geometry)

    def cost(self, x_shape):
        """As the operation's."""
        return ops.conv.cost(x_shape, self.kernel.shape, self.geometry)


class GroupedConv(Layer):
    """Convolution in S segments: `kernel` (kh, kw, C/S, F)."""

    def __init__(self, name: str, channels: int, filters: int, geometry: Geometry, segments: int):
        segments = ops.spec.segments(segments, channels, filters)
        self.name, self.geometry, self.segments = name, geometry, segments
        kh, kw = geometry.kernel
        width = channels // segments
        self.kernel = Parameter(f"{name}/kernel", (kh, kw, width, filters), fan_in=kh * kw * width, groups=segments)

    @property
    def parameters(self):
        """The kernel."""
        return [self.kernel]

    def forward(self, x, training=None):
        """y = grouped_conv(x, kernel)."""
        return ops.grouped_conv.forward(x, self.kernel.value, self.geometry, self.segments)

    def backward(self, dy, cache):
        """dx; adds to the kernel's gradient."""
        dx, dkernel = ops.grouped_conv.backward(dy, cache)
        self.kernel.add_gradient(dkernel)
        return dx

    def output_shape(self, x_shape):
        """(N, OH, OW, F)."""
        return ops.grouped_conv.output_shape(x_shape, self.kernel.shape, self.geometry)

    def cost(self, x_shape):
        """As the operation's."""
        return ops.grouped_conv.cost(x_shape, self.kernel.shape, self.geometry)
