"""Depthwise separable convolution and its bias, one after the other, whichever kernels these launch."""

from types import ModuleType
from typing import NamedTuple

from xception_np.ops.add import gpu as addition
from xception_np.ops.bias import gpu as bias_of
from xception_np.ops.separable_conv_bias import Cache


class Composition(NamedTuple):
    """The operation, of the module of its convolution."""

    convolution: ModuleType

    def forward(self, x, depthwise_weight, pointwise_weight, bias, geometry, activation, before, addend):
        """As the spec's."""
        settings = geometry, "spatial_first", None, before
        z, convolution_cache = self.convolution.forward(x, depthwise_weight, pointwise_weight, *settings)
        if addend is not None:
            z, _ = addition.forward(z, addend)
        y, bias_cache = bias_of.forward(z, bias, activation)
        return y, Cache(convolution_cache, bias_cache, addend is not None)

    def backward(self, dy, cache):
        """As the spec's."""
        # y = activation(z + addend + bias), so the gradient passes the bias first
        dz, dbias = bias_of.backward(dy, cache.bias)
        dx, ddepthwise, dpointwise = self.convolution.backward(dz, cache.convolution)
        return (dx, ddepthwise, dpointwise, dbias, dz) if cache.added else (dx, ddepthwise, dpointwise, dbias)
