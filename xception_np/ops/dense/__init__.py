"""Fully connected layer.

y[n, f] = sum over c of  x[n, c] * weight[c, f]  +  bias[f]        x (N, C)    weight (C, F)    bias (F,)    y (N, F)
"""

from typing import NamedTuple

import numpy as np

from xception_np import implementations
from xception_np.errors import InputError
from xception_np.ops import spec


class Cache(NamedTuple):
    """What the backward pass needs."""

    x: np.ndarray
    weight: np.ndarray


def forward(x, weight, bias, *, implementation=None):
    """Multiply by a matrix and add a vector.

    Parameters
    ----------
    x : (N, C) array, float32 or float64
    weight : (C, F) array of the same dtype
    bias : (F,) array of the same dtype

    Returns
    -------
    y : (N, F) array
    cache : Cache

    Raises
    ------
    InputError
        If shapes, dtypes or memory layout do not fit.
    """
    spec.shapes(x=(x, "N C"), weight=(weight, "C F"), bias=(bias, "F"))
    return implementations.load(__name__, implementation, x=x).forward(x, weight, bias)


def backward(dy, cache, *, implementation=None):
    """Gradients given dy = dloss/dy; returns (dx, dweight, dbias)."""
    spec.cached(cache, Cache)
    spec.gradient(dy, output_shape(cache.x.shape, cache.weight.shape), cache.x.dtype)
    return implementations.load(__name__, implementation, dy=dy, cache=cache).backward(dy, cache)


def output_shape(x_shape, weight_shape):
    """(N, F)."""
    if x_shape[-1] != weight_shape[0]:
        raise InputError(f"x has {x_shape[-1]} numbers for each image; expected {weight_shape[0]}, as the weight has rows")
    return x_shape[0], weight_shape[1]


def cost(x_shape, weight_shape, itemsize=4) -> spec.Cost:
    """MACs: N * F * C."""
    weights = [weight_shape, weight_shape[1:]]
    return spec.cost((x_shape, output_shape(x_shape, weight_shape)), weights, weight_shape[0], [x_shape], itemsize)
