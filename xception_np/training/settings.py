"""How to train: every number that a recipe fixes and an option can change."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

import numpy as np

from xception_np.errors import InputError, is_whole
from xception_np.random import check_seed

OPTIMIZERS = ("sgd", "rmsprop", "muon")
_MOST = 1e18  # far beyond what makes sense, and within what can be calculated with
SCHEDULES = ("constant", "linear", "cosine", "epochs", "samples")


@dataclass(frozen=True)
class Settings:
    """How to train.

    Attributes
    ----------
    epochs : int
        Passes over the training pictures.
    minutes : float or None
        End after this time, if the epochs are not over before; the command line counts everything that it does.
    steps : int or None
        End after so many steps, if nothing else ends the run before.
    batch : int
        Pictures in a step.
    optimizer : str
        `sgd`, `rmsprop` or `muon`.
    rate : float
        Peak learning rate; with `muon`, of what does not turn.
    momentum : float
        Of any optimizer, 0 <= momentum < 1.
    nesterov : bool
        Look ahead along the velocity; not for `rmsprop`.
    angle : float
        By which a matrix turns in a step at the peak of the schedule, in radians, 0 < angle < 1; `muon` only.
    weight_decay : float
        L2 coefficient of kernels: their gradient grows by it times the kernel. Biases and batch normalisation have none, nor what
        keeps its length, with `muon`.
    decay_depthwise : bool
        Whether depthwise kernels decay too.
    clip : float
        Largest global norm of a gradient; 0 for no limit.
    schedule : str
        `constant`, `linear` or `cosine` (down to 0 at the end of the run); `epochs` or `samples` (in stages).
    warmup : float
        Fraction of the run in which the rate rises from 0 to its peak.
    decay_factor, decay_every : float
        Of the schedules in stages: the rate is multiplied by the factor every so many epochs, or samples.
    grow_from : float
        Side of the pictures at the start of the run, as a part of the full one, rounded to eighths; 1 for full size from the start.
    grow_until : float
        Fraction of the run in which pictures grow, in steps of an eighth of their full size: the last step comes before it is over.
    label_smoothing : float
        Part of the target that is spread over all classes.
    dropout : float
        Probability that a feature is left out before the last layer.
    averaging : float
        What is kept of the average of the weights at a step; 0 for no averaging.
    validation : int
        Training pictures that are not trained on but used to choose the best checkpoint; 0 to keep none.
    backbone_rate : float
        Learning rate of all layers but the last, as a part of the learning rate; 0 leaves them as they are.
    frozen_norm : bool
        Whether batch normalisation uses its moving statistics, and leaves them, while everything else learns.
    save_seconds : float
        A checkpoint is written at least this often, between epochs too.
    save_steps : int
        A checkpoint is written every so many steps; 0 for no such rule.
    seed : int
        Of everything random.

    Raises
    ------
    InputError
        If a value makes no sense, or two do not go together.
    """

    epochs: int = 10
    minutes: float | None = None
    steps: int | None = None
    batch: int = 128
    optimizer: str = "sgd"
    rate: float = 0.1
    momentum: float = 0.9
    nesterov: bool = False
    angle: float = 0.1
    weight_decay: float = 0.0
    decay_depthwise: bool = True
    clip: float = 0.0
    schedule: str = "cosine"
    warmup: float = 0.1
    decay_factor: float = 0.94
    decay_every: float = 2
    grow_from: float = 1.0
    grow_until: float = 0.0
    label_smoothing: float = 0.0
    dropout: float = 0.0
    averaging: float = 0.0
    validation: int = 0
    backbone_rate: float = 1.0
    frozen_norm: bool = False
    save_seconds: float = 300.0
    save_steps: int = 0
    seed: int = 0

    def __post_init__(self):
        for name, value in asdict(self).items():
            if isinstance(value, np.generic):
                object.__setattr__(self, name, value.item())  # Python's own, which files can hold
        _whole("epochs", self.epochs, 1, "a number of passes over the data, 1 or more")
        if self.minutes is not None:
            _positive("minutes", self.minutes, "a time limit > 0")
        if self.steps is not None:
            _whole("steps", self.steps, 1, "a number of steps, 1 or more")
        _whole("batch", self.batch, 1, "a number of pictures, 1 or more")
        _choice("optimizer", self.optimizer, OPTIMIZERS)
        _positive("lr", self.rate, "a learning rate > 0")
        _fraction("momentum", self.momentum)
        _flag("nesterov", self.nesterov)
        _number("angle", self.angle, 0 < self.angle < 1, "an angle in radians, 0 < angle < 1")
        if self.optimizer == "muon" and math.isinf(self.angle / self.rate):
            raise InputError(f"lr is {self.rate}; expected a larger learning rate, for angle / lr is no number")
        _fraction("weight_decay", self.weight_decay)
        _flag("decay_depthwise", self.decay_depthwise)
        _number("clip", self.clip, self.clip >= 0, "the largest norm of a gradient, or 0 for no limit")
        _choice("schedule", self.schedule, SCHEDULES)
        _fraction("warmup", self.warmup)
        _number("decay_factor", self.decay_factor, 0 < self.decay_factor <= 1, "a factor, 0 < decay_factor <= 1")
        _number("decay_every", self.decay_every, self.decay_every >= 1e-6, "a number of epochs or samples, 1e-6 or more")
        _number(
            "grow_from",
            self.grow_from,
            0.1 <= self.grow_from < 15 / 16 or self.grow_from == 1,
            "a part of the pictures' side from 0.1 on that is less than 8 eighths when rounded to them, or 1",
        )
        _fraction("grow_until", self.grow_until)
        _fraction("label_smoothing", self.label_smoothing)
        _fraction("dropout", self.dropout)
        _fraction("averaging", self.averaging)
        _whole("validation", self.validation, 0, "a number of training pictures, 0 or more")
        _number("backbone_rate", self.backbone_rate, 0 <= self.backbone_rate <= 1, "a part of the learning rate, 0 to 1")
        _flag("frozen_norm", self.frozen_norm)
        _positive("save_seconds", self.save_seconds, "a number of seconds > 0")
        _whole("save_steps", self.save_steps, 0, "a number of steps, 0 or more")
        check_seed(self.seed)
        if self.grow_from < 1 and self.grow_until == 0:
            raise InputError(f"grow_until is 0; expected a part of the run, as grow_from is {self.grow_from}, or a grow_from of 1")
        if self.nesterov and (self.optimizer == "rmsprop" or self.momentum == 0):
            raise InputError("nesterov is True; expected it only with the optimizers sgd and muon, and a momentum > 0")
        if self.optimizer == "muon" and self.frozen_norm and self.backbone_rate > 0:
            raise InputError(
                "frozen_norm is True; expected it only with sgd and rmsprop, or a backbone that stays: where statistics are fixed, "
                "the length of a matrix counts, and muon keeps it"
            )

    def unused(self) -> dict[str, str]:
        """The settings that change nothing beside the others, and what each goes with."""
        found = {}
        if self.optimizer != "muon":
            found["angle"] = "the optimizer muon"
        if self.schedule not in ("epochs", "samples"):
            found |= dict.fromkeys(("decay_factor", "decay_every"), "the schedules epochs and samples")
        if self.grow_from == 1:
            found["grow_until"] = "a grow_from below 1"
        return found

    @property
    def statistics_stay(self) -> bool:
        """Whether batch normalisation uses its moving statistics, and leaves them: as asked for, or since no layer there learns."""
        return self.frozen_norm or self.backbone_rate == 0

    def with_changes(self, changes: Mapping[str, Any]) -> "Settings":
        """These settings, some replaced; InputError if one does not exist."""
        names = [field.name for field in fields(self)]
        unknown = sorted(changes.keys() - set(names))
        if unknown:
            raise InputError(f"setting is {unknown[0]!r}; expected one of {', '.join(names)}")
        try:
            return replace(self, **changes)
        except TypeError as error:  # a word where a number should be
            raise InputError(f"settings are {dict(changes)}; expected numbers where their descriptions say so") from error

    def to_json(self) -> dict[str, Any]:
        """All fields by name, in types that JSON has."""
        return asdict(self)


def _number(name: str, value, fits: bool, expected: str) -> None:
    if not fits:
        raise InputError(f"{name} is {value!r}; expected {expected}")
    if abs(value) >= _MOST:
        raise InputError(f"{name} is {value!r}; expected {expected}, less than {_MOST:g}")


def _positive(name: str, value, expected: str) -> None:
    _number(name, value, value > 0, expected)


def _fraction(name: str, value) -> None:
    _number(name, value, 0 <= value < 1, f"a number, 0 <= {name} < 1")


def _whole(name: str, value, low: int, expected: str) -> None:
    _number(name, value, is_whole(value) and value >= low, expected)


def _flag(name: str, value) -> None:
    if not isinstance(value, bool):
        raise InputError(f"{name} is {value!r}; expected True or False")


def _choice(name: str, value, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise InputError(f"{name} is {value!r}; expected one of {', '.join(choices)}")
