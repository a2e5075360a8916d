"""Global average pooling: the mean of every channel over the whole image.

y[n, c] = mean over h, w of x[n, h, w, c]        x (N, H, W, C)    y (N, C)
"""

from typing import NamedTuple

import numpy as np

from xception_np import implementations
from xception_np.ops import spec


class Cache(NamedTuple):
    """What the backward pass needs: no array at all."""

    x_shape: tuple[int, ...]
    dtype: np.dtype


def forward(x, *, implementation=None):
    """Average every channel over the image.

    Parameters
    ----------
    x : (N, H, W, C) array, float32 or float64

    Returns
    -------
    y : (N, C) array
    cache : Cache

    Raises
    ------
    InputError
        If shape, dtype or memory layout do not fit.
    """
    spec.shapes(x=(x, "N H W C"))
    return implementations.load(__name__, implementation, x=x).forward(x)


def backward(dy, cache, *, implementation=None):
    """Gradient of a scalar loss with respect to x, given dy = dloss/dy; returns dx."""
    spec.cached(cache, Cache)
    spec.gradient(dy, output_shape(cache.x_shape), cache.dtype)
    return implementations.load(__name__, implementation, dy=dy, cache=cache).backward(dy, cache)


def output_shape(x_shape):
    """(N, C)."""
    return x_shape[0], x_shape[3]


def cost(x_shape, itemsize=4) -> spec.Cost:
    """No multiply-adds; nothing is cached."""
    return spec.cost((x_shape, output_shape(x_shape)), itemsize=itemsize)
