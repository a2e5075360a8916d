"""The training loop.

forward -> loss -> backward -> optimizer step, for every batch of every epoch, until the epochs or the minutes are over. Everything
that a step depends on is in `state.safetensors`, so a run that was killed goes on to the same bits.
"""

import json
import math
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np

from xception_np import arrays, data, threads
from xception_np.data import Augmentation, Batch, Loader, Pictures, Preprocessing, notation
from xception_np.errors import InputError
from xception_np.files import make_folder, remove_unfinished, replacing
from xception_np.layers import Dropout, Step
from xception_np.models import Model
from xception_np.training import checkpoints, environment, growing, interruption, optimizers, resources, runs, schedules, state
from xception_np.training.averaging import Average, averaged
from xception_np.training.descent import descend
from xception_np.training.evaluation import Evaluation, evaluate
from xception_np.training.history import History, Progress, Validation
from xception_np.training.locking import Lock
from xception_np.training.parallel import Alone, Lost, Processes
from xception_np.training.schedules import Moment
from xception_np.training.settings import Settings
from xception_np.training.views import View

Watch = Callable[[Progress], None]


class Trainer:
    """Trains a model on a data set and keeps a run folder.

    Parameters
    ----------
    model : Model
    train : Pictures
    settings : Settings
    folder : Path
        Created if need be; `run` replaces what a former run left there, unless `restore` was called to go on with it.
    augmentation : Augmentation, optional
        The one that suits the data set by default.
    preprocessing : Preprocessing, optional
        By default the one that gives the training pictures mean 0 and deviation 1; for a network that was trained before, its own.
    about : dict, optional
        More to say in config.json, in types that JSON has: the recipe's name, where the data came from.
    processes : Alone or Ranks, optional
        Those that train together, `parallel.start()`. The first one keeps the folder; the others write nothing.

    Attributes
    ----------
    reserve : float
        Seconds of the time limit that are not for steps: what was needed before them, and will be after them.

    Raises
    ------
    InputError
        If the settings do not fit the model or the data, or the folder cannot be made.

    Notes
    -----
    The folder gets

        config.json            model, data, settings: what the run was started with
        environment.json       versions and machine, for every start
        metrics.jsonl          a line a step
        validation.jsonl       a line an epoch, if pictures are set aside
        state.safetensors      what the next step depends on; to go on
        last.safetensors       the model as trained so far; to use
        averaged.safetensors   the model with averaged weights, at the end
        best.safetensors       the one that was best on the validation pictures
        run.lock               held by the process that writes here
    """

    def __init__(
        self,
        model: Model,
        train: Pictures,
        settings: Settings,
        folder: Path | str,
        *,
        augmentation: Augmentation | None = None,
        preprocessing: Preprocessing | None = None,
        about: dict[str, Any] | None = None,
        processes: Processes | None = None,
    ):
        self.model, self.settings, self.folder = model, settings, Path(folder)
        self.train, self.validation = _set_aside(train, settings)
        _check_dropout(model, settings.dropout)
        if model.classes != len(train.classes):
            raise InputError(
                f"model has {model.classes} outputs; expected {len(train.classes)}, one for each class of {train.name}"
            )
        self.preprocessing = Preprocessing.of(self.train) if preprocessing is None else preprocessing
        self.augmentation = Augmentation.of(train) if augmentation is None else augmentation
        self.augmentation.check_size(train.size)
        _check_sizes(model, train.size, settings)
        self.processes = processes or Alone()
        if settings.batch < self.processes.count:
            raise InputError(f"batch is {settings.batch}; expected at least {self.processes.count}, a picture for each process")
        self.loader = self._loader((self.processes.rank, self.processes.count), settings.batch)
        self.optimizer = optimizers.of(settings, model)
        self.schedule = schedules.of(settings)
        self.average = Average(model.buffers, settings.averaging) if settings.averaging else None
        self.about = about or {}
        self.lock: AbstractContextManager[object] = Lock(self.folder) if self.processes.first else nullcontext()
        self.reserve, self._touched, self._over = 0.0, False, False
        self.step, self.seconds, self.finished = 0, 0.0, False
        self._saved = -math.inf  # when this trainer last saved: never
        self.best_accuracy: float | None = None
        self._metrics = History(self.folder / "metrics.jsonl", Progress)
        self._validations = History(self.folder / "validation.jsonl", Validation)
        if self.processes.first:
            make_folder(self.folder)

    @property
    def steps(self) -> int:
        """Steps of the whole run, if no time limit ends it before."""
        return min(self.settings.epochs * len(self.loader), self.settings.steps or sys.maxsize)

    @property
    def history(self) -> list[Progress]:
        """All steps so far, those before a restart included."""
        return self._metrics.lines

    @property
    def validations(self) -> list[Validation]:
        """All measurements on the validation pictures so far."""
        return self._validations.lines

    @property
    def outcome(self) -> Path:
        """The checkpoint to use: the best one if pictures were set aside to choose it by, else the averaged one, else the last."""
        name = "best" if self.validation is not None else "averaged" if self.average is not None else "last"
        return self.folder / f"{name}.safetensors"

    def restore(self) -> None:
        """Take up the run in the folder where its last checkpoint left it.

        Raises
        ------
        InputError
            If there is none, it was started with another model, other data or other settings, or another process is at it.
        """
        with self.lock:
            self._restore(self.folder / "state.safetensors")

    def _restore(self, path: Path) -> None:
        facts = state.read_facts(path)
        mine = self._config()
        theirs = {"classes": mine["classes"], **facts.config}  # an older run did not write them down, and knew fewer settings
        theirs["settings"] = {**Settings().to_json(), **facts.config.get("settings", {})}
        differing = sorted(name for name in mine.keys() | theirs.keys() if mine.get(name) != theirs.get(name))
        if differing:
            name = differing[0]
            raise InputError(f"{name} is {mine.get(name)} but {theirs.get(name)} in the run {self.folder}; expected the same")
        state.restore(path, self._arrays())
        self._over = False
        _, self.step, self.seconds, self.finished, self.best_accuracy = facts

    def run(self, watch: Watch = lambda progress: None) -> None:
        """Train until the epochs or the minutes are over; then the model has the weights of `outcome`.

        Ctrl-C and SIGTERM end the step under way, save, and raise KeyboardInterrupt. Of many processes the first one measures,
        saves, watches and has the weights of `outcome`; the others end with those that were trained last.

        Parameters
        ----------
        watch : function of Progress, called after every step

        Raises
        ------
        InputError
            If a number is no longer finite (training on would be for nothing), a file cannot be written, the folder holds what
            no run wrote, or another process is at it.
        Lost
            If another process does not answer; what the last common step led to is saved.
        """
        if self.optimizer.buffers is not self.model.buffers:
            raise InputError("model has other buffers than when its trainer was made; expected it to be moved before that")
        self.processes.require_same({**self.settings.to_json(), **self._config(), "step": self.step})
        self.reserve = float(self.processes.words(repr(self.reserve))[0])  # the first one's clock is the one that counts
        with self.lock:
            self._run(watch)

    def _run(self, watch: Watch) -> None:
        self.processes.all(self._open_folder if self.processes.first else lambda: None)
        with interruption.deferred() as interrupted, threads.many_passes():
            self._train(watch, interrupted)
            if self.processes.first and interrupted():  # after the last step was taken: it is saved, too
                raise KeyboardInterrupt
        if not self.processes.first:
            return
        if self.average is not None:
            with self._weights_to_use():
                self._save_model("averaged")
        if self.outcome.stem != "last":
            checkpoints.load_weights(self.outcome, self.model)
            self._over = True  # the state in the folder is that of other weights

    def _open_folder(self) -> None:
        """Make the folder what it was at the step to go on from."""
        runs.check_free(self.folder)
        remove_unfinished(self.folder, runs.FILES)
        if self.step == 0:
            self._start_folder()
        self._metrics.cut(self.step)
        self._validations.cut(self.step)
        if len(self.history) != self.step:
            raise InputError(f"{self.folder}/metrics.jsonl has {len(self.history)} steps; expected {self.step}, as the state")
        self.best_accuracy = max((line.accuracy for line in self.validations), default=None)
        environment.record(self.folder / "environment.json", self.step, self.processes.count)

    def evaluate(self, dataset: Pictures, views: tuple[View, ...] = ()) -> Evaluation:
        """How good the model is on other pictures, prepared as those it was trained on; as they are, and over further views."""
        return evaluate(self.model, dataset, self.preprocessing, self.settings.batch, views)

    def save(self) -> Path:
        """Write `last.safetensors` and the state to go on from; returns the former's path.

        The state is written last: it must not be ahead of any other file, for `restore` takes these back to it. After a run that
        has given the model the weights of `outcome`, everything is written already.
        """
        if self._over:
            return self.folder / "last.safetensors"
        self._metrics.sync()
        self._validations.sync()
        path = self._save_model("last")
        self._save_state()
        return path

    def _train(self, watch: Watch, interrupted: Callable[[], bool]) -> None:
        before = time.perf_counter()
        begin = before - self.seconds
        self.processes.begin(
            self.model.buffers, lambda: time.perf_counter() - begin, interrupted, not self.settings.statistics_stay
        )
        if self.step and self.validation is not None and self._epoch_is_over():
            if self.processes.first and max((line.step for line in self.validations), default=0) < self.step:
                self._validate(self.validation)  # what a kill prevented
                self.save()
            self.processes.meet()
        if self.finished:
            return
        for (x, labels), waited in resources.timed(self._batches()):
            try:
                progress, stop = self._advance(x, labels, before, waited)
            except Lost:
                if self.processes.first:
                    self.save()
                raise
            if self.processes.first:
                self._keep(progress, stop, watch)
            if stop or (self.validation is not None and self._epoch_is_over()):
                self.processes.meet()  # the launcher may end all when the first one leaves: not before all is measured and saved
            if stop:
                raise KeyboardInterrupt
            if self.finished:
                return
            before = time.perf_counter()

    def _batches(self) -> Iterator[Batch]:
        """Of all steps that are left. What has been learnt is kept where a picture cannot be read."""
        try:
            yield from self.loader.steps(self.step, self.steps)
        except Exception:
            if self.processes.first:
                self.save()
            raise

    def _keep(self, progress: Progress, stop: bool, watch: Watch) -> None:
        """Write down what a step was, measure and save where it is time, and show it."""
        self._metrics.append(progress)
        if self._epoch_is_over() and self.validation is not None:
            self.save()  # a kill while the model is measured costs no step
            self._validate(self.validation)
        if self._epoch_is_over() or stop or self._due():
            self.save()
            self._saved = time.perf_counter()
        try:
            watch(progress)
        except BaseException:  # whatever it is: between two steps, what has been learnt is whole and is kept
            self.save()
            raise

    def _epoch_is_over(self) -> bool:
        return self.finished or self.step % len(self.loader) == 0

    def _advance(self, x, labels, before: float, waited: float) -> tuple[Progress, bool]:
        """Take a step; say where the run is after it, and whether it is to stop."""
        limit = math.inf if self.settings.minutes is None else max(60 * self.settings.minutes - self.reserve, 1)
        middle = (self.step + 0.5) / self.steps  # of the step: a run of one has a rate, too
        done = min(1.0, max(middle, self.seconds / limit))  # a slow start may have left less time than was used
        moment = Moment(done, self.step / len(self.loader), self.step * self.settings.batch)
        rate = self.settings.rate * self.schedule(moment)
        x = self._grown(x, done)
        step = Step(self.settings.seed, self.step, self.processes.rank, self.settings.statistics_stay)
        total = descend(self.model, self.optimizer, self.settings, x, labels, step, rate, self.processes)
        self.step, self.seconds = self.step + 1, total.seconds
        self.finished = self.step >= self.steps or self.seconds >= limit
        if self.average is not None:
            self.average.update(self.step)
        progress = Progress(
            step=self.step,
            epoch=self.step / len(self.loader),
            loss=total.loss,
            accuracy=total.accuracy,
            rate=rate,
            images_per_second=self.settings.batch / (time.perf_counter() - before),
            seconds=self.seconds,
            seconds_left=min(self.seconds / self.step * (self.steps - self.step), max(limit - self.seconds, 0)),
            waited=waited,
            memory=resources.memory(),
            allreduce=total.waited,
        )
        return progress, total.stop

    def _grown(self, x: np.ndarray, done: float) -> np.ndarray:
        """Pictures of the size that this part of the run has."""
        size = growing.size(x.shape[1], self.settings.grow_from, self.settings.grow_until, done)
        if not self._touched and size < x.shape[1]:
            self._touch(x)
        return growing.shrunk(x, size)

    def _touch(self, x: np.ndarray) -> None:
        """Both passes at full size, without a trace: memory has its final size then, not only when the pictures have theirs."""
        model = self.model
        with model.with_buffers(moving=model.buffers.moving.copy()):
            logits, cache = model.forward(arrays.moved(x, model.place), Step(self.settings.seed))
            model.learn(logits, cache)  # as good as any dy: a step begins with gradients of 0
        self._touched = True

    def _due(self) -> bool:
        """Whether it is time for a checkpoint: the first step's shows at once whether it can be written."""
        steps, seconds = self.settings.save_steps, self.settings.save_seconds
        return (steps > 0 and self.step % steps == 0) or time.perf_counter() - self._saved >= seconds

    def _validate(self, pictures: Pictures) -> None:
        """Measure the model to use on the validation pictures, and keep it if it is the best so far."""
        with self._weights_to_use():
            result = self.evaluate(pictures)
            if self.best_accuracy is None or result.accuracy > self.best_accuracy:
                self.best_accuracy = result.accuracy
                self._save_model("best")
        epoch = self.step / len(self.loader)
        self._validations.append(Validation(self.step, epoch, result.loss, result.accuracy, self.seconds))

    def _weights_to_use(self) -> AbstractContextManager[None]:
        if self.average is None:
            return nullcontext()
        if self.settings.statistics_stay:
            return averaged(self.model, self.average, None)
        alone = self._loader((0, 1), max(1, self.settings.batch // self.processes.count))  # as many as it normalised together
        return averaged(self.model, self.average, alone)

    def _loader(self, share: tuple[int, int], batch: int) -> Loader:
        """What this process takes of every batch, or with the share (0, 1) all of it."""
        return Loader(self.train, batch, self.preprocessing, self.augmentation, self.settings.seed, share=share)

    def _save_model(self, name: str) -> Path:
        path = self.folder / f"{name}.safetensors"
        facts = {
            "data": self.train.name,
            "steps": self.step,
            "epochs": self.step / len(self.loader),
            "seed": self.settings.seed,
            "mirrored": self.augmentation.mirrors,
        }
        checkpoints.save(path, checkpoints.Checkpoint(self.model, self.train.classes, self.preprocessing, facts))
        return path

    def _save_state(self) -> None:
        facts = state.Facts(self._config(), self.step, self.seconds, self.finished, self.best_accuracy)
        state.save(self.folder / "state.safetensors", facts, self._arrays())

    def _arrays(self) -> dict[str, np.ndarray]:
        """Everything that the next step depends on, as flat vectors."""
        average = {} if self.average is None else self.average.state
        return {"values": self.model.buffers.values, "moving": self.model.buffers.moving, **self.optimizer.state, **average}

    def _config(self) -> dict[str, Any]:
        """What must be the same for a run to go on to the same bits."""
        return {
            "model": self.model.name,
            "data": self.train.name,
            "images": len(self.train),
            "classes": list(self.train.classes),
            "preprocessing": self.preprocessing.to_json(),
            "augmentation": notation.write(self.augmentation),
            "settings": self.settings.to_json(),
        }

    def _start_folder(self) -> None:
        """Remove what a former run left, its state first, and write down what this one starts with."""
        for name in ("state", "last", "averaged", "best"):
            (self.folder / f"{name}.safetensors").unlink(missing_ok=True)
        for name in ("environment.json", "result.json", *(f"{name}.png" for name in runs.PICTURES)):
            (self.folder / name).unlink(missing_ok=True)
        shutil.rmtree(self.folder / runs.TENSORBOARD, ignore_errors=True)
        with replacing(self.folder / "config.json") as temporary:
            temporary.write_text(json.dumps({**self.about, **self._config()}, indent=2) + "\n")
        self._save_state()


def _set_aside(train: Pictures, settings: Settings) -> tuple[Pictures, Pictures | None]:
    """The pictures to train on, at least a batch of them, and those to choose by."""
    if settings.validation >= len(train):
        raise InputError(f"validation is {settings.validation}; expected fewer pictures than there are to train on, {len(train)}")
    rest = len(train) - settings.validation
    if rest < settings.batch:
        aside = f", of which validation sets {settings.validation} aside" if settings.validation else ""
        raise InputError(f"batch is {settings.batch}; expected at most the number of pictures to train on, {len(train)}{aside}")
    return data.hold_out(train, settings.validation, settings.seed) if settings.validation else (train, None)


def _check_sizes(model: Model, size: int, settings: Settings) -> None:
    """InputError if the network does not take pictures of this size, or of that with which they begin to grow."""
    first = growing.size(size, settings.grow_from, settings.grow_until, 0)
    for side in (size, first):
        try:
            model.output_shape((1, side, side, 3))
        except InputError as error:
            grown = "" if side == size else f", with which they begin where grow_from is {settings.grow_from}"
            raise InputError(f"{model.name} does not take pictures of {side} pixels{grown}: {error}") from error


def _check_dropout(model: Model, rate: float) -> None:
    """A network has its dropout from when it was built; a recipe's must not be lost in silence."""
    found = next((layer.rate for layer in model.layers if isinstance(layer, Dropout)), 0.0)
    if found != rate:
        raise InputError(f"dropout is {rate}; expected {found}, that of the network {model.name}")
