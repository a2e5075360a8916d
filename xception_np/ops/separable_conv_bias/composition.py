"""Depthwise separable convolution and its bias, one after the other, whichever kernels these launch."""

from types import ModuleType
from typing import NamedTuple

from xception_np.ops.bias import gpu as bias_of
from xception_np.ops.separable_conv_bias import Cache


class Composition(NamedTuple):
    """The operation, of the module of its convolution."""

    convolution: ModuleType

    def forward(self, x, depthwise_weight, pointwise_weight, bias, geometry, activation):
        """As the spec's."""
        z, convolution_cache = self.convolution.forward(x, depthwise_weight, pointwise_weight, geometry, "spatial_first", None)
        y, bias_cache = bias_of.forward(z, bias, activation)
        return y, Cache(convolution_cache, bias_cache)

    def backward(self, dy, cache):
        """As the spec's."""
        # y = activation(z + bias), so the gradient passes the bias first
        dz, dbias = bias_of.backward(dy, cache.bias)
        dx, ddepthwise, dpointwise = self.convolution.backward(dz, cache.convolution)
        return dx, ddepthwise, dpointwise, dbias
