"""The three constants of this machine, measured: of several rounds the fastest counts, for what disturbs one only adds to it."""

import statistics
import time
from collections.abc import Callable

import numpy as np

from xception_np import arrays, ops, threads
from xception_np.cost.roofline import Machine
from xception_np.geometry import Geometry

_SIDE = 512  # of the matrices that are multiplied: so large that BLAS is at its best
_PRODUCTS = 8  # of each thread: so many that threads end together, though one may be held up
_FAR = 2**24  # numbers in an array that is in no cache: 64 MiB
_CALLS = 40
_ROUNDS = 7


def measure() -> Machine:
    """The constants of this machine for the threads in use, each the best of a few rounds; takes a second or two."""
    with threads.many_passes():
        return Machine(_peak(), _bandwidth(), _call())


def _peak() -> float:
    """Products of square matrices, each by one thread."""
    a, b = (np.full((_SIDE, _SIDE), value, np.float32) for value in (1, 0.5))
    products = [arrays.empty((_SIDE, _SIDE), np.float32) for _ in range(_PRODUCTS * threads.count())]
    seconds = _fastest(lambda: threads.for_tiles(lambda y: np.matmul(a, b, out=y), products))
    return len(products) * _SIDE**3 / seconds


def _bandwidth() -> float:
    """y = 2 * x, a number read for each that is written."""
    x, y = (np.ones(_FAR, np.float32) for _ in range(2))
    seconds = _fastest(lambda: threads.for_spans(lambda x, y: np.multiply(x, np.float32(2), out=y), x, y))
    return (x.nbytes + y.nbytes) / seconds


def _call() -> float:
    """A depthwise convolution of one pixel, checks and all, after a product; the median.

    In a network the pass before has filled the caches with its numbers, and the interpreter has to fetch its own again: that takes
    several times as long as the same call in a loop. The fastest of them all would be one that found the caches warm.
    """
    pixel, taps, geometry = np.ones((1, 1, 1, 1), np.float32), np.ones((3, 3, 1, 1), np.float32), Geometry(3)
    x, weight = np.ones((1, 1, 2 * _SIDE, _SIDE), np.float32), np.ones((_SIDE, _SIDE), np.float32)
    seconds = []
    for _ in range(_CALLS):
        ops.pointwise_conv.forward(x, weight)
        begin = time.perf_counter()
        ops.depthwise_conv.forward(pixel, taps, geometry)
        seconds.append(time.perf_counter() - begin)
    return statistics.median(seconds)


def _fastest(function: Callable[[], object]) -> float:
    """Seconds of a call: the least over rounds, after one that is not timed."""
    function()
    seconds = []
    for _ in range(_ROUNDS):
        begin = time.perf_counter()
        function()
        seconds.append(time.perf_counter() - begin)
    return min(seconds)
