"""The command line, `xception-np`: options and their help here, what they do in `commands`, which is imported when it is asked for.

What a user got wrong is one sentence on standard error and exit status 2, whether typer finds it or we do. Progress goes to
standard error, results to standard output: with `--json`, one JSON object and nothing else.
"""

import io
import os
import signal
import sys
import warnings
from typing import Annotated, Any

import typer

from xception_np import __version__, launcher
from xception_np import commands as commands  # notes when the program began
from xception_np.cli import counting, kernels, training, using
from xception_np.errors import InputError, SharedError
from xception_np.files import with_home

_NAME = "xception-np"
_UsageError: Any = typer.BadParameter.__base__  # click's, which some versions of typer bring along under a name of their own
app = typer.Typer(
    name=_NAME,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for group in (training, using, counting, kernels):
    app.add_typer(group.app)  # without a name: its commands are the program's


def _version(wanted: bool) -> None:
    if wanted:
        print(f"xception-np {__version__}")
        raise typer.Exit


@app.callback()
def about(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")] = False,
):
    """Xception from scratch: train, evaluate and look inside, with every forward and backward pass our own."""


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
