"""Concatenation in NumPy."""

import numpy as np

from xception_np.ops.concat import cache_of


def forward(branches):
    y = np.concatenate(branches, axis=3)
    return y, cache_of(branches, y)


def backward(dy, cache):
    # every branch takes its own channels of dy
    ends = np.cumsum(cache.channels)[:-1]
    return tuple(np.ascontiguousarray(part) for part in np.split(dy, ends, axis=3))
