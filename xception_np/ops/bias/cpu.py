"""A bias on the CPU: channels are columns of a (P, C) matrix, and a tile is a span of its rows.

The sums over positions are of four rows at a time, as in batch normalisation; spans start at multiples of four.
"""

import numpy as np

from xception_np import arrays, threads, tiling
from xception_np.ops.bias import Cache
from xception_np.ops.compile import compiled_apart, taken


def forward(x, bias, activation):
    y = arrays.empty_like(x)
    threads.for_rows(_add, threads.rows(x), bias, activation == "relu", threads.rows(y))
    return y, Cache.of(y, activation)


def backward(dy, cache):
    # y = activation(x + bias), with the same bias at every position: dbias = sum of what the activation lets through
    rows = threads.rows(dy)
    sums = arrays.empty((len(tiling.spans(*rows.shape)), rows.shape[1]), dy.dtype)
    if cache.y is None:
        dx = dy
        threads.for_rows(_sum, rows, sums)
    else:
        dx = arrays.empty_like(dy)
        threads.for_rows(_cut_and_sum, rows, threads.rows(cache.y), threads.rows(dx), sums)
    return dx, sums.sum(axis=0, dtype=np.float64).astype(dy.dtype)


@compiled_apart
def _add(queue, spans, x, bias, relu, y):
    for k in taken(queue, len(spans)):
        for p in range(spans[k, 0], spans[k, 1]):
            for c in range(bias.size):
                z = x[p, c] + bias[c]
                y[p, c] = 0 if relu and z <= 0 else z


@compiled_apart
def _sum(queue, spans, dy, sums):
    """sums[k] of a span = sum of dy"""
    for k in taken(queue, len(spans)):
        start, stop = spans[k]
        total = sums[k]
        zero = dy.dtype.type(0)
        for c in range(total.size):
            total[c] = zero
        for p in range(start, stop - 3, 4):
            for c in range(total.size):
                total[c] += (dy[p, c] + dy[p + 1, c]) + (dy[p + 2, c] + dy[p + 3, c])
        for p in range(stop - stop % 4, stop):
            for c in range(total.size):
                total[c] += dy[p, c]


@compiled_apart
def _cut_and_sum(queue, spans, dy, y, dx, sums):
    """dx = dy where y > 0, else 0; sums[k] of a span = sum of dx"""
    for k in taken(queue, len(spans)):
        start, stop = spans[k]
        total = sums[k]
        zero = dy.dtype.type(0)
        for c in range(total.size):
            total[c] = zero
        for p in range(start, stop - 3, 4):
            for c in range(total.size):
                d0 = zero if y[p, c] <= 0 else dy[p, c]
                d1 = zero if y[p + 1, c] <= 0 else dy[p + 1, c]
                d2 = zero if y[p + 2, c] <= 0 else dy[p + 2, c]
                d3 = zero if y[p + 3, c] <= 0 else dy[p + 3, c]
                dx[p, c], dx[p + 1, c], dx[p + 2, c], dx[p + 3, c] = d0, d1, d2, d3
                total[c] += (d0 + d1) + (d2 + d3)
        for p in range(stop - stop % 4, stop):
            for c in range(total.size):
                d0 = zero if y[p, c] <= 0 else dy[p, c]
                dx[p, c] = d0
                total[c] += d0
