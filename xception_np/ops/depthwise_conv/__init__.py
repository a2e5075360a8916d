"""Depthwise convolution: every channel looks at itself only, with M kernels of its own.

    y[n, oh, ow, c*M + m] = sum over i, j of  x[n, oh*sh + i*dh - top, ow*sw + j*dw - left, c] * weight[i, j, c, m]

    x      (N, H, W, C)      y (N, OH, OW, C*M)
    weight (kh, kw, C, M)    M is the depth multiplier, 1 everywhere in Xception

The spatial half of a depthwise separable convolution, and the S = C end of the paper's spectrum (section 1.2).
"""

from typing import NamedTuple

import numpy as np

from xception_np import implementations
from xception_np.geometry import Geometry
from xception_np.ops import spec


class Cache(NamedTuple):
    """What the backward pass needs."""

    x: np.ndarray
    weight: np.ndarray
    geometry: Geometry


def forward(x, weight, geometry, *, implementation=None):
    """Convolve every channel on its own.

    Parameters
    ----------
    x : (N, H, W, C) array, float32 or float64
    weight : (kh, kw, C, M) array of the same dtype
    geometry : Geometry

    Returns
    -------
    y : (N, OH, OW, C*M) array
    cache : Cache

    Raises
    ------
    InputError
        If shapes, dtypes, memory layout or geometry do not fit.
    """
    sizes = spec.shapes(x=(x, "N H W C"), weight=(weight, "kh kw C M"))
    spec.geometry(geometry, (sizes["kh"], sizes["kw"]), sizes["H"], sizes["W"])
    return implementations.load(__name__, implementation, x=x).forward(x, weight, geometry)


def backward(dy, cache, *, implementation=None):
    """Gradients of a scalar loss with respect to x and weight, given dy = dloss/dy; returns (dx, dweight)."""
    spec.cached(cache, Cache)
    spec.gradient(dy, output_shape(cache.x.shape, cache.weight.shape, cache.geometry), cache.x.dtype)
    return implementations.load(__name__, implementation, dy=dy, cache=cache).backward(dy, cache)


def output_shape(x_shape, weight_shape, geometry):
    """(N, OH, OW, C*M)."""
    return spec.windows_shape(x_shape, weight_shape[2] * weight_shape[3], geometry)


def cost(x_shape, weight_shape, geometry, itemsize=4) -> spec.Cost:
    """MACs: N * OH * OW * C*M * kh * kw, taps on the padding included."""
    y_shape = output_shape(x_shape, weight_shape, geometry)
    return spec.cost((x_shape, y_shape), [weight_shape], spec.size(weight_shape[:2]), [x_shape], itemsize)
