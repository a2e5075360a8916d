"""Max pooling: the largest value in every window, channel by channel.

    y[n, oh, ow, c] = max over i, j of  x[n, oh*sh + i*dh - top, ow*sw + j*dw - left, c]      (padding never wins)

    x (N, H, W, C)    y, winners (N, OH, OW, C)

`winners` says which tap won, i*kw + j, and the gradient goes there: the first one in window order where several are equal.
NaN wins over everything.
"""

from typing import NamedTuple

import numpy as np

from xception_np import implementations
from xception_np.geometry import Geometry
from xception_np.ops import spec


class Cache(NamedTuple):
    """What the backward pass needs: the winning taps, the shape of x and the window."""

    winners: np.ndarray
    x_shape: tuple[int, ...]
    geometry: Geometry
    dtype: np.dtype


def forward(x, geometry, *, implementation=None):
    """Take the largest value in every window.

    Parameters
    ----------
    x : (N, H, W, C) array, float32 or float64
    geometry : Geometry

    Returns
    -------
    y : (N, OH, OW, C) array
    cache : Cache

    Raises
    ------
    InputError
        If shape, dtype, memory layout or geometry do not fit, or a window would see only padding.
    """
    sizes = spec.shapes(x=(x, "N H W C"))
    spec.pooling(geometry, sizes["H"], sizes["W"])
    return implementations.load(__name__, implementation, x=x).forward(x, geometry)


def backward(dy, cache, *, implementation=None):
    """Gradient of a scalar loss with respect to x, given dy = dloss/dy; returns dx."""
    spec.cached(cache, Cache)
    spec.gradient(dy, cache.winners.shape, cache.dtype)
    return implementations.load(__name__, implementation, dy=dy, cache=cache).backward(dy, cache)


def output_shape(x_shape, geometry):
    """(N, OH, OW, C)."""
    return spec.windows_shape(x_shape, x_shape[3], geometry)


def winners_dtype(geometry) -> np.dtype:
    """The smallest unsigned integer that can name every tap: one byte up to 16x16."""
    return np.min_scalar_type(geometry.kernel[0] * geometry.kernel[1] - 1)


def cost(x_shape, geometry, itemsize=4) -> spec.Cost:
    """No multiply-adds; the winning taps are written and cached."""
    y_shape = output_shape(x_shape, geometry)
    moved, winners = spec.cost((x_shape, y_shape), itemsize=itemsize), winners_dtype(geometry).itemsize * spec.size(y_shape)
    return moved._replace(bytes_moved=moved.bytes_moved + winners, bytes_cached=winners)
