"""Batch normalisation with given statistics: at inference, and in a frozen layer that is trained through.

    xhat = (x - mean) / sqrt(variance + epsilon)        y = activation(gamma * xhat + beta)

    x, y (..., C)    gamma, beta, mean, variance (C,)

mean and variance are constants here: no gradient flows into them, so dx has one term where training has three.
"""

from typing import NamedTuple

import numpy as np

from xception_np import arrays, implementations
from xception_np.errors import InputError
from xception_np.ops import batch_norm, spec


class Cache(NamedTuple):
    """What the backward pass needs."""

    x: np.ndarray
    gamma: np.ndarray
    beta: np.ndarray
    mean: np.ndarray
    variance: np.ndarray
    epsilon: float
    activation: str | None


def forward(x, gamma, beta, mean, variance, epsilon=batch_norm.EPSILON, activation=None, *, implementation=None):
    """Normalise with the statistics given.

    Parameters
    ----------
    x : (..., C) array, float32 or float64
    gamma, beta, mean, variance : (C,) arrays of the same dtype
    epsilon : float
        Added to the variance, > 0.
    activation : None or "relu"

    Returns
    -------
    y : array like x
    cache : Cache

    Raises
    ------
    InputError
        If shapes, dtypes, memory layout, epsilon or activation do not fit, or a variance is negative.
    """
    batch_norm.check(x, epsilon, activation, gamma=gamma, beta=beta, mean=mean, variance=variance)
    given = arrays.to_host(variance)
    if (given < 0).any():
        raise InputError(f"variance is {given.min()} in channel {given.argmin()}; expected numbers >= 0")
    return implementations.load(__name__, implementation, x=x).forward(x, gamma, beta, mean, variance, epsilon, activation)


def backward(dy, cache, *, implementation=None):
    """Gradients given dy = dloss/dy; returns (dx, dgamma, dbeta)."""
    spec.cached(cache, Cache)
    spec.gradient(dy, cache.x.shape, cache.x.dtype)
    return implementations.load(__name__, implementation, dy=dy, cache=cache).backward(dy, cache)
