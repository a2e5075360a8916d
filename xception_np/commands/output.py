"""How commands talk: results to standard output, progress to standard error."""

import json
import math
import os
import shlex
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from rich.console import Console
from rich.progress import BarColumn, TextColumn
from rich.progress import Progress as Bar
from rich.table import Table as Grid

from xception_np import launcher
from xception_np.errors import InputError
from xception_np.files import replacing
from xception_np.training import Evaluation
from xception_np.training.history import Progress

console = Console(stderr=True, quiet=launcher.rank() > 0)  # of many processes, the first one speaks
_PNG = b"\x89PNG"
_WINDOW = 20  # steps that the printed loss and accuracy are averaged over
_ANY_WIDTH = 1000  # characters in a line, more than any table has
_EVERY = 5.0  # seconds between lines where there is no terminal to draw a bar on


def emit(result: dict) -> None:
    """Print a result as JSON."""
    print(to_json(result, indent=2))


def to_json(result: dict, indent: int) -> str:
    """A result as JSON, which has no word for a number that is not finite: it is null."""
    return json.dumps(_finite(result), indent=indent, allow_nan=False)


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _finite(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def print_grid(grid: Grid) -> None:
    """Print a table as wide as it is: a pipe has no width, and numbers that are cut are wrong."""
    wide = Console(width=_ANY_WIDTH)
    wide.print(grid, width=wide.measure(grid).maximum)


def over_views(evaluation: Evaluation) -> dict[str, Any]:
    """What stands beside the plain accuracy: the accuracy over several views (None if there are none), and the others' names."""
    return {"accuracy_over_views": evaluation.accuracy_over_views, "views": [str(view) for view in evaluation.views]}


def views_clause(result: Mapping[str, Any]) -> str:
    """The same at the end of a sentence; nothing if there are no other views."""
    if not result["views"]:
        return ""
    return f"; {result['accuracy_over_views']:.2%} if averaged over these views: as it is, {', '.join(result['views'])}"


def program() -> str:
    """How the reader calls this program, as a shell reads it: by its name if that is found, else by its path, or through Python."""
    path = Path(sys.argv[0])
    return f"{_called(Path(sys.executable))} -m xception_np" if path.name == "__main__.py" else _called(path)


def _called(path: Path) -> str:
    return shlex.quote(path.name if shutil.which(path.name) == str(path) else os.path.relpath(path))


def save_figure(figure: Figure, path: Path) -> Path:
    """Write a picture as PNG; an existing picture is replaced at the end, or not at all, and what is none is kept.

    A symbolic link stays: the picture that it points to is replaced.
    """
    check_picture_target(path)
    with replacing(Path(os.path.realpath(path)) if path.is_symlink() else path) as temporary:
        figure.savefig(temporary, format="png")
    return path


def check_target(path: Path, option: str) -> None:
    """InputError if there can be no file where this option says."""
    if (path.exists() and not path.is_file()) or not path.absolute().parent.is_dir():
        raise InputError(f"{option} is {path}; expected the path of a file, in a folder that exists")


def check_picture_target(path: Path, option: str = "out") -> None:
    """InputError if no picture can be written where this option says, or if it would replace what is none."""
    check_target(path, option)
    if path.is_file() and not _is_png(path):
        raise InputError(f"{option} is {path}, a file that is no PNG picture; choose another one")


def _is_png(path: Path) -> bool:
    with open(path, "rb") as file:
        return file.read(len(_PNG)) == _PNG


@contextmanager
def training_progress() -> Iterator[Callable[[Progress], None]]:
    """A function to call after every step: a live bar on a terminal, a line every few seconds elsewhere."""
    recent: list[Progress] = []
    if console.is_terminal:
        columns = (TextColumn("step {task.fields[step]}"), BarColumn(), TextColumn("{task.description}"))
        with Bar(*columns, console=console) as bar:
            task = bar.add_task("compiling", total=1.0, step=0)

            def draw(progress: Progress) -> None:
                bar.update(task, completed=_part(progress), step=progress.step, description=_line(recent, progress))

            yield draw
    else:
        printed = -_EVERY

        def write(progress: Progress) -> None:
            nonlocal printed
            line = _line(recent, progress)
            if time.monotonic() - printed >= _EVERY:
                printed = time.monotonic()
                console.print(f"step {progress.step}, {_part(progress):.0%}  {line}", highlight=False)

        yield write


def _part(progress: Progress) -> float:
    """How much of the run is over, 0 to 1."""
    whole = progress.seconds + progress.seconds_left
    return progress.seconds / whole if whole else 1.0


def _line(recent: list[Progress], progress: Progress) -> str:
    recent.append(progress)
    del recent[:-_WINDOW]
    count = len(recent)
    loss = sum(step.loss for step in recent) / count
    accuracy = sum(step.accuracy for step in recent) / count
    speed = count / sum(1 / step.images_per_second for step in recent)
    minutes, seconds = divmod(round(progress.seconds_left), 60)
    return f"loss {loss:.3f}  accuracy {accuracy:.1%}  {speed:,.0f} images/s  {minutes}:{seconds:02d} left"
