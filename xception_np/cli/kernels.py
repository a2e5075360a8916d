"""Commands about implementations, CUDA kernels above all: with a GPU or without one."""

from pathlib import Path
from typing import Annotated

import typer

from xception_np.cli.options import Json

app = typer.Typer()
_PANEL = "Check implementations, CUDA kernels above all"


@app.command(rich_help_panel=_PANEL)
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


@app.command(rich_help_panel=_PANEL)
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
