"""The command line, `xception-np`.

What a user got wrong is one sentence on standard error and exit status 2, whether typer finds it or we do. Progress goes to
standard error, results to standard output: with `--json`, one JSON object and nothing else.
"""

import io
import os
import signal
import sys
import warnings
from pathlib import Path
from typing import Annotated, Any

import typer

from xception_np import __version__, launcher
from xception_np import commands as commands  # notes when the program began
from xception_np.errors import InputError, SharedError
from xception_np.files import with_home

_NAME = "xception-np"
_LARGEST = 2**16  # pictures at a time, or pixels of a side, that may be counted or timed: larger arrays cannot even be asked for
_MOST_CHANNELS = 4096
app = typer.Typer(
    name=_NAME,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object to standard output, and nothing else there.")]
Seed = Annotated[int, typer.Option(help="Seed of everything random, 0 to 4294967295.")]
_DATA = (
    "Data set: 'digits' (built in); 'glyphs' (made on the spot; 'glyphs:0.75' sets its joint dependence); 'cifar10' or 'cifar100' "
    "(downloaded once), or where their binary version is, a directory or an archive; or a folder of pictures, train/<class>/* and "
    "val/<class>/*."
)
Data = Annotated[str, typer.Option(help=_DATA)]
_CHECKPOINT = (
    "A checkpoint that `train` or `demo` wrote; 'box', the model in the box; 'imagenet', published weights, downloaded once; or a "
    "file of such weights, Keras's (.h5, .keras) or timm's (.safetensors)."
)
Checkpoint = Annotated[str, typer.Option(help=_CHECKPOINT)]
Network = Annotated[
    str | None,
    typer.Option(
        "--model",
        help="Network of published weights: xception, inception_v3, vgg16, or legacy_xception for timm's.",
        show_default="xception; a checkpoint says it itself",
    ),
]
# What may not be read says so when it is opened, as whatever else is wrong with it; hence `readable=False`, which asks no earlier.
Images = Annotated[
    list[Path],
    typer.Argument(metavar="IMAGE...", help="Picture files: JPEG, PNG, GIF, BMP or WebP.", readable=False),
]


def _version(wanted: bool) -> None:
    if wanted:
        print(f"xception-np {__version__}")
        raise typer.Exit


@app.callback()
def about(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")] = False,
):
    """Xception from scratch: train, evaluate and look inside, with every forward and backward pass our own."""


@app.command()
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


def _setting(help: str):
    """An option that changes one setting of the recipe."""
    return typer.Option(help=help, show_default=False, rich_help_panel="Changes to the recipe")


def _given(options: dict[str, Any]) -> dict[str, Any]:
    """The options that the user gave."""
    return {name: value for name, value in options.items() if value is not None}


_AUGMENT = (
    "What is done to training pictures at random, such as 'alternating flip, crop 4, cutout 8, mixup 0.2'. Any of: flip, "
    "alternating flip, crop MARGIN (reflect), colour BRIGHTNESS CONTRAST SATURATION, cutout SIDE (RED GREEN BLUE), resized crop "
    "(LEAST MOST (NARROWEST WIDEST)), mixup ALPHA; or none."
)


@app.command()
def train(
    data: Annotated[str | None, typer.Option(help=_DATA, show_default="digits")] = None,
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
            help="Settings that go together: imagenet, jft, cifar, folder, digits or fine-tuning.",
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
        _setting("End after so many minutes, everything included; the schedule follows the time, for any number of epochs."),
    ] = None,
    steps: Annotated[int | None, _setting("End after so many steps; the schedule follows them, for any number of epochs.")] = None,
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


@app.command()
def runs(
    folder: Annotated[Path, typer.Argument(metavar="[FOLDER]", help="Folder of run folders.", readable=False)] = Path("runs"),
    as_json: Json = False,
):
    """List runs: model, data, recipe, steps, accuracy on the test pictures, minutes, state."""
    from xception_np.commands import runs as command

    command.run(folder, as_json)


@app.command()
def compare(
    folders: Annotated[list[Path], typer.Argument(metavar="RUN...", help="Run folders.", readable=False)],
    out: Annotated[Path, typer.Option(help="Picture to write, PNG.")] = Path("compare.png"),
    as_json: Json = False,
):
    """Draw the training curves of runs over each other."""
    from xception_np.commands import runs as command

    command.compare(folders, out, as_json)


@app.command()
def evaluate(
    checkpoint: Checkpoint,
    data: Data,
    model: Network = None,
    batch: Annotated[
        int | None, typer.Option(help="Batch size, in pictures.", show_default="128; fewer of pictures above 64 pixels")
    ] = None,
    shift: Annotated[int, typer.Option(help="Pixels by which pictures are moved for further views; 0 for none.")] = 0,
    confusion: Annotated[
        Path | None, typer.Option(help="Picture to write, PNG: which class was taken for which.", show_default="none")
    ] = None,
    as_json: Json = False,
):
    """Measure a network's accuracy on the held-out pictures of a data set: as they are, and beside it over several views.

    For published weights the data is a folder of pictures, val/<class>/* or <class>/*, whose folders are WordNet numbers.
    """
    from xception_np.commands import evaluate as command

    command.run(checkpoint, model, data, batch, shift, confusion, as_json)


@app.command()
def predict(
    pictures: Images,
    checkpoint: Checkpoint = "box",
    model: Network = None,
    top: Annotated[int, typer.Option(help="Classes to print for each picture, the most probable first.", min=1)] = 3,
    as_json: Json = False,
):
    """Say what is in pictures."""
    from xception_np.commands import predict as command

    command.run(pictures, checkpoint, model, top, as_json)


@app.command()
def explain(
    pictures: Images,
    checkpoint: Checkpoint = "box",
    model: Network = None,
    name: Annotated[
        str | None, typer.Option("--class", help="Class to explain.", show_default="the one the picture is taken for")
    ] = None,
    layer: Annotated[
        str | None, typer.Option(help="Layer to look at; `features` lists them.", show_default="the last that is an image")
    ] = None,
    out: Annotated[Path, typer.Option(help="Picture to write, PNG.")] = Path("explain.png"),
    as_json: Json = False,
):
    """Draw where in pictures the evidence for a class is (Grad-CAM)."""
    from xception_np.commands import explain as command

    command.run(pictures, checkpoint, model, name, layer, out, as_json)


@app.command()
def features(
    picture: Annotated[Path, typer.Argument(metavar="IMAGE", help="Picture file: JPEG, PNG, GIF, BMP or WebP.", readable=False)],
    layer: Annotated[
        list[str] | None, typer.Option(help="Layer to look at; can be given again.", show_default="list them all")
    ] = None,
    checkpoint: Checkpoint = "box",
    model: Network = None,
    out: Annotated[Path, typer.Option(help="File to write, .npz; a picture of every layer is written beside it.")] = Path(
        "features.npz"
    ),
    as_json: Json = False,
):
    """Write what layers make of a picture: arrays, and their channels drawn."""
    from xception_np.commands import explain as command

    command.features(picture, checkpoint, model, layer or [], out, as_json)


@app.command()
def fine_tune(
    data: Data,
    checkpoint: Checkpoint = "box",
    model: Network = None,
    out: Annotated[Path | None, typer.Option(help="New folder for the run.", show_default="runs/DATE-TIME-MODEL-DATA")] = None,
    size: Annotated[
        int | None, typer.Option(help="Pixels that pictures in folders are scaled to.", show_default="the network's")
    ] = None,
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
    command.run(command.Request(data, size, model, "fine-tuning", augment, changes, out, False, checkpoint), as_json)


@app.command()
def convert(
    checkpoint: Annotated[str, typer.Argument(metavar="CHECKPOINT", help=_CHECKPOINT)],
    out: Annotated[
        Path,
        typer.Argument(
            metavar="OUT",
            help="File to write: .weights.h5 for Keras 3, .h5 for any Keras, .safetensors for this package or for timm.",
        ),
    ],
    model: Network = None,
    layout: Annotated[
        str | None, typer.Option(help="timm, for a .safetensors file that timm loads.", show_default="this package's")
    ] = None,
    as_json: Json = False,
):
    """Write a network's weights for another program."""
    from xception_np.commands import convert as command

    command.run(checkpoint, out, model, layout, as_json)


@app.command()
def models(
    name: Annotated[
        str | None,
        typer.Argument(
            help="Network to show layer by layer; after a colon may stand changes to it, such as xception_small:no-residual.",
            show_default="list them all",
        ),
    ] = None,
    paper: Annotated[bool, typer.Option("--paper", help="Show the results that the paper published, its Tables 1 to 3.")] = False,
    as_json: Json = False,
):
    """List the networks, or show one layer by layer: shapes, parameters, multiply-adds, memory."""
    from xception_np.commands import models as command

    command.run(name, paper, as_json)


@app.command()
def cost(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="Network; `xception-np models` lists them.")],
    size: Annotated[
        int | None, typer.Option(help="Height and width of the pictures.", max=_LARGEST, show_default="the network's")
    ] = None,
    batch: Annotated[int, typer.Option(help="Pictures at a time.", max=_LARGEST)] = 1,
    by: Annotated[str, typer.Option(help="What to add up: layer, kind (of layer) or module (block5, ...).")] = "kind",
    training: Annotated[
        bool, typer.Option("--training", help="Times of a training step, forward and backward, rather than of inference.")
    ] = False,
    predict: Annotated[
        bool, typer.Option("--predict", help="Predict the time, from three constants of this machine, which takes seconds.")
    ] = False,
    measure: Annotated[bool, typer.Option("--measure", help="Predict the time, run the network, and show both.")] = False,
    machine: Annotated[
        tuple[float, float, float] | None,
        typer.Option(
            metavar="PEAK BANDWIDTH CALL",
            help="Predict for a machine of so many GMACs a second, GB a second, and microseconds a call.",
            show_default="this one",
        ),
    ] = None,
    gpus: Annotated[
        bool, typer.Option("--gpus", help="Show what each row takes at least on a few GPUs, by their data sheets: a model.")
    ] = False,
    out: Annotated[Path | None, typer.Option(help="Picture of the table to write, PNG.", show_default="none")] = None,
    roofline: Annotated[
        Path | None,
        typer.Option(help="Picture to write, PNG: every layer's speed under what the machine allows.", show_default="none"),
    ] = None,
    as_json: Json = False,
):
    """Count a network: parameters, multiply-adds, memory moved and kept; predict and measure its time."""
    from xception_np.commands import cost as command

    command.run(command.Request(model, size, batch, by, training, predict, measure, machine, gpus, out, roofline), as_json)


