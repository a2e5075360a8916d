"""Arguments that several commands take."""

from pathlib import Path
from typing import Annotated

import typer

LARGEST = 2**16  # pictures at a time, or pixels of a side, that may be counted or timed: larger arrays cannot even be asked for
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object to standard output, and nothing else there.")]
Seed = Annotated[int, typer.Option(help="Seed of everything random, 0 to 4294967295.")]
DATA_HELP = (
    "Data set: 'digits' (built in); 'glyphs' (made on the spot; 'glyphs:0.75' sets its joint dependence); 'cifar10' or 'cifar100' "
    "(downloaded once), or where their binary version is, a directory or an archive; or a folder of pictures, train/<class>/* and "
    "val/<class>/*."
)
Data = Annotated[str, typer.Option(help=DATA_HELP)]
CHECKPOINT_HELP = (
    "A checkpoint that `train` or `demo` wrote; 'box', the model in the box; 'imagenet', published weights, downloaded once; or a "
    "file of such weights, Keras's (.h5, .keras) or timm's (.safetensors)."
)
Checkpoint = Annotated[str, typer.Option(help=CHECKPOINT_HELP)]
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
Computes = Annotated[str, typer.Option("--implementation", help="What computes: cpu, reference, gpu or emulated.")]
