"""Max pooling in NumPy: tap by tap, keep the larger value and who it was."""

import numpy as np

from xception_np.ops.max_pool import Cache, output_shape, winners_dtype


def forward(x, geometry):
    y = np.full(output_shape(x.shape, geometry), -np.inf, x.dtype)
    winners = np.zeros(y.shape, winners_dtype(geometry))
    seen = np.zeros(y.shape, bool)
    for i, j, (rows, columns), (out_rows, out_columns) in geometry.taps(*x.shape[1:3]):
        at = (slice(None), out_rows, out_columns)
        value, best = x[:, rows, columns], y[at]
        wins = ~seen[at] | (value > best) | (np.isnan(value) & ~np.isnan(best))
        y[at] = np.where(wins, value, best)
        winners[at] = np.where(wins, i * geometry.kernel[1] + j, winners[at])
        seen[at] = True
    return y, Cache(winners, x.shape, geometry, x.dtype)


def backward(dy, cache):
    winners, x_shape, geometry, dtype = cache
    dx = np.zeros(x_shape, dtype)
    for i, j, (rows, columns), (out_rows, out_columns) in geometry.taps(*x_shape[1:3]):
        # y = x at the winning tap, so dx = dy there and 0 elsewhere
        won = winners[:, out_rows, out_columns] == i * geometry.kernel[1] + j
        dx[:, rows, columns] += np.where(won, dy[:, out_rows, out_columns], dtype.type(0))
    return dx
