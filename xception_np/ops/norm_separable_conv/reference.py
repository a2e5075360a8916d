"""Batch normalisation and a separable convolution in NumPy: one reference after the other."""

from xception_np.ops.batch_norm import Cache as NormCache
from xception_np.ops.batch_norm import reference as norm
from xception_np.ops.norm_separable_conv import Cache
from xception_np.ops.separable_conv import Cache as SeparableCache
from xception_np.ops.separable_conv import reference as separable


def forward(x, gamma, beta, depthwise_weight, pointwise_weight, geometry, epsilon, activation):
    z, (*_, mean, variance, _, _) = norm.forward(x, gamma, beta, epsilon, activation)
    y, _ = separable.forward(z, depthwise_weight, pointwise_weight, geometry, "spatial_first", None, None)
    return y, Cache(x, gamma, beta, depthwise_weight, pointwise_weight, mean, variance, geometry, epsilon, activation)


def backward(dy, cache):
    x, gamma, beta, depthwise_weight, pointwise_weight, mean, variance, geometry, epsilon, activation = cache
    z, _ = norm.forward(x, gamma, beta, epsilon, activation)
    # y = separable_conv(batch_norm(x)), so the gradient passes the convolution first
    separable_cache = SeparableCache(z, depthwise_weight, pointwise_weight, geometry, "spatial_first", None)
    dz, ddepthwise, dpointwise = separable.backward(dy, separable_cache)
    dx, dgamma, dbeta = norm.backward(dz, NormCache(x, gamma, beta, mean, variance, epsilon, activation))
    return dx, dgamma, dbeta, ddepthwise, dpointwise
