"""Commands that use what was trained, and look inside."""

from pathlib import Path
from typing import Annotated

import typer

from xception_np.cli.options import CHECKPOINT_HELP, Checkpoint, Computes, Data, Images, Json, Network

app = typer.Typer()
_PANEL = "Use what was trained, and look inside"


@app.command(rich_help_panel=_PANEL)
def predict(
    pictures: Images,
    checkpoint: Checkpoint = "box",
    model: Network = None,
    top: Annotated[int, typer.Option(help="Classes to print for each picture, the most probable first.", min=1)] = 3,
    implementation: Computes = "cpu",
    as_json: Json = False,
):
    """Say what is in pictures."""
    from xception_np.commands import predict as command

    command.run(pictures, checkpoint, model, top, implementation, as_json)


@app.command(rich_help_panel=_PANEL)
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
    implementation: Computes = "cpu",
    as_json: Json = False,
):
    """Measure a network's accuracy on the held-out pictures of a data set: as they are, and beside it over several views.

    For published weights the data is a folder of pictures, val/<class>/* or <class>/*, whose folders are WordNet numbers.
    """
    from xception_np.commands import evaluate as command

    command.run(command.Request(checkpoint, model, data, batch, shift, confusion, implementation), as_json)


@app.command(rich_help_panel=_PANEL)
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


@app.command(rich_help_panel=_PANEL)
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


@app.command(rich_help_panel=_PANEL)
def convert(
    checkpoint: Annotated[str, typer.Argument(metavar="CHECKPOINT", help=CHECKPOINT_HELP)],
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