@app.command()
def emulate(
    operation: Annotated[str, typer.Argument(metavar="OPERATION", help="Operation, such as depthwise_conv.")],
    case: Annotated[
        str | None, typer.Option(help="One of the operation's awkward cases, by name.", show_default="its first one")
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option(
            help="A .cu file of your own to run in place of the operation's: change a line, and see what is said of it.",
            show_default="the operation's",
            readable=False,
        ),
    ] = None,
    implementation: Annotated[
        str | None,
        typer.Option(
            help="emulated (with tiled kernels where there are any) or emulated_naive.", show_default="emulated; that of the file"
        ),
    ] = None,
    dtype: Annotated[str, typer.Option(help="float32 or float64.")] = "float32",
    forward: Annotated[bool, typer.Option("--forward", help="Show the forward pass only.")] = False,
    backward: Annotated[bool, typer.Option("--backward", help="Show the backward pass only.")] = False,
    order: Annotated[str, typer.Option(help="In which blocks and threads are run: forward, reverse or random.")] = "forward",
    seed: Annotated[int | None, typer.Option(help="Of the random order, 0 to 4294967295.", show_default="0")] = None,
    png: Annotated[Path | None, typer.Option(help="Picture to write, PNG.", show_default="none")] = None,
    as_json: Json = False,
):
    """Run an operation's CUDA kernels without a GPU, thread by thread, every access watched.

    Shows what every array and source line was asked for, and what is wrong, if anything; then the exit status is 1.
    """
    from xception_np.commands import emulate as command

    passes = ("forward",) * (forward or not backward) + ("backward",) * (backward or not forward)
    command.run(command.Request(operation, implementation, case, dtype, passes, order, seed, file, png), as_json)


