"""Pointwise (1x1) convolution: every pixel's channels are mixed, no pixel sees another.

    y[n, h, w, f] = sum over c of  x[n, h, w, c] * weight[c, f]

    x (N, H, W, C)    weight (C, F)    y (N, H, W, F)

With channels last this is one matrix product, (N*H*W, C) @ (C, F), without a copy. 90.6% of Xception's multiply-adds.
"""

from typing import NamedTuple

import numpy as np

from xception_np import implementations
from xception_np.ops import spec


class Cache(NamedTuple):
    """What the backward pass needs."""

    x: np.ndarray
    weight: np.ndarray


def forward(x, weight, *, implementation=None):
    """Mix the channels of every pixel.

    Parameters
    ----------
    x : (N, H, W, C) array, float32 or float64
    weight : (C, F) array of the same dtype

    Returns
    -------
    y : (N, H, W, F) array
    cache : Cache

    Raises
    ------
    InputError
        If shapes, dtypes or memory layout do not fit.
    """
    spec.shapes(x=(x, "N H W C"), weight=(weight, "C F"))
    return implementations.load(__name__, implementation, x=x).forward(x, weight)


def backward(dy, cache, *, implementation=None):
    """Gradients of a scalar loss with respect to x and weight, given dy = dloss/dy; returns (dx, dweight)."""
    spec.cached(cache, Cache)
    spec.gradient(dy, output_shape(cache.x.shape, cache.weight.shape), cache.x.dtype)
    return implementations.load(__name__, implementation, dy=dy, cache=cache).backward(dy, cache)


def output_shape(x_shape, weight_shape):
    """(N, H, W, F)."""
    return (*x_shape[:3], weight_shape[1])


def cost(x_shape, weight_shape, itemsize=4) -> spec.Cost:
    """MACs: N * H * W * F * C."""
    return spec.cost((x_shape, output_shape(x_shape, weight_shape)), [weight_shape], weight_shape[0], [x_shape], itemsize)
