"""A bias for every channel, and the ReLU after it in the same pass over memory.

    y = activation(x + bias)        x, y (..., C)    bias (C,)

After a convolution without batch normalisation, as in VGG-16, or with the batch normalisation folded into its weights.
The cache keeps y where the activation is a ReLU, which cut exactly where y is not above 0; the next layer keeps it anyway.
"""

from typing import NamedTuple, Self

import numpy as np

from xception_np import implementations
from xception_np.ops import spec

ACTIVATIONS = (None, "relu")


class Cache(NamedTuple):
    """What the backward pass needs; y is None without an activation."""

    shape: tuple[int, ...]
    dtype: np.dtype
    y: np.ndarray | None

    @classmethod
    def of(cls, y: np.ndarray, activation: str | None) -> Self:
        """Of a result."""
        return cls(y.shape, y.dtype, y if activation == "relu" else None)


def forward(x, bias, activation=None, *, implementation=None):
    """Add the bias, and set what is negative to 0 if the activation says so.

    Parameters
    ----------
    x : (..., C) array, float32 or float64
    bias : (C,) array of the same dtype
    activation : None or "relu"

    Returns
    -------
    y : array like x
    cache : Cache

    Raises
    ------
    InputError
        If shapes, dtypes, memory layout or activation do not fit.
    """
    spec.shapes(x=(x, "... C"), bias=(bias, "C"))
    spec.one_of("activation", activation, ACTIVATIONS)
    return implementations.load(__name__, implementation, x=x).forward(x, bias, activation)


def backward(dy, cache, *, implementation=None):
    """Gradients given dy = dloss/dy; returns (dx, dbias). Without an activation dx may be dy itself: do not write to it."""
    spec.cached(cache, Cache)
    spec.gradient(dy, cache.shape, cache.dtype)
    return implementations.load(__name__, implementation, dy=dy, cache=cache).backward(dy, cache)


def check_addend(addend, y_shape, x) -> None:
    """Check what is to be added to a convolution of x: an array like the result."""
    spec.shapes(x=(x, "N H W C"), addend=(addend, " ".join(map(str, y_shape))))


def cost(x_shape, bias_shape, activation=None, itemsize=4) -> spec.Cost:
    """No multiply-adds; the bias is a parameter, and y is cached for a ReLU."""
    return spec.cost((x_shape, x_shape), [bias_shape], cached=[x_shape] if activation else [], itemsize=itemsize)


def with_bias(convolution: spec.Cost, y_shape, activation=None, itemsize=4) -> spec.Cost:
    """The cost of a convolution with a bias in the same pass: a vector more, and y cached for a ReLU."""
    return convolution._replace(
        parameters=convolution.parameters + y_shape[-1],
        bytes_moved=convolution.bytes_moved + itemsize * y_shape[-1],
        bytes_cached=convolution.bytes_cached + itemsize * (spec.size(y_shape) if activation else 0),
    )
