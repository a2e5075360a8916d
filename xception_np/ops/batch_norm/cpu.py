"""Batch normalisation on the CPU: channels are columns of a (P, C) matrix, and a tile is a span of its rows.

Statistics in one pass over memory: each tile finds its own mean, then the squares around it while it is in the cache; tiles
are put together in float64 by the formula of Chan et al. for the variance of a union. No large sums of squares are subtracted.
The mean is that of differences from the tile's first row, whose sum is small where numbers are far from 0 and close to each
other: a sum of the numbers themselves would be rounded by more than their spread. If the first row is an outlier, rounding is
larger, but so is the variance, beside which it stays small.

Sums are over four rows at a time: an accumulator is loaded and stored once for the four. Spans start at multiples of four, so
what is left of one at its end is what is left of the whole.
"""

import numpy as np

from xception_np import arrays, threads, tiling
from xception_np.ops.batch_norm import Cache
from xception_np.ops.compile import compiled_apart, taken


def forward(x, gamma, beta, epsilon, activation):
    mean, variance = statistics(x)
    cache = Cache(x, gamma, beta, mean, variance, epsilon, activation)
    return normalise(cache), cache


def backward(dy, cache):
    # y = activation(gamma * xhat + beta), xhat = (x - mean) * inverse, where mean and inverse depend on every x of the channel
    dgamma, dbeta = channel_sums(dy, cache)
    count = cache.x.dtype.type(cache.x.size // cache.x.shape[-1])
    return gradient(dy, cache, dbeta / count, inverse(cache) * dgamma / count), dgamma, dbeta


def normalise(cache):
    """y = activation((x - mean) * scale + beta)."""
    y = arrays.empty_like(cache.x)
    threads.for_rows(_normalise, threads.rows(cache.x), *affine(cache), threads.rows(y))
    return y


def channel_sums(dy, cache):
    """dgamma = sum of dy * xhat, and dbeta = sum of dy, over all positions that the activation passed on."""
    sums = _pass_with_sums(_sums, 2, threads.rows(cache.x), threads.rows(dy), *affine(cache))
    dgamma, dbeta = sums.sum(axis=0, dtype=np.float64)
    return (dgamma * inverse(cache)).astype(dy.dtype), dbeta.astype(dy.dtype)


def gradient(dy, cache, through_mean, through_variance):
    """dx = scale * (dy - through_mean - (x - mean) * through_variance), dy counted where the activation passed it on."""
    dx = arrays.empty_like(dy)
    threads.for_rows(
        _gradient, threads.rows(cache.x), threads.rows(dy), *affine(cache), through_mean, through_variance, threads.rows(dx)
    )
    return dx


def statistics(x):
    rows = threads.rows(x)
    moments = _pass_with_sums(_moments, 2, rows)
    mean, variance = arrays.empty((2, rows.shape[1]), x.dtype)
    _unite(tiling.span_table(*rows.shape), moments, mean, variance)
    return mean, variance


def inverse(cache):
    return 1 / np.sqrt(cache.variance + cache.x.dtype.type(cache.epsilon))


def affine(cache):
    """(mean, scale, beta, relu): y = (x - mean) * scale + beta, cut at 0 if relu."""
    return cache.mean, cache.gamma * inverse(cache), cache.beta, cache.activation == "relu"


def _pass_with_sums(function, count, rows, *arguments):
    """What a function that `threads.for_rows` runs writes, `count` sums a channel for each span: (spans, count, C)."""
    sums = arrays.empty((len(tiling.spans(*rows.shape)), count, rows.shape[1]), rows.dtype)
    threads.for_rows(function, rows, *arguments, sums)
    return sums


@compiled_apart
def _moments(queue, spans, x, moments):
    """moments[k] of a span = mean of its rows, sum of squares around it"""
    for k in taken(queue, len(spans)):
        start, stop = spans[k]
        mean, square, first = moments[k, 0], moments[k, 1], x[start]
        zero = x.dtype.type(0)
        for c in range(mean.size):
            mean[c] = square[c] = zero
        for p in range(start, stop - 3, 4):
            for c in range(mean.size):
                d0, d1, d2, d3 = x[p, c] - first[c], x[p + 1, c] - first[c], x[p + 2, c] - first[c], x[p + 3, c] - first[c]
                mean[c] += (d0 + d1) + (d2 + d3)
        for p in range(stop - stop % 4, stop):
            for c in range(mean.size):
                mean[c] += x[p, c] - first[c]
        for c in range(mean.size):
            mean[c] = mean[c] / (stop - start) + first[c]
        for p in range(start, stop - 3, 4):
            for c in range(mean.size):
                d0, d1, d2, d3 = x[p, c] - mean[c], x[p + 1, c] - mean[c], x[p + 2, c] - mean[c], x[p + 3, c] - mean[c]
                square[c] += (d0 * d0 + d1 * d1) + (d2 * d2 + d3 * d3)
        for p in range(stop - stop % 4, stop):
            for c in range(mean.size):
                d0 = x[p, c] - mean[c]
                square[c] += d0 * d0


@compiled_apart
def _unite(spans, moments, mean, variance):
    """Mean and variance of all rows, from the `_moments` of each span."""
    total = spans[-1, 1]
    for c in range(mean.size):
        middle = square = 0.0
        for k in range(len(spans)):
            middle += (spans[k, 1] - spans[k, 0]) * np.float64(moments[k, 0, c])
        middle /= total
        for k in range(len(spans)):
            square += moments[k, 1, c] + (spans[k, 1] - spans[k, 0]) * (np.float64(moments[k, 0, c]) - middle) ** 2
        mean[c], variance[c] = middle, square / total


@compiled_apart
def _normalise(queue, spans, x, mean, scale, beta, relu, y):
    for k in taken(queue, len(spans)):
        for p in range(spans[k, 0], spans[k, 1]):
            for c in range(mean.size):
                z = (x[p, c] - mean[c]) * scale[c] + beta[c]
                y[p, c] = 0 if relu and z <= 0 else z


@compiled_apart
def _sums(queue, spans, x, dy, mean, scale, beta, relu, sums):
    """sums[k] of a span = sum of dy * (x - mean), sum of dy, both where y > 0 if relu"""
    for k in taken(queue, len(spans)):
        start, stop = spans[k]
        product, upstream = sums[k, 0], sums[k, 1]
        zero = x.dtype.type(0)
        for c in range(mean.size):
            product[c] = upstream[c] = zero
        for p in range(start, stop - 3, 4):
            for c in range(mean.size):
                x0, x1, x2, x3 = x[p, c] - mean[c], x[p + 1, c] - mean[c], x[p + 2, c] - mean[c], x[p + 3, c] - mean[c]
                d0 = zero if relu and x0 * scale[c] + beta[c] <= 0 else dy[p, c]
                d1 = zero if relu and x1 * scale[c] + beta[c] <= 0 else dy[p + 1, c]
                d2 = zero if relu and x2 * scale[c] + beta[c] <= 0 else dy[p + 2, c]
                d3 = zero if relu and x3 * scale[c] + beta[c] <= 0 else dy[p + 3, c]
                product[c] += (d0 * x0 + d1 * x1) + (d2 * x2 + d3 * x3)
                upstream[c] += (d0 + d1) + (d2 + d3)
        for p in range(stop - stop % 4, stop):
            for c in range(mean.size):
                x0 = x[p, c] - mean[c]
                d0 = zero if relu and x0 * scale[c] + beta[c] <= 0 else dy[p, c]
                product[c] += d0 * x0
                upstream[c] += d0


@compiled_apart
def _gradient(queue, spans, x, dy, mean, scale, beta, relu, through_mean, through_variance, dx):
    for k in taken(queue, len(spans)):
        for p in range(spans[k, 0], spans[k, 1]):
            for c in range(mean.size):
                around = x[p, c] - mean[c]
                d = 0 if relu and around * scale[c] + beta[c] <= 0 else dy[p, c]
                dx[p, c] = scale[c] * (d - through_mean[c] - around * through_variance[c])
