"""The ladder: one unit of Xception's middle flow, climbed rung by rung, from NumPy to what training runs.

The unit is batch normalisation, ReLU, depthwise 3x3 and pointwise convolution, forward and backward. Every rung computes the same,
and adds one idea to the rung below it. `xception-np bench --ladder` times them.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import NamedTuple

import numpy as np

from xception_np import ops, threads
from xception_np.geometry import Geometry

SHAPE = (8, 19, 19, 728)  # of x: the middle flow at 299 pixels


class Rung(NamedTuple):
    """One idea.

    name : what runs
    why : what it saves, in a sentence
    compute : () -> (y, dx, dgamma, dbeta, ddepthwise, dpointwise)
    """

    name: str
    why: str
    compute: Callable[[], tuple[np.ndarray, ...]]


def rungs(shape: tuple[int, int, int, int] = SHAPE, seed: int = 0) -> list[Rung]:
    """The rungs, from the lowest, on random arrays of this shape, as many filters as channels."""
    random, channels = np.random.default_rng(seed), shape[3]
    x, dy = (random.standard_normal(shape, np.float32) for _ in range(2))
    gamma, beta = random.standard_normal((2, channels), np.float32)
    depthwise = random.standard_normal((3, 3, channels, 1), np.float32) / 3
    pointwise = random.standard_normal((channels, channels), np.float32) / np.float32(np.sqrt(channels))
    unit = x, gamma, beta, depthwise, pointwise, dy

    def climbed(passes: Callable, with_threads: int | None = 1, **how) -> Callable[[], tuple[np.ndarray, ...]]:
        def compute():
            limit: AbstractContextManager = nullcontext() if with_threads is None else threads.use(with_threads)
            with limit, threads.many_passes():
                return passes(*unit, **how)

        return compute

    return [
        Rung(
            "NumPy, one array at a time",
            "where to start: nine strided views for a 3x3 window, each read and written in full; only the product is fast",
            climbed(_one_by_one, implementation="reference"),
        ),
        Rung(
            "compiled loops, one operation at a time",
            "a loop over channels keeps the nine taps of a window in registers: each array is read and written once",
            climbed(_one_by_one),
        ),
        Rung(
            "ReLU in batch norm's pass",
            "one array less to write and to read, on the way there and on the way back",
            climbed(_rectified),
        ),
        Rung(
            "depthwise and pointwise in one pass",
            "a tile goes from the depthwise convolution into the product while it is in the cache, and nothing between is kept",
            climbed(_separable),
        ),
        Rung(
            "batch norm in the same pass",
            "what the batch's mean and variance make of x is computed where the convolution reads it, and again on the way back",
            climbed(_in_one),
        ),
        Rung(
            "on all cores",
            "tiles on one pool of threads, each product on one: they share the memory's bandwidth, and nothing else",
            climbed(_in_one, None),
        ),
    ]


def _one_by_one(x, gamma, beta, depthwise, pointwise, dy, **how) -> tuple[np.ndarray, ...]:
    normalised, norm = ops.batch_norm.forward(x, gamma, beta, **how)
    cut, relu = ops.relu.forward(normalised, **how)
    spatial, spatial_cache = ops.depthwise_conv.forward(cut, depthwise, Geometry(3), **how)
    y, pointwise_cache = ops.pointwise_conv.forward(spatial, pointwise, **how)
    dspatial, dpointwise = ops.pointwise_conv.backward(dy, pointwise_cache, **how)
    dcut, ddepthwise = ops.depthwise_conv.backward(dspatial, spatial_cache, **how)
    dnormalised = ops.relu.backward(dcut, relu, **how)
    return y, *ops.batch_norm.backward(dnormalised, norm, **how), ddepthwise, dpointwise


def _rectified(x, gamma, beta, depthwise, pointwise, dy) -> tuple[np.ndarray, ...]:
    cut, norm = ops.batch_norm.forward(x, gamma, beta, activation="relu")
    spatial, spatial_cache = ops.depthwise_conv.forward(cut, depthwise, Geometry(3))
    y, pointwise_cache = ops.pointwise_conv.forward(spatial, pointwise)
    dspatial, dpointwise = ops.pointwise_conv.backward(dy, pointwise_cache)
    dcut, ddepthwise = ops.depthwise_conv.backward(dspatial, spatial_cache)
    return y, *ops.batch_norm.backward(dcut, norm), ddepthwise, dpointwise


def _separable(x, gamma, beta, depthwise, pointwise, dy) -> tuple[np.ndarray, ...]:
    cut, norm = ops.batch_norm.forward(x, gamma, beta, activation="relu")
    y, cache = ops.separable_conv.forward(cut, depthwise, pointwise, Geometry(3))
    dcut, ddepthwise, dpointwise = ops.separable_conv.backward(dy, cache)
    return y, *ops.batch_norm.backward(dcut, norm), ddepthwise, dpointwise


def _in_one(x, gamma, beta, depthwise, pointwise, dy) -> tuple[np.ndarray, ...]:
    y, cache = ops.norm_separable_conv.forward(x, gamma, beta, depthwise, pointwise, Geometry(3), activation="relu")
    return y, *ops.norm_separable_conv.backward(dy, cache)
