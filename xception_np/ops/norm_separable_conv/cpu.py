"""Batch normalisation and a separable convolution on the CPU: the convolution's passes, which normalise x as they read it.

Backward, the convolution leaves dz, cut where the ReLU cut, and the two sums that the normalisation needs, in one pass; what x
changes through its mean and variance is then taken from dz in place.

    numbers moved for each number of x                                     apart    together
    forward   statistics: x. z: x, z. y: z, y                                  7        4
    backward  dz: z, dy, dz. sums: x, dz. dx: x, dz, dx                       10        7

where y is as large as x, and writing into memory that was not read counts twice, for the processor reads it first.
"""

from xception_np import threads
from xception_np.ops import entries
from xception_np.ops.batch_norm import cpu as norm
from xception_np.ops.compile import compiled_apart, taken
from xception_np.ops.norm_separable_conv import Cache
from xception_np.ops.separable_conv import Cache as SeparableCache
from xception_np.ops.separable_conv import cpu as separable


def forward(x, gamma, beta, depthwise_weight, pointwise_weight, geometry, epsilon, activation):
    mean, variance = norm.statistics(x)
    cache = Cache(x, gamma, beta, depthwise_weight, pointwise_weight, mean, variance, geometry, epsilon, activation)
    return separable.spatial_first(_convolution(cache), _entry(cache)), cache


def backward(dy, cache):
    entry = _entry(cache)
    dx, ddepthwise, dpointwise, (products, dbeta) = separable.spatial_first_backward(dy, _convolution(cache), entry)
    # xhat = (x - mean) * inverse, where mean and inverse depend on every x of the channel
    inverse, count = norm.inverse(cache), dx.dtype.type(dx.size // dx.shape[-1])
    dgamma = products * inverse
    through_mean, through_variance = dbeta / count, inverse * dgamma / count
    threads.for_rows(
        _through_statistics, threads.rows(cache.x), entry.mean, entry.scale, through_mean, through_variance, threads.rows(dx)
    )
    return dx, dgamma, dbeta, ddepthwise, dpointwise


def _convolution(cache):
    return SeparableCache(cache.x, cache.depthwise_weight, cache.pointwise_weight, cache.geometry, "spatial_first", None)


def _entry(cache):
    return entries.Entry(*norm.affine(cache))


@compiled_apart
def _through_statistics(queue, spans, x, mean, scale, through_mean, through_variance, dx):
    """dx = scale * (dz - through_mean - (x - mean) * through_variance), where dx holds dz at first"""
    for k in taken(queue, len(spans)):
        for p in range(spans[k, 0], spans[k, 1]):
            for c in range(mean.size):
                dx[p, c] = scale[c] * (dx[p, c] - through_mean[c] - (x[p, c] - mean[c]) * through_variance[c])
