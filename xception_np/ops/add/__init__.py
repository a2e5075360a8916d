"""The sum of two branches, as at the end of a residual module.

y = a + b        da = dy        db = dy        any shape
"""

from typing import NamedTuple

import numpy as np

from xception_np import implementations
from xception_np.ops import spec


class Cache(NamedTuple):
    """What the backward pass needs: no array at all."""

    shape: tuple[int, ...]
    dtype: np.dtype


def forward(a, b, *, implementation=None):
    """Add two arrays of the same shape.

    Parameters
    ----------
    a, b : arrays of one shape and dtype, float32 or float64

    Returns
    -------
    y : array like a
    cache : Cache

    Raises
    ------
    InputError
        If shapes, dtypes or memory layout do not fit: nothing is broadcast.
    """
    spec.alike(a=a, b=b)
    return implementations.load(__name__, implementation, a=a).forward(a, b)


def backward(dy, cache, *, implementation=None):
    """Gradients given dy = dloss/dy; returns (da, db), which may be the same array: do not write to them."""
    spec.cached(cache, Cache)
    spec.gradient(dy, cache.shape, cache.dtype)
    return implementations.load(__name__, implementation, dy=dy, cache=cache).backward(dy, cache)


def cost(x_shape, itemsize=4) -> spec.Cost:
    """No multiply-adds; nothing is cached."""
    return spec.cost((x_shape, x_shape, x_shape), itemsize=itemsize)
