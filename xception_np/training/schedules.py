"""Learning rate schedules: what part of the peak rate to use, as a function of progress from 0 (start) to 1 (end).

Progress is the larger of the fraction of steps and the fraction of time used up, so a run with a time limit ends its schedule
in time.
"""

import math
from collections.abc import Callable

from xception_np.errors import InputError

Schedule = Callable[[float], float]


def constant(progress: float) -> float:
    """Always the peak rate."""
    return 1.0


def cosine(warmup: float = 0.1) -> Schedule:
    """Up in a straight line from 0 during `warmup`, a fraction of the run; then down along half a cosine, to 0.

    Source of the cosine: Loshchilov and Hutter, arXiv 1608.03983.
    """
    if not 0 <= warmup < 1:
        raise InputError(f"warmup is {warmup!r}; expected a fraction of the run, 0 <= warmup < 1")

    def factor(progress: float) -> float:
        if progress < warmup:
            return progress / warmup
        return 0.5 * (1 + math.cos(math.pi * (progress - warmup) / (1 - warmup)))

    return factor
