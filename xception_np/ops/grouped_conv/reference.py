"""Grouped convolution in NumPy: for each of the kernel's taps, S small matrix products."""

import numpy as np

from xception_np.ops.grouped_conv import Cache, output_shape


def forward(x, weight, geometry, segments):
    y = np.zeros(output_shape(x.shape, weight.shape, geometry), x.dtype)
    x_split, y_split = _split(x, segments), _split(y, segments)  # (N, H, W, S, C/S), (N, OH, OW, S, F/S)
    weight_split = _split(weight, segments)  # (kh, kw, C/S, S, F/S)
    for i, j, (rows, columns), (out_rows, out_columns) in geometry.taps(*x.shape[1:3]):
        y_split[:, out_rows, out_columns] += np.einsum("nhwsc,csf->nhwsf", x_split[:, rows, columns], weight_split[i, j])
    return y, Cache(x, weight, geometry, segments)


def backward(dy, cache):
    x, weight, geometry, segments = cache
    dx, dweight = np.zeros_like(x), np.zeros_like(weight)
    x_split, dx_split, dy_split = (_split(array, segments) for array in (x, dx, dy))
    weight_split, dweight_split = _split(weight, segments), _split(dweight, segments)
    for i, j, (rows, columns), (out_rows, out_columns) in geometry.taps(*x.shape[1:3]):
        dy_tap = dy_split[:, out_rows, out_columns]
        # y += x @ w in each segment, so dx += dy @ w.T and dw = x.T @ dy in each segment
        dx_split[:, rows, columns] += np.einsum("nhwsf,csf->nhwsc", dy_tap, weight_split[i, j])
        dweight_split[i, j] = np.einsum("nhwsc,nhwsf->csf", x_split[:, rows, columns], dy_tap)
    return dx, dweight


def _split(array, segments):
    """A view with the last axis cut into segments."""
    return array.reshape(*array.shape[:-1], segments, array.shape[-1] // segments)
