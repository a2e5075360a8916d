"""Pointwise convolution on the CPU: a matrix product for every tile of rows, BLAS with one thread in each."""

import math

import numpy as np

from xception_np import arrays, threads
from xception_np.ops.pointwise_conv import Cache, output_shape


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

    threads.for_tiles(rows, threads.spans(len(x_rows), max(matrix.shape)))


def product_over_positions(x, dy):
    """x.T @ dy, (C, F), summed over all positions."""
    x_rows, dy_rows = x.reshape(-1, x.shape[-1]), dy.reshape(-1, dy.shape[-1])

    def rows(span, out):
        np.matmul(x_rows[span].T, dy_rows[span], out=out)

    shape = (x.shape[-1], dy.shape[-1])
    return threads.sum_tiles(rows, threads.span_groups(len(x_rows), math.prod(shape)), shape, x.dtype)
