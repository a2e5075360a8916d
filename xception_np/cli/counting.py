"""Commands that count, and time."""

from pathlib import Path
from typing import Annotated

import typer

from xception_np.cli.options import LARGEST, Computes, Json

app = typer.Typer()
_PANEL = "Count, and time"
_MOST_CHANNELS = 4096


@app.command(rich_help_panel=_PANEL)
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


@app.command(rich_help_panel=_PANEL)
def cost(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="Network; `xception-np models` lists them.")],
    size: Annotated[
        int | None, typer.Option(help="Height and width of the pictures.", max=LARGEST, show_default="the network's")
    ] = None,
    batch: Annotated[int, typer.Option(help="Pictures at a time.", max=LARGEST)] = 1,
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


@app.command(rich_help_panel=_PANEL)
def spectrum(
    channels: Annotated[int, typer.Option(help="Channels, and as many filters.", max=_MOST_CHANNELS)] = 728,
    height: Annotated[int, typer.Option(help="Height of the pictures, in pixels.", max=LARGEST)] = 19,
    width: Annotated[int, typer.Option(help="Width of the pictures, in pixels.", max=LARGEST)] = 19,
    batch: Annotated[int, typer.Option(help="Pictures at a time.", max=LARGEST)] = 1,
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


@app.command(rich_help_panel=_PANEL)
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
        int | None, typer.Option(help="Pictures at a time.", max=LARGEST, show_default="8; 128 for networks of small pictures")
    ] = None,
    size: Annotated[
        int | None, typer.Option(help="Height and width.", max=LARGEST, show_default="the network's; 28 for the spectrum")
    ] = None,
    channels: Annotated[
        int | None, typer.Option(help="Of the spectrum's convolution.", max=_MOST_CHANNELS, show_default="256")
    ] = None,
    inference: Annotated[bool, typer.Option("--inference", help="Time inference, not a training step.")] = False,
    ladder: Annotated[
        bool, typer.Option("--ladder", help="Instead: the middle flow's unit, rung by rung from NumPy to what training runs.")
    ] = False,
    rounds: Annotated[int, typer.Option(help="How often to time; the median counts.")] = 9,
    implementation: Computes = "cpu",
    as_json: Json = False,
):
    """Time a network on this machine, or the spectrum of a convolution, or the rungs of the ladder."""
    from xception_np.commands import bench as command

    request = command.Request(what, batch, size, channels, inference, rounds, implementation)
    if ladder:
        command.climb(request, as_json)
    else:
        command.run(request, as_json)
