"""What training does to its vectors, on the CPU: the sum of squares on all threads; the rest is one loop of NumPy's already."""

import numpy as np

from xception_np import threads, tiling
from xception_np.ops.compile import compiled
from xception_np.updates.vector.reference import add, fill, scale

__all__ = ["add", "fill", "scale", "sum_of_squares"]


def sum_of_squares(x):
    flat = x.reshape(-1)
    spans = tiling.spans(flat.size)
    sums = np.empty(len(spans))

    def square(index):
        sums[index] = _sum_of_squares(flat[spans[index]])

    threads.for_tiles(square, range(len(spans)))
    return float(sums.sum())


@compiled
def _sum_of_squares(x):
    total = 0.0
    for k in range(x.size):
        total += np.float64(x[k]) * np.float64(x[k])
    return total
