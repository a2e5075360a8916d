"""Commands that train, go on, and look back on runs."""

from pathlib import Path
from typing import Annotated, Any

import typer

from xception_np import launcher
from xception_np.cli.options import DATA_HELP, Checkpoint, Computes, Data, Json, Network, Seed
from xception_np.errors import InputError

app = typer.Typer()
_PANEL = "Train, and go on"
_AUGMENT = (
    "What is done to training pictures at random, such as 'alternating flip, crop 4, cutout 8, mixup 0.2'. Any of: flip, "
    "alternating flip, crop MARGIN (reflect), colour BRIGHTNESS CONTRAST SATURATION, cutout SIDE (RED GREEN BLUE), resized crop "
    "(LEAST MOST (NARROWEST WIDEST)), mixup ALPHA; or none."
)


def _setting(help: str):
    """An option that changes one setting of the recipe."""
    return typer.Option(help=help, show_default=False, rich_help_panel="Changes to the recipe")


def _given(options: dict[str, Any]) -> dict[str, Any]:
    """The options that the user gave."""
    return {name: value for name, value in options.items() if value is not None}


@app.command(rich_help_panel=_PANEL)
def demo(
    out: Annotated[Path, typer.Option(help="Folder for checkpoint and pictures; what a former demo left is replaced.")] = Path(
        "runs/demo"
    ),
    minutes: Annotated[float, typer.Option(help="Time in minutes, after what is compiled the first time.")] = 1.0,
    seed: Seed = 0,
    as_json: Json = False,
):
    """Check one gradient, train a small Xception on handwritten digits for a minute, and show what it learnt."""
    from xception_np.commands import demo as command

    command.run(out, minutes, seed, as_json)


@app.command(rich_help_panel=_PANEL)
def train(
    data: Annotated[str | None, typer.Option(help=DATA_HELP, show_default="digits")] = None,
    size: Annotated[int | None, typer.Option(help="Pixels that pictures in folders are scaled to.", show_default="128")] = None,
    model: Annotated[
        str | None,
        typer.Option(
            help="Network; `xception-np models` lists them.",
            show_default="xception_small; xception_compact for folders of pictures",
        ),
    ] = None,
    recipe: Annotated[
        str | None,
        typer.Option(
            help="Settings that go together: imagenet, jft, cifar, folder or digits.",
            show_default="the one that suits the data",
        ),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="New folder for the run.", show_default="runs/DATE-TIME-MODEL-DATA")] = None,
    resume: Annotated[
        Path | None,
        typer.Option(help="Folder of a run to go on with, as if it had not stopped.", show_default=False, readable=False),
    ] = None,
    implementation: Annotated[
        str | None,
        typer.Option(
            help="What computes: cpu, reference, gpu, or emulated (the GPU's kernels without a GPU; slow).", show_default="cpu"
        ),
    ] = None,
    tensorboard: Annotated[
        bool, typer.Option("--tensorboard", help="Write the figures for TensorBoard, too (extra `tensorboard`).")
    ] = False,
    as_json: Json = False,
    epochs: Annotated[int | None, _setting("Passes over the training pictures.")] = None,
    minutes: Annotated[
        float | None,
        _setting(
            "End after so many minutes, everything included; a schedule without stages follows the time, for any number of epochs."
        ),
    ] = None,
    steps: Annotated[int | None, _setting("End after so many steps; likewise.")] = None,
    batch: Annotated[int | None, _setting("Pictures in a step.")] = None,
    optimizer: Annotated[str | None, _setting("sgd, rmsprop or muon; each wants its own lr and momentum.")] = None,
    lr: Annotated[float | None, _setting("Peak learning rate, per step.")] = None,
    momentum: Annotated[float | None, _setting("Of any optimizer, from 0 to below 1.")] = None,
    nesterov: Annotated[bool | None, _setting("Nesterov's momentum.")] = None,
    angle: Annotated[float | None, _setting("By which a matrix turns in a step at the peak, in radians; muon only.")] = None,
    weight_decay: Annotated[float | None, _setting("L2 coefficient of kernels; not of those that turn with muon.")] = None,
    decay_depthwise: Annotated[bool | None, _setting("Whether depthwise kernels decay too.")] = None,
    clip: Annotated[float | None, _setting("Largest global norm of a gradient; 0 for no limit.")] = None,
    schedule: Annotated[str | None, _setting("constant, linear, cosine, epochs or samples (the last two in stages).")] = None,
    warmup: Annotated[float | None, _setting("Fraction of the run in which the rate rises to its peak.")] = None,
    decay_factor: Annotated[float | None, _setting("In stages: what the rate is multiplied by.")] = None,
    decay_every: Annotated[float | None, _setting("In stages: after how many epochs, or samples.")] = None,
    grow_from: Annotated[float | None, _setting("Side of the pictures at the start, as a part of the full one.")] = None,
    grow_until: Annotated[float | None, _setting("Fraction of the run in which pictures grow to their full size.")] = None,
    label_smoothing: Annotated[float | None, _setting("Part of the target that is spread over all classes.")] = None,
    dropout: Annotated[float | None, _setting("Probability that a feature is left out before the last layer.")] = None,
    averaging: Annotated[float | None, _setting("What the average of the weights keeps at a step; 0 for none.")] = None,
    validation: Annotated[int | None, _setting("Training pictures set aside to choose the best checkpoint by; 0 for none.")] = None,
    save_seconds: Annotated[float | None, _setting("Seconds between checkpoints at most.")] = None,
    save_steps: Annotated[int | None, _setting("Steps between checkpoints; 0 for no such rule.")] = None,
    seed: Annotated[int | None, _setting("Seed of everything random, 0 to 4294967295.")] = None,
    augment: Annotated[str | None, _setting(_AUGMENT)] = None,
):
    """Train a network by a recipe, or go on with a run; keep checkpoints, metrics and curves in a folder.

    `mpiexec -n 4 xception-np train ...` trains with four processes, each of which takes its share of every batch.
    """
    if launcher.launched():
        launcher.stand_guard()
    from xception_np.commands import train as command

    options = {
        "epochs": epochs,
        "minutes": minutes,
        "steps": steps,
        "batch": batch,
        "optimizer": optimizer,
        "rate": lr,
        "momentum": momentum,
        "nesterov": nesterov,
        "angle": angle,
        "weight_decay": weight_decay,
        "decay_depthwise": decay_depthwise,
        "clip": clip,
        "schedule": schedule,
        "warmup": warmup,
        "decay_factor": decay_factor,
        "decay_every": decay_every,
        "grow_from": grow_from,
        "grow_until": grow_until,
        "label_smoothing": label_smoothing,
        "dropout": dropout,
        "averaging": averaging,
        "validation": validation,
        "save_seconds": save_seconds,
        "save_steps": save_steps,
        "seed": seed,
    }
    changes = _given(options)
    if resume is None:
        request = command.Request("digits" if data is None else data, size, model, recipe, augment, changes, out, tensorboard)
        command.run(request._replace(implementation=implementation or "cpu"), as_json)
    elif changes or tensorboard or any(option is not None for option in (data, size, model, recipe, augment, out, implementation)):
        raise InputError(f"resume is {resume}, a run that has its settings already; expected no other option but --json")
    else:
        command.resume(resume, as_json)


