"""Grouped convolution: channels in S segments, each convolved on its own. The paper's spectrum in one number.

    y[n, oh, ow, s*F/S + f] = sum over i, j, c < C/S of
        x[n, oh*sh + i*dh - top, ow*sw + j*dw - left, s*C/S + c] * weight[i, j, c, s*F/S + f]

    x      (N, H, W, C)        y (N, OH, OW, F)
    weight (kh, kw, C/S, F)

S = 1 is a regular convolution, S = C a depthwise one, an Inception module lies between (section 1.2 and Figure 3: three or four
segments over some hundred channels). Parameters and MACs fall as 1/S.
"""

from typing import NamedTuple

import numpy as np

from xception_np import implementations
from xception_np.errors import InputError
from xception_np.geometry import Geometry
from xception_np.ops import spec


class Cache(NamedTuple):
    """What the backward pass needs."""

    x: np.ndarray
    weight: np.ndarray
    geometry: Geometry
    segments: int


def forward(x, weight, geometry, segments, *, implementation=None):
    """Convolve each of S segments of the channels on its own.

    Parameters
    ----------
    x : (N, H, W, C) array, float32 or float64
    weight : (kh, kw, C/S, F) array of the same dtype
    geometry : Geometry
    segments : int
        S; divides C and F.

    Returns
    -------
    y : (N, OH, OW, F) array
    cache : Cache

    Raises
    ------
    InputError
        If S does not divide C and F (the message names the nearest that do), or shapes, dtypes, layout or geometry do not fit.
    """
    sizes = spec.shapes(x=(x, "N H W C"), weight=(weight, "kh kw C/S F"))
    segments = spec.segments(segments, sizes["C"], sizes["F"])
    if sizes["C/S"] != sizes["C"] // segments:
        raise InputError(
            f"weight has shape {weight.shape}; expected {sizes['C'] // segments} along its third axis, "
            f"C/S for C={sizes['C']} and segments={segments}"
        )
    spec.geometry(geometry, (sizes["kh"], sizes["kw"]), sizes["H"], sizes["W"])
    return implementations.load(__name__, implementation, x=x).forward(x, weight, geometry, segments)


def backward(dy, cache, *, implementation=None):
    """Gradients of a scalar loss with respect to x and weight, given dy = dloss/dy; returns (dx, dweight)."""
    spec.cached(cache, Cache)
    spec.gradient(dy, output_shape(cache.x.shape, cache.weight.shape, cache.geometry), cache.x.dtype)
    return implementations.load(__name__, implementation, dy=dy, cache=cache).backward(dy, cache)


def output_shape(x_shape, weight_shape, geometry):
    """(N, OH, OW, F)."""
    return spec.windows_shape(x_shape, weight_shape[3], geometry)


def cost(x_shape, weight_shape, geometry, itemsize=4) -> spec.Cost:
    """MACs: N * OH * OW * F * kh * kw * C/S, taps on the padding included."""
    y_shape = output_shape(x_shape, weight_shape, geometry)
    return spec.cost((x_shape, y_shape), [weight_shape], spec.size(weight_shape[:3]), [x_shape], itemsize)