@app.command()
def selfcheck(
    operations: Annotated[
        list[str] | None, typer.Argument(metavar="[OPERATION...]", help="Operations to check.", show_default="all")
    ] = None,
    implementation: Annotated[
        str, typer.Option(help="reference, cpu, gpu or emulated; gpu_naive or emulated_naive: the kernels to read.")
    ] = "cpu",
    report: Annotated[Path | None, typer.Option(help="File to write, JSON.", show_default="none")] = None,
    as_json: Json = False,
):
    """Check an implementation on this machine: every operation, forward and backward, against the reference.

    Exits with status 0 if all is right, and 1 if something is wrong.
    """
    from xception_np.commands import selfcheck as command

    command.run(implementation, operations or [], report, as_json)


@app.command()
def bench(
    what: Annotated[
        str | None,
        typer.Argument(
            metavar="WHAT",
            help="A network, or `spectrum`: a convolution at every number of segments.",
            show_default="xception_small",
        ),
    ] = None,
    batch: Annotated[
        int | None, typer.Option(help="Pictures at a time.", max=_LARGEST, show_default="8; 128 for networks of small pictures")
    ] = None,
    size: Annotated[
        int | None, typer.Option(help="Height and width.", max=_LARGEST, show_default="the network's; 28 for the spectrum")
    ] = None,
    channels: Annotated[
        int | None, typer.Option(help="Of the spectrum's convolution.", max=_MOST_CHANNELS, show_default="256")
    ] = None,
    inference: Annotated[bool, typer.Option("--inference", help="Time inference, not a training step.")] = False,
    ladder: Annotated[
        bool, typer.Option("--ladder", help="Instead: the middle flow's unit, rung by rung from NumPy to what training runs.")
    ] = False,
    rounds: Annotated[int, typer.Option(help="How often to time; the median counts.")] = 9,
    implementation: Annotated[str, typer.Option(help="What computes: cpu, reference, gpu or emulated.")] = "cpu",
    as_json: Json = False,
):
    """Time a network on this machine, or the spectrum of a convolution, or the rungs of the ladder."""
    from xception_np.commands import bench as command

    request = command.Request(what, batch, size, channels, inference, rounds, implementation)
    if ladder:
        command.climb(request, as_json)
    else:
        command.run(request, as_json)


