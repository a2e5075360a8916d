"""`xception-np demo`: the whole project in a minute."""

import shlex
import time
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from PIL import Image

from xception_np import check, commands, data, models
from xception_np.check.operations import check_passes, expected_passes
from xception_np.commands.output import console, emit, program
from xception_np.commands.train import train_and_show
from xception_np.errors import InputError
from xception_np.files import make_folder, replacing
from xception_np.training import Settings, Trainer, ahead, recipe, runs

SAMPLES = 3  # digits that are saved as pictures, to try `predict` on


def run(out: Path, minutes: float, seed: int, as_json: bool) -> None:
    """Check one gradient, train on digits, show what was learnt."""
    digits = recipe("digits")
    digits.changed({"minutes": minutes, "seed": seed})  # what is wrong with them is said before anything takes time
    _check_folder(out)
    console.print(
        "1. Is a backward pass right? Of a separable convolution, against finite differences, in float64:", soft_wrap=True
    )
    comparisons = _shown(check.check_finite_differences(check.find("separable_conv", "stride 2, even size"), "reference"))
    train, test = data.load("digits")
    console.print(
        "2. That was the one to be read. Those for all cores are compiled once; do they find the same, in float32?", soft_wrap=True
    )
    _compile(train, digits.changed({"epochs": 1, "seed": seed}))
    case = check.find("separable_conv", "four images")
    comparisons += _shown(check_passes(case, "cpu", expected_passes(case, np.float32)))
    console.print("3. Then let it learn:")
    settings = digits.changed({"minutes": minutes + (time.perf_counter() - commands.STARTED) / 60, "seed": seed})
    about = {"recipe": "digits", "source": "digits", "size": None, "demo": True}
    trainer = Trainer(models.build("xception_small", len(train.classes), seed), train, settings, out, about=about)
    result = train_and_show(trainer, test)
    samples = [_save_picture(test, k, make_folder(out / "digits")) for k in range(SAMPLES)]
    if as_json:
        emit({**result, "errors": {comparison.what: comparison.error for comparison in comparisons}})
        return
    print(f"4. What it learnt:\n   checkpoint   {result['checkpoint']}\n   curves       {result['curves']}")
    print(f"   predictions  {result['predictions']}\nWhat to try next:")
    command = program()
    print(f"   {command} {shlex.join(['predict', '--checkpoint', result['checkpoint'], *map(str, samples)])}")
    print(f"   {command} models xception_small\n   {command} train --help")
    print(f"accuracy {100 * result['accuracy']:.1f}% on {result['held_out']} held-out digits")


def _shown(comparisons: Iterable[check.Comparison]) -> list[check.Comparison]:
    """Comparisons, printed as they are made; an error if one of them fails."""
    made = []
    for comparison in comparisons:
        console.print(f"   {comparison}", highlight=False, soft_wrap=True)
        made.append(comparison)
    check.require_all(made)
    return made


def _check_folder(out: Path) -> None:
    """InputError if the folder cannot be made, or holds what no demo left."""
    runs.check_free(out)
    if (out / "config.json").exists():
        if not runs.read_config(out).get("demo"):
            raise InputError(f"out is {out}, which holds a run that is no demo's; choose another folder")
    elif (out / "digits").exists():
        raise InputError(f"out is {out}, which has a {out / 'digits'} that no demo left; choose another folder")
    make_folder(out)


def _compile(train: data.Pictures, settings: Settings) -> None:
    """A step and an evaluation of a network that nobody keeps: so a machine that compiles slowly has its time to learn."""
    model = models.build("xception_small", len(train.classes))
    ahead.compile_passes(model, train.size)
    few, _ = data.hold_out(train, len(train) - settings.batch, settings.seed)
    with TemporaryDirectory() as folder:
        trainer = Trainer(model, few, settings, Path(folder) / "run")
        trainer.run()
        trainer.evaluate(few)


def _save_picture(dataset: data.Pictures, k: int, folder: Path) -> Path:
    path = folder / f"digit-{k}.png"
    with replacing(path) as temporary:
        Image.fromarray(dataset.read(np.array([k]))[0]).save(temporary, format="png")
    return path
