"""The three constants of this machine, measured."""

import statistics
import time
from collections.abc import Callable

import numpy as np

from xception_np import arrays, ops, threads
from xception_np.cost.roofline import Machine

_SIDE = 1024  # of the matrices that are multiplied: so large that BLAS is at its best
_FAR = 2**24  # numbers in an array that is in no cache: 64 MiB
_CALLS = 200  # of the smallest operation, measured together
_ROUNDS = 7


def measure() -> Machine:
    """The constants of this machine for the threads in use, each the median over a few rounds; takes a second or two."""
    with threads.many_passes():
        return Machine(_peak(), _bandwidth(), _call())


def _peak() -> float:
    """Every thread multiplies matrices of its own."""
    a, b = (np.full((_SIDE, _SIDE), value, np.float32) for value in (1, 0.5))
    products = [arrays.empty((_SIDE, _SIDE), np.float32) for _ in range(threads.count())]
    seconds = _median(lambda: threads.for_tiles(lambda y: np.matmul(a, b, out=y), products))
    return len(products) * _SIDE**3 / seconds


def _bandwidth() -> float:
    """y = 2 * x, a number read for each that is written."""
    x, y = (np.ones(_FAR, np.float32) for _ in range(2))
    seconds = _median(lambda: threads.for_spans(lambda x, y: np.multiply(x, np.float32(2), out=y), x, y))
    return (x.nbytes + y.nbytes) / seconds


def _call() -> float:
    """The ReLU of one number, checks and all."""
    x = np.ones(1, np.float32)

    def calls():
        for _ in range(_CALLS):
            ops.relu.forward(x)

    return _median(calls) / _CALLS


def _median(function: Callable[[], object]) -> float:
    """Seconds of a call: the median over rounds, after one that is not timed."""
    function()
    seconds = []
    for _ in range(_ROUNDS):
        begin = time.perf_counter()
        function()
        seconds.append(time.perf_counter() - begin)
    return statistics.median(seconds)
