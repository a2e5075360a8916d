"""Batch normalisation in training: every channel to mean 0 and variance 1 over the batch, then scaled by gamma and shifted by beta.

    mean[c]     = mean of x[..., c]                        over the P = N * H * W positions
    variance[c] = mean of (x[..., c] - mean[c])**2         (biased: divided by P)
    xhat        = (x - mean) / sqrt(variance + epsilon)
    y           = activation(gamma * xhat + beta)

    x, y (..., C)    gamma, beta, mean, variance (C,)

The activation is none or a ReLU, in the same pass over memory: its backward pass knows from x again where it was cut.

The cache holds `mean` and `variance`; keeping moving averages of them is the layer's business.
Source: Ioffe and Szegedy, arXiv 1502.03167, section 3. Epsilon 1e-3 as in Keras.
"""

from typing import NamedTuple

import numpy as np

from xception_np import implementations
from xception_np.ops import spec

EPSILON = 1e-3
ACTIVATIONS = (None, "relu")


class Cache(NamedTuple):
    """What the backward pass needs."""

    x: np.ndarray
    gamma: np.ndarray
    beta: np.ndarray
    mean: np.ndarray
    variance: np.ndarray
    epsilon: float
    activation: str | None


def forward(x, gamma, beta, epsilon=EPSILON, activation=None, *, implementation=None):
    """Normalise with the statistics of this batch.

    Parameters
    ----------
    x : (..., C) array, float32 or float64
    gamma, beta : (C,) arrays of the same dtype
    epsilon : float
        Added to the variance, > 0.
    activation : None or "relu"

    Returns
    -------
    y : array like x
    cache : Cache
        With the batch's `mean` and `variance`.

    Raises
    ------
    InputError
        If shapes, dtypes, memory layout, epsilon or activation do not fit.
    """
    check(x, epsilon, activation, gamma=gamma, beta=beta)
    return implementations.load(__name__, implementation, x=x).forward(x, gamma, beta, epsilon, activation)


def backward(dy, cache, *, implementation=None):
    """Gradients given dy = dloss/dy; returns (dx, dgamma, dbeta).

    dy counts only where the activation passed it on. With sums over the positions of a channel:

        dbeta  = sum of dy
        dgamma = sum of dy * xhat
        dx     = gamma / sqrt(variance + epsilon) * (dy - dbeta / P - xhat * dgamma / P)

    The last two terms are what x changes through the mean and through the variance.
    """
    spec.cached(cache, Cache)
    spec.gradient(dy, cache.x.shape, cache.x.dtype)
    return implementations.load(__name__, implementation, dy=dy, cache=cache).backward(dy, cache)


def cost(x_shape, itemsize=4) -> spec.Cost:
    """Two multiply-adds a number are not counted, as is usual; gamma and beta are parameters, x is cached."""
    channels = (x_shape[-1],)
    return spec.cost((x_shape, x_shape), [channels, channels], cached=[x_shape], itemsize=itemsize)


def check(x, epsilon, activation, **vectors) -> None:
    """Check x (..., C), vectors (C,) and settings."""
    spec.shapes(x=(x, "... C"), **{name: (vector, "C") for name, vector in vectors.items()})
    spec.positive_number("epsilon", epsilon, x.dtype)
    spec.one_of("activation", activation, ACTIVATIONS)
