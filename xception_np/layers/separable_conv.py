"""The depthwise separable convolution as a layer."""

from xception_np import ops
from xception_np.geometry import Geometry
from xception_np.layers.base import Layer
from xception_np.layers.halves import DepthwiseConv, PointwiseConv
from xception_np.layers.parameter import Parameter
from xception_np.layers.simple import ELU, ReLU


class SeparableConv(Layer):
    """Depthwise, then pointwise: `depthwise_kernel` (kh, kw, C, M) and `pointwise_kernel` (C*M, F).

    A depthwise output sums over kh * kw numbers, whatever C is: that is its fan-in.
    """

    def __init__(
        self,
        name: str,
        channels: int,
        filters: int,
        geometry: Geometry,
        depth_multiplier: int = 1,
        activation: str | None = None,
    ):
        ops.spec.one_of("activation", activation, ops.separable_conv.ACTIVATIONS)
        self.name, self.geometry, self.activation = name, geometry, activation
        kh, kw = geometry.kernel
        middle = channels * depth_multiplier
        self.depthwise = Parameter(f"{name}/depthwise_kernel", (kh, kw, channels, depth_multiplier), fan_in=kh * kw)
        self.pointwise = Parameter(f"{name}/pointwise_kernel", (middle, filters), fan_in=middle)

    @property
    def parameters(self):
        """The two kernels."""
        return [self.depthwise, self.pointwise]

    @property
    def halves(self) -> list[Layer]:
        """Layers with the same parameters that do the same one after the other; what lies between them is an array then."""
        return [
            DepthwiseConv(f"{self.name}_depthwise", self.depthwise, self.geometry),
            *between(self.name, self.activation),
            PointwiseConv(f"{self.name}_pointwise", self.pointwise),
        ]

    def forward(self, x, training=None):
        """y = pointwise(activation(depthwise(x)))."""
        return ops.separable_conv.forward(
            x, self.depthwise.value, self.pointwise.value, self.geometry, "spatial_first", self.activation
        )

    def backward(self, dy, cache):
        """dx; adds to both gradients."""
        dx, *gradients = ops.separable_conv.backward(dy, cache)
        self.add_gradients(*gradients)
        return dx

    def add_gradients(self, ddepthwise, dpointwise):
        """Add what a backward pass found."""
        self.depthwise.add_gradient(ddepthwise)
        self.pointwise.add_gradient(dpointwise)

    def output_shape(self, x_shape):
        """(N, OH, OW, F)."""
        return ops.separable_conv.output_shape(x_shape, self.depthwise.shape, self.pointwise.shape, self.geometry)

    def cost(self, x_shape):
        """As the operation's."""
        return ops.separable_conv.cost(x_shape, self.depthwise.shape, self.pointwise.shape, self.geometry)


def between(name: str, activation: str | None) -> list[Layer]:
    """What stands between the two halves of a separable convolution of that name: one layer, or none."""
    match activation:
        case "relu":
            return [ReLU(f"{name}_between")]
        case "elu":
            return [ELU(f"{name}_between")]
    return []
