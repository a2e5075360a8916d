"""Branches side by side along the channels, as at the end of an Inception module.

y[..., channels of branch k] = branch k        y (N, H, W, sum of the branches' channels)
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from xception_np import implementations
from xception_np.errors import InputError
from xception_np.ops import spec


class Cache(NamedTuple):
    """What the backward pass needs: no array at all."""

    channels: tuple[int, ...]
    shape: tuple[int, ...]
    dtype: np.dtype


def forward(branches, *, implementation=None):
    """Put arrays side by side along the last axis.

    Parameters
    ----------
    branches : sequence of (N, H, W, C_k) arrays of one dtype, float32 or float64

    Returns
    -------
    y : (N, H, W, C_0 + C_1 + ...) array
    cache : Cache

    Raises
    ------
    InputError
        If there is no branch, or shapes (all but the channels), dtypes or memory layout do not fit.
    """
    if not isinstance(branches, Sequence) or len(branches) == 0:
        raise InputError(f"branches is {type(branches).__name__}; expected a list of at least one (N, H, W, C) array")
    spec.shapes(**{f"branches[{k}]": (branch, f"N H W C{k}") for k, branch in enumerate(branches)})
    return implementations.load(__name__, implementation, branches=branches).forward(branches)


def backward(dy, cache, *, implementation=None):
    """Gradients given dy = dloss/dy; returns a tuple with one for each branch."""
    spec.cached(cache, Cache)
    spec.gradient(dy, cache.shape, cache.dtype)
    return implementations.load(__name__, implementation, dy=dy, cache=cache).backward(dy, cache)


def cache_of(branches, y) -> Cache:
    """The cache for a result and what it was made of."""
    return Cache(tuple(branch.shape[3] for branch in branches), y.shape, y.dtype)


def cost(x_shapes, itemsize=4) -> spec.Cost:
    """No multiply-adds; nothing is cached."""
    y_shape = (*x_shapes[0][:3], sum(shape[3] for shape in x_shapes))
    return spec.cost((*x_shapes, y_shape), itemsize=itemsize)
