"""Batch normalisation, ReLU and a spatial-first separable convolution in one pass over memory.

    z = batch_norm(x, gamma, beta, activation)        as in ops/batch_norm; never written to memory
    y = separable_conv(z, D, P)                       as in ops/separable_conv

    x (N, H, W, C)    gamma, beta (C,)    D (kh, kw, C, M)    P (C*M, F)    y (N, OH, OW, F)

Xception repeats convolution, normalisation, ReLU, convolution. What lies between two convolutions is cheap to compute and dear to
move: apart, a step moves seventeen numbers for every number of x, and together eleven (`cpu.py` counts them). The cache holds x
alone, not z.
"""

from typing import NamedTuple

import numpy as np

from xception_np import implementations
from xception_np.geometry import Geometry
from xception_np.ops import batch_norm, separable_conv, spec


class Cache(NamedTuple):
    """What the backward pass needs."""

    x: np.ndarray
    gamma: np.ndarray
    beta: np.ndarray
    depthwise_weight: np.ndarray
    pointwise_weight: np.ndarray
    mean: np.ndarray
    variance: np.ndarray
    geometry: Geometry
    epsilon: float
    activation: str | None


def forward(
    x,
    gamma,
    beta,
    depthwise_weight,
    pointwise_weight,
    geometry,
    epsilon=batch_norm.EPSILON,
    activation="relu",
    *,
    implementation=None,
):
    """Normalise with the statistics of this batch, cut at 0, convolve every channel on its own, mix the channels.

    Parameters
    ----------
    x : (N, H, W, C) array, float32 or float64
    gamma, beta : (C,) arrays of the same dtype
    depthwise_weight : (kh, kw, C, M) array
    pointwise_weight : (C*M, F) array
    geometry : Geometry
        Of the depthwise step; its padding is 0 after the normalisation.
    epsilon : float
        Added to the variance, > 0.
    activation : None or "relu"
        What stands between the normalisation and the convolution.

    Returns
    -------
    y : (N, OH, OW, F) array
    cache : Cache
        With the batch's `mean` and `variance`.

    Raises
    ------
    InputError
        If shapes, dtypes, memory layout, geometry, epsilon or activation do not fit.
    """
    batch_norm.check(x, epsilon, activation, gamma=gamma, beta=beta)
    separable_conv.check(x, depthwise_weight, pointwise_weight, geometry)
    module = implementations.load(__name__, implementation, x=x)
    return module.forward(x, gamma, beta, depthwise_weight, pointwise_weight, geometry, epsilon, activation)


def backward(dy, cache, *, implementation=None):
    """Gradients given dy = dloss/dy; returns (dx, dgamma, dbeta, ddepthwise_weight, dpointwise_weight)."""
    spec.cached(cache, Cache)
    shape = separable_conv.output_shape(cache.x.shape, cache.depthwise_weight.shape, cache.pointwise_weight.shape, cache.geometry)
    spec.gradient(dy, shape, cache.x.dtype)
    return implementations.load(__name__, implementation, dy=dy, cache=cache).backward(dy, cache)


def cost(x_shape, depthwise_shape, pointwise_shape, geometry, itemsize=4) -> spec.Cost:
    """The separable convolution's, and two vectors; nothing between the two is moved or cached."""
    vectors = 2 * x_shape[-1]
    convolution = separable_conv.cost(x_shape, depthwise_shape, pointwise_shape, geometry, itemsize=itemsize)
    return convolution._replace(
        parameters=convolution.parameters + vectors, bytes_moved=convolution.bytes_moved + itemsize * vectors
    )
