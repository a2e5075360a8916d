"""Batch normalisation and a separable convolution, one after the other, whichever kernels these launch."""

from types import ModuleType
from typing import NamedTuple

from xception_np.ops.batch_norm import Cache as NormCache
from xception_np.ops.norm_separable_conv import Cache
from xception_np.ops.separable_conv import Cache as SeparableCache


class Composition(NamedTuple):
    """The operation, of the modules of its two steps."""

    norm: ModuleType
    separable: ModuleType

    def forward(self, x, gamma, beta, depthwise_weight, pointwise_weight, geometry, epsilon, activation):
        """As the spec's."""
        z, (*_, mean, variance, _, _) = self.norm.forward(x, gamma, beta, epsilon, activation)
        y, _ = self.separable.forward(z, depthwise_weight, pointwise_weight, geometry, "spatial_first", None, None)
        return y, Cache(x, gamma, beta, depthwise_weight, pointwise_weight, mean, variance, geometry, epsilon, activation)

    def backward(self, dy, cache):
        """As the spec's."""
        x, gamma, beta, depthwise_weight, pointwise_weight, mean, variance, geometry, epsilon, activation = cache
        z = self.norm.normalise(x, gamma, beta, mean, variance, epsilon, activation)
        # y = separable_conv(batch_norm(x)), so the gradient passes the convolution first
        separable_cache = SeparableCache(z, depthwise_weight, pointwise_weight, geometry, "spatial_first", None)
        dz, ddepthwise, dpointwise = self.separable.backward(dy, separable_cache)
        dx, dgamma, dbeta = self.norm.backward(dz, NormCache(x, gamma, beta, mean, variance, epsilon, activation))
        return dx, dgamma, dbeta, ddepthwise, dpointwise
