"""Pointwise convolution on the CPU: a matrix product for every tile of rows, BLAS with one thread in each.

Few rows and a large matrix, as in VGG's dense layers, are no work for several threads if rows are what is cut; what takes time then
is to read the matrix, or to write its gradient. So these are cut, along what lies in one piece of memory.
"""

import math

import numpy as np

from xception_np import arrays, threads, tiling
from xception_np.ops.pointwise_conv import Cache, output_shape

_FEW, _LARGE = 64, 16  # rows, and tiles of the smallest size that a matrix has at least: 4 MiB in float32


def forward(x, weight):
    y = arrays.empty(output_shape(x.shape, weight.shape), x.dtype)
    product(x, weight, y)
    return y, Cache(x, weight)


def backward(dy, cache):
    x, weight = cache
    # y = x @ w, so dx = dy @ w.T and dw = x.T @ dy
    dx = arrays.empty_like(x)
    product(dy, weight.T, dx)
    return dx, product_over_positions(x, dy)


def product(x, matrix, y):
    """y = x @ matrix along the last axis, into y."""
    x_rows, y_rows = x.reshape(-1, x.shape[-1]), y.reshape(-1, y.shape[-1])

    def rows(span):
        np.matmul(x_rows[span], matrix, out=y_rows[span])

    def columns(span):
        np.matmul(x_rows, matrix[:, span], out=y_rows[:, span])

    def terms(span, out):
        np.matmul(x_rows[:, span], matrix[span], out=out)

    if not _is_large(x_rows, matrix.size):
        threads.for_tiles(rows, tiling.spans(len(x_rows), max(matrix.shape)))
    elif matrix.flags.c_contiguous:
        y_rows[...] = threads.sum_tiles(terms, tiling.span_groups(len(matrix), y_rows.size), y_rows.shape, y.dtype)
    else:  # the transpose of a matrix, whose rows are columns here
        threads.for_tiles(columns, tiling.spans(matrix.shape[1], matrix.shape[0]))


def product_over_positions(x, dy):
    """x.T @ dy, (C, F), summed over all positions."""
    x_rows, dy_rows = x.reshape(-1, x.shape[-1]), dy.reshape(-1, dy.shape[-1])

    def rows(span, out):
        np.matmul(x_rows[span].T, dy_rows[span], out=out)

    def channels(span):
        np.matmul(x_rows[:, span].T, dy_rows, out=total[span])

    shape = (x.shape[-1], dy.shape[-1])
    if _is_large(x_rows, math.prod(shape)):
        total = arrays.empty(shape, x.dtype)
        threads.for_tiles(channels, tiling.spans(*shape))
        return total
    return threads.sum_tiles(rows, tiling.span_groups(len(x_rows), math.prod(shape)), shape, x.dtype)


def _is_large(rows, numbers):
    """Whether a matrix of so many numbers is what takes time, rather than the rows that meet it."""
    return len(rows) <= _FEW and numbers >= _LARGE * tiling.SMALLEST
