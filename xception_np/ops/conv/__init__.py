"""Regular convolution: every output channel looks at every input channel, through a window.

    y[n, oh, ow, f] = sum over i, j, c of  x[n, oh*sh + i*dh - top, ow*sw + j*dw - left, c] * weight[i, j, c, f]

    x      (N, H, W, C)      y (N, OH, OW, F)
    weight (kh, kw, C, F)    not flipped: a correlation, as everywhere in deep learning

Positions outside the image count as 0. One segment (S = 1) of the paper's spectrum, section 1.2.
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
    """Convolve.

    Parameters
    ----------
    x : (N, H, W, C) array, float32 or float64
    weight : (kh, kw, C, F) array of the same dtype
    geometry : Geometry
        Stride, dilation and padding; its kernel is (kh, kw).

    Returns
    -------
    y : (N, OH, OW, F) array
    cache : Cache

    Raises
    ------
    InputError
        If shapes, dtypes, memory layout or geometry do not fit.
    """
    check(x, weight, geometry)
    return implementations.load(__name__, implementation, x=x).forward(x, weight, geometry)


def backward(dy, cache, *, implementation=None):
    """Gradients of a scalar loss with respect to x and weight, given dy = dloss/dy; returns (dx, dweight)."""
    spec.cached(cache, Cache)
    spec.gradient(dy, output_shape(cache.x.shape, cache.weight.shape, cache.geometry), cache.x.dtype)
    return implementations.load(__name__, implementation, dy=dy, cache=cache).backward(dy, cache)


def weight_gradient(dy, cache, *, implementation=None):
    """dweight alone, as backward gives it: where x are pictures, nobody asks for dx."""
    spec.cached(cache, Cache)
    spec.gradient(dy, output_shape(cache.x.shape, cache.weight.shape, cache.geometry), cache.x.dtype)
    return implementations.load(__name__, implementation, dy=dy, cache=cache).weight_gradient(dy, cache)


def output_shape(x_shape, weight_shape, geometry):
    """(N, OH, OW, F)."""
    return spec.windows_shape(x_shape, weight_shape[3], geometry)


def cost(x_shape, weight_shape, geometry, itemsize=4) -> spec.Cost:
    """MACs: N * OH * OW * F * kh * kw * C, taps on the padding included."""
    y_shape = output_shape(x_shape, weight_shape, geometry)
    return spec.cost((x_shape, y_shape), [weight_shape], spec.size(weight_shape[:3]), [x_shape], itemsize)


def check(x, weight, geometry) -> None:
    """Check that arrays and geometry fit together."""
    sizes = spec.shapes(x=(x, "N H W C"), weight=(weight, "kh kw C F"))
    spec.geometry(geometry, (sizes["kh"], sizes["kw"]), sizes["H"], sizes["W"])
