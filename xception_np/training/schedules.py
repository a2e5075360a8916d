"""Learning rate schedules: what part of the peak rate to use at a moment of a run.

Progress is the larger of the fraction of steps and the fraction of time used up, so a run with a time limit ends its schedule
in time.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

from xception_np.errors import InputError
from xception_np.training.settings import Settings


class Moment(NamedTuple):
    """Where a run is.

    progress : float
        From 0 (start) to 1 (end), in the middle of the step.
    epochs : float
        Passes over the training pictures so far.
    samples : int
        Pictures trained on so far, each as often as it was.
    """

    progress: float
    epochs: float = 0.0
    samples: int = 0


Schedule = Callable[[Moment], float]


def constant(moment: Moment) -> float:
    """Always the peak rate."""
    return 1.0


def linear(moment: Moment) -> float:
    """Down in a straight line, to 0 at the end."""
    return 1 - moment.progress


def cosine(moment: Moment) -> float:
    """Down along half a cosine, to 0 at the end.

    Source: Loshchilov and Hutter, "SGDR" (arXiv 1608.03983), equation 5.
    """
    return 0.5 * (1 + math.cos(math.pi * moment.progress))


def every_epochs(factor: float, every: float) -> Schedule:
    """Times `factor` every so many epochs: 0.94 every 2 in the paper's ImageNet runs (section 4.2)."""
    return lambda moment: factor ** math.floor(moment.epochs / every)


def every_samples(factor: float, every: float) -> Schedule:
    """Times `factor` every so many samples: 0.9 every 3,000,000 in the paper's JFT runs (section 4.2)."""
    return lambda moment: factor ** math.floor(moment.samples / every)


def warmed_up(schedule: Schedule, warmup: float) -> Schedule:
    """Up in a straight line from 0 during `warmup`, a fraction of the run; the rest of the run is the schedule's 0 to 1."""
    if not 0 <= warmup < 1:
        raise InputError(f"warmup is {warmup!r}; expected a number, 0 <= warmup < 1")

    def factor(moment: Moment) -> float:
        if moment.progress < warmup:
            return moment.progress / warmup
        return schedule(moment._replace(progress=(moment.progress - warmup) / (1 - warmup)))

    return factor


def of(settings: Settings) -> Schedule:
    """The schedule that settings ask for."""
    found = {
        "constant": constant,
        "linear": linear,
        "cosine": cosine,
        "epochs": every_epochs(settings.decay_factor, settings.decay_every),
        "samples": every_samples(settings.decay_factor, settings.decay_every),
    }
    return warmed_up(found[settings.schedule], settings.warmup)
