"""What does each ingredient of the `cifar` recipe gain?

    python benchmarks/ingredients.py --data cifar-10-binary.tar.gz --minutes 10

Trains once by the recipe, and once for each of its ingredients with that one left out or changed, all for the same time, on
CIFAR-10's training pictures less 5,000 that are held out to compare by. The test pictures are not read. A table at the end, and a
line of JSON for each run as it ends. Runs differ by a few tenths of a percent from seed to seed: several seeds say how much.

Several runs at once (`--at-once 2`), each with its share of the cores, take more steps together than one after the other.
"""

import json
import tempfile
import time
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from multiprocessing import get_context
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from xception_np import data, models, threads
from xception_np.data import notation
from xception_np.errors import InputError, in_a_sentence
from xception_np.training import Trainer, ahead, recipe

HELD_OUT = 5000

# What is changed, and to what; nothing for the recipe itself.
CHANGES: dict[str, dict] = {
    "the recipe": {},
    "pictures of full size from the start": {"grow_from": 1.0},
    "no label smoothing": {"label_smoothing": 0.0},
    "no averaging of weights": {"averaging": 0.0},
    "no weight decay": {"weight_decay": 0.0},
    "weight decay of depthwise kernels too": {"decay_depthwise": True},
    "plain momentum": {"nesterov": False},
    "SGD for matrices, too": {"optimizer": "sgd", "rate": 0.4, "momentum": 0.9},
    "half the angle": {"angle": recipe("cifar").settings.angle / 2},
    "twice the angle": {"angle": recipe("cifar").settings.angle * 2},
    "half the learning rate": {"rate": recipe("cifar").settings.rate / 2},
    "twice the learning rate": {"rate": recipe("cifar").settings.rate * 2},
    "linear schedule": {"schedule": "linear"},
    "flips at random": {"augment": "flip, crop 3 reflect"},
    "a larger crop": {"augment": "alternating flip, crop 4 reflect"},
    "a crop over black": {"augment": "alternating flip, crop 3"},
    "squares cut out": {"augment": "alternating flip, crop 3 reflect, cutout 8"},
    "no augmentation": {"augment": "none"},
}


def main(
    source: Annotated[str, typer.Option("--data", help="CIFAR-10: a directory, an archive, or 'cifar10'.")] = "cifar10",
    minutes: Annotated[float, typer.Option(help="For each run.")] = 10.0,
    seeds: Annotated[int, typer.Option(min=1, help="Runs of each kind, with seeds from 0 on.")] = 1,
    at_once: Annotated[int, typer.Option(min=1, help="Runs at the same time, each with its share of the cores.")] = 1,
    only: Annotated[list[str] | None, typer.Option(help="Only these, by name; can be given again.")] = None,
) -> None:
    """Train with and without each ingredient, and compare on held-out training pictures."""
    unknown = sorted(set(only or ()) - CHANGES.keys())
    if unknown:
        raise InputError(f"only is {unknown[0]!r}; expected one of {', '.join(CHANGES)}")
    train = pictures(source)
    ahead.compile_passes(models.build("xception_small", len(train.classes)), train.size)  # not in the time of the first run
    found: dict[str, list[float]] = {}
    runs = [(name, seed) for name in only or CHANGES for seed in range(seeds)]
    for result in results(partial(measure, source, minutes, max(1, threads.count() // at_once)), runs, at_once):
        print(json.dumps(result), flush=True)
        found.setdefault(result["name"], []).append(result["accuracy"])
    print(table(found))


def results(measured, runs: list[tuple[str, int]], at_once: int) -> Iterable[dict]:
    """Of all runs, in their order."""
    if at_once == 1:
        yield from map(measured, runs)
        return
    with ProcessPoolExecutor(at_once, get_context("spawn")) as pool:
        yield from pool.map(measured, runs)


@cache
def pictures(source: str) -> data.Pictures:
    """The training pictures."""
    return data.load(source).train


def measure(source: str, minutes: float, cores: int, run: tuple[str, int]) -> dict:
    """One run, a name and a seed; its accuracy on the held-out pictures at the end."""
    (name, seed), train = run, pictures(source)
    changes = dict(CHANGES[name])
    chosen = recipe("cifar").suited(train)
    augmentation = notation.read(changes.pop("augment")) if "augment" in changes else chosen.augmentation
    learnt_from, held_out = data.hold_out(train, HELD_OUT, 0)
    settings = chosen.changed({**changes, "minutes": minutes, "seed": seed})
    begin = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder, threads.use(cores):
        model = models.build("xception_small", len(train.classes), seed)
        trainer = Trainer(model, learnt_from, settings, Path(folder) / "run", augmentation=augmentation)
        trainer.run()
        accuracy = trainer.evaluate(held_out).accuracy
    seconds = round(time.perf_counter() - begin)
    return {"name": name, "seed": seed, "accuracy": accuracy, "steps": trainer.step, "seconds": seconds}


def table(found: dict[str, list[float]]) -> str:
    """Mean accuracy of each kind, its spread, and how far it is from the recipe."""
    reference = found.get(next(iter(CHANGES)))
    lines = [f"{'':<40}{'held out':>10}{'spread':>9}{'difference':>12}"]
    for name, accuracies in found.items():
        spread = f"{np.ptp(accuracies):.2%}" if len(accuracies) > 1 else ""
        difference = f"{np.mean(accuracies) - np.mean(reference):+.2%}" if reference else ""
        lines.append(f"{name:<40}{np.mean(accuracies):>10.2%}{spread:>9}{difference:>12}")
    return "\n".join(lines)


if __name__ == "__main__":
    with in_a_sentence():
        typer.run(main)
