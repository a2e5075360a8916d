"""Depthwise convolution in NumPy: one product by broadcasting for each of the kernel's taps."""

import numpy as np

from xception_np.ops.depthwise_conv import Cache, output_shape


def forward(x, weight, geometry):
    y = np.zeros(output_shape(x.shape, weight.shape, geometry), x.dtype)
    y_split = _split(y, weight)  # (N, OH, OW, C, M)
    for i, j, (rows, columns), (out_rows, out_columns) in geometry.taps(*x.shape[1:3]):
        y_split[:, out_rows, out_columns] += x[:, rows, columns, :, None] * weight[i, j]  # (N, oh, ow, C, 1) * (C, M)
    return y, Cache(x, weight, geometry)


def backward(dy, cache):
    x, weight, geometry = cache
    dx, dweight = np.zeros_like(x), np.zeros_like(weight)
    dy_split = _split(dy, weight)
    for i, j, (rows, columns), (out_rows, out_columns) in geometry.taps(*x.shape[1:3]):
        dy_tap = dy_split[:, out_rows, out_columns]
        # y += x * w, so dx += dy * w summed over m, and dw = x * dy summed over positions
        dx[:, rows, columns] += (dy_tap * weight[i, j]).sum(axis=-1)
        dweight[i, j] = (x[:, rows, columns, :, None] * dy_tap).sum(axis=(0, 1, 2))
    return dx, dweight


def _split(y, weight):
    """A view of (N, OH, OW, C*M) as (N, OH, OW, C, M)."""
    return y.reshape(*y.shape[:3], *weight.shape[2:])
