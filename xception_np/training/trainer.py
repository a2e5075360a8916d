"""The training loop.

forward -> loss -> backward -> optimizer step, for every batch of every epoch, until the epochs or the minutes are over.
"""

import json
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

from xception_np import ops
from xception_np.data import Augmentation, Dataset, Loader, Preprocessing
from xception_np.errors import InputError
from xception_np.layers import Step
from xception_np.models import Model
from xception_np.training import checkpoints, schedules
from xception_np.training.evaluation import Evaluation, evaluate
from xception_np.training.files import make_folder, replacing
from xception_np.training.optimizers import SGD


@dataclass(frozen=True)
class Settings:
    """How to train.

    Attributes
    ----------
    epochs : int
        Passes over the training pictures.
    minutes : float or None
        End after this time, compilation included, if the epochs are not over before.
    batch : int
        Pictures in a step.
    rate : float
        Peak learning rate.
    momentum : float
        Of SGD.
    label_smoothing : float
        Part of the target that is spread over all classes.
    warmup : float
        Fraction of the run in which the rate rises to its peak; then it falls along a cosine.
    seed : int
        Of everything random.
    """

    epochs: int = 10
    minutes: float | None = None
    batch: int = 128
    rate: float = 0.1
    momentum: float = 0.9
    label_smoothing: float = 0.0
    warmup: float = 0.1
    seed: int = 0

    def __post_init__(self):
        if not isinstance(self.epochs, int) or self.epochs < 1:
            raise InputError(f"epochs is {self.epochs!r}; expected a number of passes over the data, 1 or more")
        if self.minutes is not None and not self.minutes > 0:
            raise InputError(f"minutes is {self.minutes!r}; expected a time limit > 0")
        if not (math.isfinite(self.rate) and self.rate > 0):
            raise InputError(f"lr is {self.rate!r}; expected a learning rate > 0")


class Progress(NamedTuple):
    """Where a run is after a step; one line of metrics.jsonl."""

    step: int
    epoch: float
    loss: float
    accuracy: float
    rate: float
    images_per_second: float
    seconds: float
    seconds_left: float


class Trainer:
    """Trains a model on a data set and keeps a run folder.

    Parameters
    ----------
    model : Model
    train : Dataset
    settings : Settings
    folder : Path
        Gets `config.json`, `metrics.jsonl` and `last.safetensors`. Created if need be.
    """

    def __init__(self, model: Model, train: Dataset, settings: Settings, folder: Path):
        self.model, self.train, self.settings, self.folder = model, train, settings, make_folder(Path(folder))
        self.preprocessing = Preprocessing.of(train)
        self.loader = Loader(train, settings.batch, self.preprocessing, Augmentation.of(train), settings.seed)
        self.optimizer = SGD(model.buffers, settings.momentum)
        self.schedule = schedules.cosine(settings.warmup)
        self.history: list[Progress] = []
        config = {"model": model.name, "data": train.name, "images": len(train), **asdict(settings)}
        with replacing(self.folder / "config.json") as temporary:
            temporary.write_text(json.dumps(config, indent=2) + "\n")

    @property
    def steps(self) -> int:
        """Steps of the whole run, if no time limit ends it."""
        return self.settings.epochs * len(self.loader)

    def run(self, watch: Callable[[Progress], None] = lambda progress: None) -> None:
        """Train until the epochs or the minutes are over, and save a checkpoint after every epoch and at the end.

        Parameters
        ----------
        watch : function of Progress, called after every step

        Raises
        ------
        InputError
            If the loss is no longer finite: training on would be for nothing.
        """
        begin = time.perf_counter()
        limit = math.inf if self.settings.minutes is None else self.settings.minutes * 60
        with open(self.folder / "metrics.jsonl", "w", buffering=1) as metrics:
            try:
                for progress in self._steps(begin, limit):
                    self.history.append(progress)
                    metrics.write(json.dumps(progress._asdict()) + "\n")
                    watch(progress)
                    if progress.step % len(self.loader) == 0:
                        self.save()
            finally:  # also on Ctrl-C: what has been learnt is kept
                if self.history and math.isfinite(self.history[-1].loss):
                    self.save()

    def evaluate(self, dataset: Dataset) -> Evaluation:
        """How good the model is on other pictures, prepared as those it was trained on."""
        return evaluate(self.model, dataset, self.preprocessing, self.settings.batch)

    def save(self) -> Path:
        """Write `last.safetensors`; returns its path."""
        path = self.folder / "last.safetensors"
        last = self.history[-1]
        facts = {"data": self.train.name, "steps": last.step, "epochs": last.epoch, "seed": self.settings.seed}
        checkpoints.save(path, checkpoints.Checkpoint(self.model, self.train.classes, self.preprocessing, facts))
        return path

    def _steps(self, begin: float, limit: float):
        step, fraction = 0, 0.0
        before = begin
        for epoch in range(self.settings.epochs):
            for x, labels in self.loader.epoch(epoch):
                rate = self.settings.rate * self.schedule(fraction)
                loss, accuracy = self._step(x, labels, step, rate)
                step += 1
                now = time.perf_counter()
                fraction = max(step / self.steps, (now - begin) / limit)
                yield Progress(
                    step=step,
                    epoch=step / len(self.loader),
                    loss=loss,
                    accuracy=accuracy,
                    rate=rate,
                    images_per_second=len(x) / (now - before),
                    seconds=now - begin,
                    seconds_left=min((now - begin) / step * (self.steps - step), max(limit - (now - begin), 0)),
                )
                if not math.isfinite(loss):
                    raise InputError(
                        f"the loss is {loss} at step {step}: training was stopped; try a learning rate below {self.settings.rate}"
                    )
                if fraction >= 1:
                    return
                before = time.perf_counter()

    def _step(self, x, labels, number: int, rate: float) -> tuple[float, float]:
        """One step of gradient descent: loss and accuracy on this batch, before it."""
        model, smoothing = self.model, self.settings.label_smoothing
        model.zero_gradients()
        logits, cache = model.forward(x, Step(self.settings.seed, number))
        loss, loss_cache = ops.softmax_cross_entropy.forward(logits, labels, smoothing)
        dlogits = ops.softmax_cross_entropy.backward(1.0, loss_cache)
        model.backward(dlogits, cache)
        self.optimizer.step(rate)
        return loss, float((logits.argmax(axis=1) == labels).mean())
