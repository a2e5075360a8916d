"""What training does to its vectors, on the CPU: flat loops over spans of numbers."""

import numpy as np

from xception_np import threads
from xception_np.ops.compile import compiled


def fill(y, value):
    y.fill(value)


def add(y, x):
    threads.for_spans(_add, y, x)


def scale(y, factor):
    factor = y.dtype.type(factor)
    threads.for_spans(lambda part: _scale(part, factor), y)


def sum_of_squares(x):
    flat = x.reshape(-1)
    spans = threads.spans(flat.size)
    sums = np.empty(len(spans))

    def square(index):
        sums[index] = _sum_of_squares(flat[spans[index]])

    threads.for_tiles(square, range(len(spans)))
    return float(sums.sum())


@compiled
def _add(y, x):
    for k in range(y.size):
        y[k] += x[k]


@compiled
def _scale(y, factor):
    for k in range(y.size):
        y[k] *= factor


@compiled
def _sum_of_squares(x):
    total = 0.0
    for k in range(x.size):
        total += np.float64(x[k]) * np.float64(x[k])
    return total
