"""Training a point once."""

import functools
import tempfile
import time
from pathlib import Path

from experiments.figures import CIFAR, Point
from experiments.networks import counts
from experiments.store import Measured
from xception_np import data, models
from xception_np.errors import InputError
from xception_np.training import Progress, Settings, Trainer, environment


@functools.cache
def load(source: str) -> data.Split:
    """A data set, read once."""
    return data.load(source)


def settings_of(point: Point, seed: int) -> Settings:
    """A point's settings with a seed, and no checkpoints within an epoch."""
    return point.settings.with_changes({"seed": seed, "save_seconds": 3600.0})


def train(point: Point, seed: int, figure: str, cifar: str) -> Measured:
    """Train a point with a seed, and measure it on the test pictures after every epoch.

    Parameters
    ----------
    figure : str
        Which figure it is for.
    cifar : str
        Where CIFAR-10 is.

    Raises
    ------
    InputError
        If something else is there.
    """
    begin = time.perf_counter()
    pictures, test = load(cifar if point.data == CIFAR else point.data)
    if pictures.name != point.data:
        raise InputError(f"data is {cifar}, which holds {pictures.name}; expected {CIFAR}")
    settings = settings_of(point, seed)
    model = models.from_table(point.table, len(pictures.classes), seed)
    accuracy: list[float] = []

    def watch(progress: Progress) -> None:
        if progress.step % len(trainer.loader) == 0:
            accuracy.append(trainer.evaluate(test).accuracy)

    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(model, pictures, settings, Path(folder) / "run")
        trainer.run(watch)
        losses = [progress.loss for progress in trainer.history]
    steps = len(trainer.loader)
    return Measured(
        point=point.name,
        line=point.line,
        x=point.x,
        seed=seed,
        model=point.table.name,
        data=point.data,
        settings=settings.to_json(),
        **counts(point.table)._asdict(),
        accuracy=accuracy,
        loss=[round(sum(losses[k : k + steps]) / steps, 5) for k in range(0, len(losses), steps)],
        seconds=round(time.perf_counter() - begin, 1),
        command=f"python -m experiments run {figure}",
        environment=environment.describe(),
    )


def seconds_a_step(point: Point, rounds: int = 5) -> float:
    """The least time of a training step, of some, after one that compiles."""
    source = data.glyphs.pictures(0.5, point.settings.batch * (rounds + 2))
    model = models.from_table(point.table, len(source.classes), 0)
    settings = point.settings.with_changes({"epochs": 1, "save_seconds": 3600.0})
    times: list[float] = []
    before = time.perf_counter()

    def watch(progress: Progress) -> None:
        nonlocal before
        times.append(time.perf_counter() - before)
        before = time.perf_counter()

    with tempfile.TemporaryDirectory() as folder:
        Trainer(model, source, settings, Path(folder) / "run", augmentation=data.Augmentation()).run(watch)
    return min(times[1:-1])
