"""Batch normalisation on the CPU: channels are columns of a (P, C) matrix, and a tile is a span of its rows.

Statistics in one pass over memory: each tile finds its own mean, then the squares around it while it is in the cache; tiles
are put together in float64 by the formula of Chan et al. for the variance of a union. No large sums of squares are subtracted.
A mean far from 0 is rounded when its sum is; the sum of what is left around it says by how much.
"""

import numpy as np

from xception_np import arrays, threads
from xception_np.ops.batch_norm import Cache
from xception_np.ops.compile import compiled


def forward(x, gamma, beta, epsilon, activation):
    mean, variance = _statistics(x)
    cache = Cache(x, gamma, beta, mean, variance, epsilon, activation)
    return normalise(cache), cache


def backward(dy, cache):
    # y = activation(gamma * xhat + beta), xhat = (x - mean) * inverse, where mean and inverse depend on every x of the channel
    dgamma, dbeta = channel_sums(dy, cache)
    count = cache.x.dtype.type(cache.x.size // cache.x.shape[-1])
    return gradient(dy, cache, dbeta / count, _inverse(cache) * dgamma / count), dgamma, dbeta


def normalise(cache):
    """y = activation((x - mean) * scale + beta)."""
    y = arrays.empty_like(cache.x)
    x_rows, y_rows = _rows(cache.x), _rows(y)
    mean, scale, beta, relu = _affine(cache)
    threads.for_tiles(lambda span: _normalise(x_rows[span], mean, scale, beta, relu, y_rows[span]), _spans(y))
    return y


def channel_sums(dy, cache):
    """dgamma = sum of dy * xhat, and dbeta = sum of dy, over all positions that the activation let pass."""
    spans, x_rows, dy_rows = _spans(dy), _rows(cache.x), _rows(dy)
    mean, scale, beta, relu = _affine(cache)
    sums = arrays.empty((len(spans), 2, dy.shape[-1]), dy.dtype)

    def tile_sums(k):
        _sums(dy_rows[spans[k]], x_rows[spans[k]], mean, scale, beta, relu, sums[k])

    threads.for_tiles(tile_sums, range(len(spans)))
    dgamma, dbeta = sums.sum(axis=0, dtype=np.float64)
    return (dgamma * _inverse(cache)).astype(dy.dtype), dbeta.astype(dy.dtype)


def gradient(dy, cache, through_mean, through_variance):
    """dx = scale * (dy - through_mean - (x - mean) * through_variance), dy counted where the activation let pass."""
    dx = arrays.empty_like(dy)
    x_rows, dy_rows, dx_rows = _rows(cache.x), _rows(dy), _rows(dx)
    mean, scale, beta, relu = _affine(cache)

    def tile_gradient(span):
        _gradient(dy_rows[span], x_rows[span], mean, scale, beta, relu, through_mean, through_variance, dx_rows[span])

    threads.for_tiles(tile_gradient, _spans(dx))
    return dx


def _inverse(cache):
    return 1 / np.sqrt(cache.variance + cache.x.dtype.type(cache.epsilon))


def _affine(cache):
    """(mean, scale, beta, relu): y = (x - mean) * scale + beta, cut at 0 if relu."""
    return cache.mean, cache.gamma * _inverse(cache), cache.beta, cache.activation == "relu"


def _statistics(x):
    spans, x_rows = _spans(x), _rows(x)
    moments = arrays.empty((len(spans), 3, x.shape[-1]), x.dtype)
    threads.for_tiles(lambda k: _moments(x_rows[spans[k]], moments[k]), range(len(spans)))
    means, squares, rests = moments.astype(np.float64).transpose(1, 0, 2)  # of each tile: (tiles, C)
    means += rests
    weights = np.array([[span.stop - span.start] for span in spans]) / len(x_rows)
    mean = (weights * means).sum(axis=0)
    variance = squares.sum(axis=0) / len(x_rows) + (weights * (means - mean) ** 2).sum(axis=0)
    return mean.astype(x.dtype), variance.astype(x.dtype)


def _rows(x):
    return x.reshape(-1, x.shape[-1])


def _spans(x):
    return threads.spans(x.size // x.shape[-1], x.shape[-1])


@compiled
def _moments(x, moments):
    """moments[0] = mean of the rows of x, moments[1] = sum of squares around it, moments[2] = what the mean was off by at first"""
    mean, square, rest = moments[0], moments[1], moments[2]
    for c in range(mean.size):
        mean[c] = 0
        square[c] = 0
        rest[c] = 0
    for p in range(x.shape[0]):
        row = x[p]
        for c in range(mean.size):
            mean[c] += row[c]
    for c in range(mean.size):
        mean[c] /= x.shape[0]
    for p in range(x.shape[0]):
        row = x[p]
        for c in range(mean.size):
            square[c] += (row[c] - mean[c]) * (row[c] - mean[c])
            rest[c] += row[c] - mean[c]
    for c in range(mean.size):
        rest[c] /= x.shape[0]


@compiled
def _normalise(x, mean, scale, beta, relu, y):
    for p in range(x.shape[0]):
        row, out = x[p], y[p]
        for c in range(mean.size):
            z = (row[c] - mean[c]) * scale[c] + beta[c]
            out[c] = 0 if relu and z <= 0 else z


@compiled
def _sums(dy, x, mean, scale, beta, relu, sums):
    """sums[0] = sum of dy * (x - mean), sums[1] = sum of dy, where y > 0 if relu"""
    product, upstream = sums[0], sums[1]
    for c in range(mean.size):
        product[c] = 0
        upstream[c] = 0
    for p in range(x.shape[0]):
        row, drow = x[p], dy[p]
        for c in range(mean.size):
            z = (row[c] - mean[c]) * scale[c] + beta[c]
            d = 0 if relu and z <= 0 else drow[c]
            product[c] += d * (row[c] - mean[c])
            upstream[c] += d


@compiled
def _gradient(dy, x, mean, scale, beta, relu, through_mean, through_variance, dx):
    for p in range(x.shape[0]):
        row, drow, out = x[p], dy[p], dx[p]
        for c in range(mean.size):
            z = (row[c] - mean[c]) * scale[c] + beta[c]
            d = 0 if relu and z <= 0 else drow[c]
            out[c] = scale[c] * (d - through_mean[c] - (row[c] - mean[c]) * through_variance[c])
