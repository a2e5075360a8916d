"""Regular convolution in NumPy: one matrix product for each of the kernel's taps."""

import numpy as np

from xception_np.ops.conv import Cache, output_shape


def forward(x, weight, geometry):
    y = np.zeros(output_shape(x.shape, weight.shape, geometry), x.dtype)
    for i, j, (rows, columns), (out_rows, out_columns) in geometry.taps(*x.shape[1:3]):
        y[:, out_rows, out_columns] += x[:, rows, columns] @ weight[i, j]  # (N, oh, ow, C) @ (C, F)
    return y, Cache(x, weight, geometry)


def backward(dy, cache):
    x, weight, geometry = cache
    dx, dweight = np.zeros_like(x), np.zeros_like(weight)
    for i, j, (rows, columns), (out_rows, out_columns) in geometry.taps(*x.shape[1:3]):
        dy_tap = dy[:, out_rows, out_columns]
        # y += x @ w, so dx += dy @ w.T and dw = x.T @ dy, over the positions that this tap touched
        dx[:, rows, columns] += dy_tap @ weight[i, j].T
        dweight[i, j] = np.tensordot(x[:, rows, columns], dy_tap, axes=([0, 1, 2], [0, 1, 2]))
    return dx, dweight
