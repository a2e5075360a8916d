"""Average pooling in NumPy: sum tap by tap, divide by how many there were."""

import numpy as np

from xception_np.ops.avg_pool import Cache, output_shape


def forward(x, geometry):
    y = np.zeros(output_shape(x.shape, geometry), x.dtype)
    for _, _, (rows, columns), (out_rows, out_columns) in geometry.taps(*x.shape[1:3]):
        y[:, out_rows, out_columns] += x[:, rows, columns]
    y /= _inside(x.shape, geometry, x.dtype)
    return y, Cache(x.shape, geometry, x.dtype)


def backward(dy, cache):
    x_shape, geometry, dtype = cache
    dx = np.zeros(x_shape, dtype)
    # y = sum of x / inside, so every tap gets dy / inside
    share = dy / _inside(x_shape, geometry, dtype)
    for _, _, (rows, columns), (out_rows, out_columns) in geometry.taps(*x_shape[1:3]):
        dx[:, rows, columns] += share[:, out_rows, out_columns]
    return dx


def _inside(x_shape, geometry, dtype):
    return geometry.inside(*x_shape[1:3]).astype(dtype)[:, :, None]  # (OH, OW, 1)
