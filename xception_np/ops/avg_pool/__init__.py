"""Average pooling: the mean of every window, channel by channel.

    y[n, oh, ow, c] = sum over i, j inside the image of  x[n, oh*sh + i*dh - top, ow*sw + j*dw - left, c]  /  inside[oh, ow]

    x (N, H, W, C)    y (N, OH, OW, C)    inside (OH, OW): taps of a window that are inside the image

Padding does not count, as in Keras.
"""

from typing import NamedTuple

import numpy as np

from xception_np import implementations
from xception_np.geometry import Geometry
from xception_np.ops import spec


class Cache(NamedTuple):
    """What the backward pass needs: no array at all."""

    x_shape: tuple[int, ...]
    geometry: Geometry
    dtype: np.dtype


def forward(x, geometry, *, implementation=None):
    """Average every window.

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
    spec.gradient(dy, output_shape(cache.x_shape, cache.geometry), cache.dtype)
    return implementations.load(__name__, implementation, dy=dy, cache=cache).backward(dy, cache)


def output_shape(x_shape, geometry):
    """(N, OH, OW, C)."""
    return spec.windows_shape(x_shape, x_shape[3], geometry)


def cost(x_shape, geometry, itemsize=4) -> spec.Cost:
    """No multiply-adds by the usual count; nothing is cached."""
    return spec.cost((x_shape, output_shape(x_shape, geometry)), itemsize=itemsize)