@app.command()
def spectrum(
    channels: Annotated[int, typer.Option(help="Channels, and as many filters.", max=_MOST_CHANNELS)] = 728,
    height: Annotated[int, typer.Option(help="Height of the pictures, in pixels.", max=_LARGEST)] = 19,
    width: Annotated[int, typer.Option(help="Width of the pictures, in pixels.", max=_LARGEST)] = 19,
    batch: Annotated[int, typer.Option(help="Pictures at a time.", max=_LARGEST)] = 1,
    segments: Annotated[
        list[int] | None,
        typer.Option(help="Segments to show; can be given again.", show_default="all that divide the channels"),
    ] = None,
    png: Annotated[Path | None, typer.Option(help="Picture to write, PNG.", show_default="none")] = None,
    as_json: Json = False,
):
    """Count one module from a regular to a depthwise separable convolution: parameters, multiply-adds, memory moved.

    By default the one that Xception's middle flow repeats.
    """
    from xception_np.commands import spectrum as command

    command.run(command.Request(channels, height, width, batch, segments or [], png), as_json)


_UsageError: Any = typer.BadParameter.__base__  # click's, which some versions of typer bring along under a name of their own


def _sentence(error) -> str:
    """What click found wrong, in one sentence that says where to read on."""
    close = getattr(error, "possibilities", None)  # to a mistyped option, the closest first
    said = f"{error.message.rstrip('.')}; did you mean {close[0]}" if close else error.format_message()
    said = " ".join(said.rstrip(".?").replace(". Did", "; did").split())
    command = error.ctx.command_path if error.ctx else _NAME  # an option without its value comes without its command
    return f"{said[0].lower()}{said[1:]}; see {command} --help"


def main() -> None:
    """Run the command line; the entry point of `xception-np`."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a name that the terminal cannot show is no reason to stop
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # `kill` and a batch system's end of time save like Ctrl-C
    # A number that is not finite ends a run with a sentence of its own; what NumPy says of it meanwhile helps nobody.
    warnings.filterwarnings("ignore", category=RuntimeWarning, module="xception_np")
    try:
        status = app([_at_home(word) for word in sys.argv[1:]] or ["--help"], prog_name=_NAME, standalone_mode=False)
        _flush()  # a full disk behind it is a sentence, too
        sys.exit(status)
    except BrokenPipeError:  # `xception-np runs | head`: who reads has enough
        _leave_output()
        sys.exit(1)
    except _UsageError as error:
        _refuse(_sentence(error))
    except (InputError, OSError, MemoryError) as error:  # the system's own refusals are sentences too
        if launcher.rank() and isinstance(error, SharedError):  # the first process says it, and its status is the one that counts
            sys.exit(0)
        _refuse(str(error) or "out of memory")


def _at_home(word: str) -> str:
    """`--out=~/run` as `--out ~/run` would come: shells replace "~" at the beginning of words only."""
    option, equals, value = word.partition("=")
    return f"{option}={with_home(value)}" if option.startswith("--") and equals and value.startswith("~") else word


def _flush() -> None:
    if sys.stdout is not None:  # closed by who started this
        sys.stdout.flush()


def _leave_output() -> None:
    """Nothing more goes to standard output, not even what Python still has for it at the end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _refuse(sentence: str) -> None:
    rank = launcher.rank()
    print(f"xception-np: {f'process {rank}: ' if rank else ''}{sentence}", file=sys.stderr)
    try:
        _flush()
    except OSError:  # which may be what the sentence is about
        _leave_output()
    sys.exit(2)
