"""The command line, `xception-np`.

What a user got wrong is one sentence on standard error and exit status 2. Progress goes to standard error, results to standard
output: with `--json`, one JSON object and nothing else.
"""

import signal
import sys
from pathlib import Path
from typing import Annotated

import typer

from xception_np.errors import InputError

app = typer.Typer(
    name="xception-np",
    help="Xception from scratch: train, evaluate and look inside, with every forward and backward pass our own.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object to standard output, and nothing else there.")]
Seed = Annotated[int, typer.Option(help="Seed of everything random, 0 to 4294967295.")]
Data = Annotated[
    str, typer.Option(help="Data set: 'digits' (built in), or the path of CIFAR-10's binary version, a directory or an archive.")
]
Checkpoint = Annotated[Path, typer.Option(help="Checkpoint, a .safetensors file that `train` or `demo` wrote.")]
Batch = Annotated[int, typer.Option(help="Batch size, in pictures.", min=1)]


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Folder for checkpoint and pictures; what a former demo left is replaced.")] = Path(
        "runs/demo"
    ),
    minutes: Annotated[float, typer.Option(help="Training time at most, in minutes, compilation included.")] = 0.9,
    seed: Seed = 0,
    as_json: Json = False,
):
    """Check one gradient, train a small Xception on handwritten digits for a minute, and show what it learnt."""
    from xception_np.commands import demo as command

    command.run(out, minutes, seed, as_json)


@app.command()
def train(
    data: Data = "digits",
    model: Annotated[str, typer.Option(help="Network; `xception-np models` lists them.")] = "xception_small",
    epochs: Annotated[int, typer.Option(help="Passes over the training pictures.", min=1)] = 10,
    minutes: Annotated[
        float | None, typer.Option(help="End after this many minutes at the latest.", show_default="no limit")
    ] = None,
    batch: Batch = 128,
    lr: Annotated[float, typer.Option(help="Peak learning rate, per step; rises in the first tenth, then falls to 0.")] = 0.1,
    seed: Seed = 0,
    out: Annotated[Path | None, typer.Option(help="New folder for the run.", show_default="runs/DATE-TIME-MODEL-DATA")] = None,
    as_json: Json = False,
):
    """Train a network with SGD and momentum 0.9; keep checkpoint, metrics and curves in a folder."""
    from xception_np.commands import train as command

    command.run(data, model, epochs, minutes, batch, lr, seed, out, as_json)


@app.command()
def evaluate(checkpoint: Checkpoint, data: Data, batch: Batch = 128, as_json: Json = False):
    """Measure a checkpoint's accuracy on the held-out pictures of a data set."""
    from xception_np.commands import evaluate as command

    command.run(checkpoint, data, batch, as_json)


@app.command()
def predict(
    pictures: Annotated[list[Path], typer.Argument(metavar="IMAGE...", help="Picture files: JPEG, PNG, GIF, BMP or WebP.")],
    checkpoint: Checkpoint,
    top: Annotated[int, typer.Option(help="Classes to print for each picture, the most probable first.", min=1)] = 3,
    as_json: Json = False,
):
    """Say what is in pictures."""
    from xception_np.commands import predict as command

    command.run(pictures, checkpoint, top, as_json)


@app.command()
def models(
    name: Annotated[str | None, typer.Argument(help="Network to show layer by layer.", show_default="list them all")] = None,
    as_json: Json = False,
):
    """List the networks, or show one layer by layer: shapes, parameters, multiply-adds, memory."""
    from xception_np.commands import models as command

    command.run(name, as_json)


def main() -> None:
    """Run the command line; the entry point of `xception-np`."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # `kill` and a batch system's end of time save like Ctrl-C
    try:
        app()
    except InputError as error:
        print(f"xception-np: {error}", file=sys.stderr)
        sys.exit(2)
