"""The time that follows from what is counted and from three numbers of a machine.

    seconds of a pass = macs / peak + bytes moved / bandwidth + seconds of a call

Our loops fetch a tile into the cache, and then multiply it there: memory and multipliers take turns, so their times add up. The
roofline is what would be possible if neither ever waited for the other, the larger of the two times:

    multiply-adds a second <= min(peak, bandwidth * macs / bytes moved)

Nothing is fitted to any layer: where a prediction is wrong, the layer does something else than multiply at full speed or wait for
memory. A pool compares, which is not counted; a depthwise convolution reads some rows twice, at the edges of tiles; and 3x3
convolutions may need fewer multiplications than their formula has (`ops/winograd.py`), and lie above the roof.

Source: Williams, Waterman and Patterson, "Roofline: An Insightful Visual Performance Model", Communications of the ACM 52 (2009).
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from xception_np.cost.counting import Line
from xception_np.ops import spec
from xception_np.ops.spec import Cost


@dataclass(frozen=True)
class Machine:
    """Three constants of a machine, for so many threads as are in use.

    Parameters
    ----------
    peak : float
        Multiply-adds a second in a large matrix product, float32.
    bandwidth : float
        Bytes a second that are read and written by a pass over arrays that are in no cache.
    call : float
        Seconds of an operation that has next to nothing to do, in a network, where the one before has used the caches.

    Raises
    ------
    InputError
        If one of them is not a finite number, 1 or more; a call may take 0 seconds.
    """

    peak: float
    bandwidth: float
    call: float

    def __post_init__(self):
        spec.number("peak", self.peak, 1, math.inf, "multiply-adds a second, a number of 1 or more")
        spec.number("bandwidth", self.bandwidth, 1, math.inf, "bytes a second, a number of 1 or more")
        spec.number("call", self.call, 0, math.inf, "the seconds of a call, 0 or more")

    @property
    def ridge(self) -> float:
        """Multiply-adds per byte at which both take as long: below it memory takes longer."""
        return self.peak / self.bandwidth

    def at_best(self, again: Self) -> Self:
        """The better of each constant, measured twice: a machine that others use shows less than it can."""
        return type(self)(max(self.peak, again.peak), max(self.bandwidth, again.bandwidth), min(self.call, again.call))

    def seconds(self, cost: Cost) -> float:
        """Of one pass."""
        return cost.macs / self.peak + cost.bytes_moved / self.bandwidth + self.call


def predict(lines: Iterable[Line], machine: Machine, training: bool = False) -> dict[str, float]:
    """Seconds of every operation, by its name.

    Parameters
    ----------
    lines : what `count` returned
    machine : Machine
        Such as `measure()` returns.
    training : bool
        For a training step, forward and backward; otherwise at inference.
    """
    return {line.name: sum(map(machine.seconds, line.passes(training))) for line in lines}
