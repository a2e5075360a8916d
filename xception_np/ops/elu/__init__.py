"""Exponential linear unit, with its parameter alpha at 1.

    y = x where x > 0, else exp(x) - 1        dx = dy where y > 0, else dy * (y + 1)

x, y of any shape. NaN passes in both directions. Source: Clevert et al., arXiv 1511.07289; the paper's Figure 10 tries it between
the two halves of a separable convolution.
"""

from typing import NamedTuple

import numpy as np

from xception_np import implementations
from xception_np.ops import spec


class Cache(NamedTuple):
    """What the backward pass needs."""

    y: np.ndarray


def forward(x, *, implementation=None):
    """Bend what is negative towards -1.

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
