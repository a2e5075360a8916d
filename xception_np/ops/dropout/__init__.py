"""Dropout: each number is set to 0 with probability `rate`, and the others are scaled so that the mean stays.

    keep = word of the stream >= rate * 2**32        y = x / (1 - rate) where keep, else 0        dx likewise from dy

x, y of any shape; the k-th number of x, counted flat, takes the k-th word of the stream. Nothing is cached: the backward pass
draws the same words again. Source: Srivastava et al., JMLR 15 (2014); the paper uses rate 0.5 before the last layer (section 4.3).
"""

from typing import NamedTuple

import numpy as np

from xception_np import implementations
from xception_np.ops import spec
from xception_np.random import Stream, check_stream


class Cache(NamedTuple):
    """What the backward pass needs: no array at all."""

    shape: tuple[int, ...]
    dtype: np.dtype
    rate: float
    stream: Stream


def forward(x, rate, stream, *, implementation=None):
    """Drop some numbers and scale the rest.

    Parameters
    ----------
    x : array of any shape, float32 or float64
    rate : float
        Probability of being dropped, 0 <= rate < 1.
    stream : random.Stream
        Where the random words come from.

    Returns
    -------
    y : array like x
    cache : Cache

    Raises
    ------
    InputError
        If dtype, memory layout, rate or stream do not fit.
    """
    spec.any_shape("x", x)
    spec.number("rate", rate, 0, 1, "a probability, 0 <= rate < 1")
    check_stream(stream)
    return implementations.load(__name__, implementation, x=x).forward(x, float(rate), stream)


def backward(dy, cache, *, implementation=None):
    """Gradient of a scalar loss with respect to x, given dy = dloss/dy; returns dx."""
    spec.cached(cache, Cache)
    spec.gradient(dy, cache.shape, cache.dtype)
    return implementations.load(__name__, implementation, dy=dy, cache=cache).backward(dy, cache)


def threshold(rate: float) -> int:
    """Words below this are dropped."""
    return round(rate * 2**32)


def cost(x_shape, itemsize=4) -> spec.Cost:
    """No multiply-adds; nothing is cached."""
    return spec.cost((x_shape, x_shape), itemsize=itemsize)
