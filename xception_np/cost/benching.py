"""How long whole computations take: a training step, inference, one convolution of the spectrum.

timing = cost.timed(cost.training_step(models.build("xception_small"), x, labels))
timing.median, timing.faults        # seconds, and pages asked of the system
"""

import resource
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from xception_np import arrays, ops, threads
from xception_np.geometry import Geometry
from xception_np.layers import Step
from xception_np.models import Model, folding
from xception_np.ops import spec
from xception_np.training.optimizers import SGD

LEAST = 0.1  # seconds in a round at least: what is shorter is repeated


class Timing(NamedTuple):
    """What a computation took.

    median, fastest, slowest : seconds, over the rounds
    faults : pages that it had to ask the system for, median
    """

    median: float
    fastest: float
    slowest: float
    faults: float


def timed(compute: Callable[[], object], rounds: int = 9, place: str = arrays.NUMPY) -> Timing:
    """Time a computation where its arrays are, which is made twice before: once to compile, and once to see how long it takes."""
    return timed_in_turn([compute], rounds, place)[0]


def timed_in_turn(
    computations: Sequence[Callable[[], object]],
    rounds: int = 9,
    place: str = arrays.NUMPY,
    said: Callable[[str], object] | None = None,
) -> list[Timing]:
    """Time several computations as `timed` does, a round of each before the next round of any: all of them see the same machine.

    `said` is told which round it is, for who waits.
    """
    spec.positive("rounds", rounds)
    repeats = []
    for compute in computations:
        _lap(compute, 1, place)
        repeats.append(1 + int(LEAST / _lap(compute, 1, place)[0]))
    found: list[list[tuple[float, float]]] = [[] for _ in computations]
    for number in range(1, rounds + 1):
        if said:
            said(f"round {number} of {rounds}")
        for compute, count, laps in zip(computations, repeats, found, strict=True):
            if len(found) > 1:  # the caches are another's
                _lap(compute, 1, place)
            laps.append(_lap(compute, count, place))
    return [_summed_up(laps) for laps in found]


def _lap(compute: Callable[[], object], repeats: int, place: str) -> tuple[float, float]:
    """Seconds and page faults of one computation, of so many."""
    faults, begin = _faults(), time.perf_counter()
    for _ in range(repeats):
        compute()
    arrays.finish(place)
    return (time.perf_counter() - begin) / repeats, (_faults() - faults) / repeats


def _summed_up(laps: list[tuple[float, float]]) -> Timing:
    seconds, faults = zip(*laps, strict=True)
    return Timing(statistics.median(seconds), min(seconds), max(seconds), statistics.median(faults))


def peak_bytes() -> int:
    """The largest memory that this process had so far."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else 1024 * most


def training_step(model: Model, x: np.ndarray, labels: np.ndarray, rate: float = 0.1, momentum: float = 0.9) -> Callable[[], float]:
    """A step of training: forward, loss, backward, gradient descent with momentum; returns the loss."""
    optimizer = SGD(model.buffers, momentum)

    def step():
        model.zero_gradients()
        with threads.many_passes():
            logits, cache = model.forward(x, Step())
            loss, loss_cache = ops.softmax_cross_entropy.forward(logits, labels)
            model.learn(ops.softmax_cross_entropy.backward(1.0, loss_cache), cache)
        optimizer.step(rate)
        return loss

    return step


def inference(model: Model, x: np.ndarray) -> Callable[[], np.ndarray]:
    """Logits, batch normalisation folded into the kernels."""
    predictor = folding.folded(model)

    def logits():
        with threads.many_passes():
            return predictor.apply(x)

    return logits


def convolution(x: np.ndarray, weight: np.ndarray, dy: np.ndarray, segments: int) -> Callable[[], tuple]:
    """Both passes of a convolution in S segments, stride 1: (y, dx, dweight)."""

    def passes():
        with threads.many_passes():
            y, cache = ops.grouped_conv.forward(x, weight, Geometry(weight.shape[:2]), segments)
            return y, *ops.grouped_conv.backward(dy, cache)

    return passes


def _faults() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
