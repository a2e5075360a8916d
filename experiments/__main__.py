"""The command: train what is missing of a figure, or say how long that will take."""

import time
from typing import Annotated

import typer

from experiments import figures, store, training
from experiments.figures import FIGURES, SEEDS, Point
from xception_np.errors import InputError, in_a_sentence
from xception_np.training import Settings

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, help=__doc__)
_PICTURES = {figures.CIFAR: (50_000, 10_000), figures.GLYPHS: (8000, 2000)}
_FORWARD = 1 / 3  # of a training step's time


@app.command()
def run(
    figure: Annotated[str, typer.Argument(help=f"One of {', '.join(FIGURES)}, or 'all'.")],
    data: Annotated[
        str, typer.Option(help="CIFAR-10's binary version, a directory or an archive; 'cifar10' downloads it.")
    ] = "cifar10",
    minutes: Annotated[float | None, typer.Option(help="Begin no training after this time.")] = None,
    seeds: Annotated[int, typer.Option(min=1, max=len(SEEDS), help="How many seeds; one first shows the outline.")] = len(SEEDS),
) -> None:
    """Train what is missing, one training after another; what is there already is left alone."""
    end = None if minutes is None else time.monotonic() + 60 * minutes
    for name in _chosen(figure):
        left = missing(name, seeds)
        if not left:
            print(f"{name}: nothing is missing", flush=True)
        for seed, point in left:
            if end is not None and time.monotonic() > end:
                return
            found = known(point, seed) or training.train(point, seed, name, data)
            store.add(name, found)
            print(f"{name}: {point.name}, seed {seed}: {found.accuracy[-1]:.2%} in {found.seconds:.0f} s", flush=True)


@app.command()
def estimate(figure: Annotated[str, typer.Argument(help="A figure, or 'all'.")] = "all") -> None:
    """Time a step of every network that is still to be trained, and say how long all of it will take on this machine."""
    total, speeds, counted = 0.0, {}, []
    for name in _chosen(figure):
        seconds, trainings = 0.0, 0
        for seed, point in missing(name, len(SEEDS)):
            if known(point, seed) or (training_of := _training(point, seed)) in counted:
                continue
            counted.append(training_of)
            trainings += 1
            if point.table.name not in speeds:
                step = training.seconds_a_step(point)
                speeds[point.table.name] = point.settings.batch / step
                print(f"{point.table.name:<50}{1e3 * step:>9.1f} ms a step{speeds[point.table.name]:>9,.0f} pictures/s", flush=True)
            train, test = _PICTURES[point.data.partition(":")[0]]
            seconds += point.settings.epochs * (train + _FORWARD * test) / speeds[point.table.name]
        print(f"{name}: {trainings} trainings, {seconds / 60:.0f} minutes", flush=True)
        total += seconds
    print(f"together {total / 60:.0f} minutes")


def known(point: Point, seed: int) -> store.Measured | None:
    """The same network, trained in the same way for another figure: it need not be trained again."""
    entries = (found for figure in FIGURES for found in store.read(figure))
    wanted = _training(point, seed)
    found = next((found for found in entries if (found.model, found.data, Settings(**found.settings)) == wanted), None)
    return found and found._replace(point=point.name, line=point.line, x=point.x)


def _training(point: Point, seed: int) -> tuple[str, str, Settings]:
    """What is trained on what, and how: the same for some points of several figures."""
    return point.table.name, point.data, training.settings_of(point, seed)


def missing(figure: str, seeds: int) -> list[tuple[int, Point]]:
    """What is still to be trained: a seed of all points before the next, so that what is there first is an outline of the whole."""
    done = {(found.point, found.seed) for found in store.read(figure)}
    return [(seed, point) for seed in SEEDS[:seeds] for point in FIGURES[figure]() if (point.name, seed) not in done]


def _chosen(figure: str) -> list[str]:
    if figure == "all":
        return list(FIGURES)
    if figure not in FIGURES:
        raise InputError(f"figure is {figure!r}; expected one of {', '.join(FIGURES)}, or all")
    return [figure]


if __name__ == "__main__":
    with in_a_sentence():
        app()