@app.command(rich_help_panel=_PANEL)
def fine_tune(
    data: Data,
    checkpoint: Checkpoint = "box",
    model: Network = None,
    out: Annotated[Path | None, typer.Option(help="New folder for the run.", show_default="runs/DATE-TIME-MODEL-DATA")] = None,
    size: Annotated[
        int | None, typer.Option(help="Pixels that pictures in folders are scaled to.", show_default="the network's")
    ] = None,
    implementation: Computes = "cpu",
    as_json: Json = False,
    epochs: Annotated[int | None, _setting("Passes over the training pictures.")] = None,
    minutes: Annotated[float | None, _setting("End after so many minutes, everything included.")] = None,
    batch: Annotated[int | None, _setting("Pictures in a step.")] = None,
    lr: Annotated[float | None, _setting("Peak learning rate of the last layer, per step.")] = None,
    backbone_rate: Annotated[
        float | None, _setting("Learning rate of all other layers, as a part of that; 0 leaves them as they are.")
    ] = None,
    frozen_norm: Annotated[bool | None, _setting("Whether batch normalisation keeps its moving statistics.")] = None,
    weight_decay: Annotated[float | None, _setting("L2 coefficient of kernels.")] = None,
    validation: Annotated[int | None, _setting("Training pictures set aside to choose the best checkpoint by; 0 for none.")] = None,
    seed: Annotated[int | None, _setting("Seed of everything random, 0 to 4294967295.")] = None,
    augment: Annotated[str | None, _setting(_AUGMENT)] = None,
):
    """Go from a trained network to another task: a new last layer, and all others at a lower learning rate, or as they are.

    The run is one of `train`, which also goes on with it: `xception-np train --resume RUN`.
    """
    if launcher.launched():
        launcher.stand_guard()
    from xception_np.commands import train as command

    options = {
        "epochs": epochs,
        "minutes": minutes,
        "batch": batch,
        "rate": lr,
        "backbone_rate": backbone_rate,
        "frozen_norm": frozen_norm,
        "weight_decay": weight_decay,
        "validation": validation,
        "seed": seed,
    }
    changes = _given(options)
    request = command.Request(data, size, model, "fine-tuning", augment, changes, out, False, checkpoint, implementation)
    command.run(request, as_json)


@app.command(rich_help_panel=_PANEL)
def runs(
    folder: Annotated[Path, typer.Argument(metavar="[FOLDER]", help="Folder of run folders.", readable=False)] = Path("runs"),
    as_json: Json = False,
):
    """List runs: model, data, recipe, steps, accuracy on the test pictures, minutes, state."""
    from xception_np.commands import runs as command

    command.run(folder, as_json)


@app.command(rich_help_panel=_PANEL)
def compare(
    folders: Annotated[list[Path], typer.Argument(metavar="RUN...", help="Run folders.", readable=False)],
    out: Annotated[Path, typer.Option(help="Picture to write, PNG.")] = Path("compare.png"),
    as_json: Json = False,
):
    """Draw the training curves of runs over each other."""
    from xception_np.commands import runs as command

    command.compare(folders, out, as_json)
