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
    dx = np.zeros_like(x)
    for i, j, (rows, columns), (out_rows, out_columns) in geometry.taps(*x.shape[1:3]):
        # y += x @ w, so dx += dy @ w.T, over the positions that this tap touched
        dx[:, rows, columns] += dy[:, out_rows, out_columns] @ weight[i, j].T
    return dx, weight_gradient(dy, cache)


def weight_gradient(dy, cache):
    x, weight, geometry = cache
    dweight = np.zeros_like(weight)
    for i, j, (rows, columns), (out_rows, out_columns) in geometry.taps(*x.shape[1:3]):
        # y += x @ w, so dw = x.T @ dy, over the same positions
        dweight[i, j] = np.tensordot(x[:, rows, columns], dy[:, out_rows, out_columns], axes=([0, 1, 2], [0, 1, 2]))
    return dweight
