"""Rectified linear unit.

    y = x where x > 0, else 0        dx = dy where y > 0, else 0        (so the slope at 0 is 0)

x, y of any shape. NaN passes in both directions. The cache keeps y, which the next layer keeps anyway.
"""

from typing import NamedTuple

import numpy as np

from xception_np import implementations
from xception_np.ops import spec


class Cache(NamedTuple):
    """What the backward pass needs."""

    y: np.ndarray


def forward(x, *, implementation=None):
    """Set what is negative to 0.

    Parameters
    ----------
    x : array of any shape, float32 or float64

    Returns
    -------
    y : array like x
    cache : Cache

    Raises
    ------
    InputError
        If dtype or memory layout do not fit.
    """
    spec.any_shape("x", x)
    return implementations.load(__name__, implementation, x=x).forward(x)


def backward(dy, cache, *, implementation=None):
    """Gradient of a scalar loss with respect to x, given dy = dloss/dy; returns dx."""
    spec.cached(cache, Cache)
    spec.gradient(dy, cache.y.shape, cache.y.dtype)
    return implementations.load(__name__, implementation, dy=dy, cache=cache).backward(dy, cache)


def cost(x_shape, itemsize=4) -> spec.Cost:
    """No multiply-adds; x is read and y written."""
    return spec.cost((x_shape, x_shape), cached=[x_shape], itemsize=itemsize)
