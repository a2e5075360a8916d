"""What a run measured, as lines of JSON that grow with it."""

import json
import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Generic, NamedTuple, TypeVar

from xception_np.errors import InputError, check_file, is_whole
from xception_np.files import replacing

_EXPECTED = "lines of JSON that a run wrote"
_ROUNDED = 1e-5  # accuracies that processes added up in float32 may be above 1 by less
_MOST = 1e39  # nothing that is measured in float32 is as large, and pictures can still be drawn of it


class Progress(NamedTuple):
    """Where a run is after a step; one line of metrics.jsonl.

    waited : seconds that the step's pictures kept it waiting
    memory : bytes in memory after it; of this and `waited`, lines from before they were written down have 0
    allreduce : seconds that the first of many processes waited for the others and for the sum over them; 0 if it is alone
    """

    step: int
    epoch: float
    loss: float
    accuracy: float
    rate: float
    images_per_second: float
    seconds: float
    seconds_left: float
    waited: float = 0.0
    memory: int = 0
    allreduce: float = 0.0


class Validation(NamedTuple):
    """How good the model was on the validation pictures after an epoch; one line of validation.jsonl."""

    step: int
    epoch: float
    loss: float
    accuracy: float
    seconds: float


Line = TypeVar("Line", Progress, Validation)


class History(Generic[Line]):
    """The lines of one kind, in a file; not in memory, where a long run would have ever more of them.

    Parameters
    ----------
    path : Path
    kind : type
        Progress or Validation.
    """

    def __init__(self, path: Path, kind: type[Line]) -> None:
        self.path = path
        self.kind: Callable[..., Line] = kind

    @property
    def lines(self) -> list[Line]:
        """All of them, read from the file each time."""
        return read(self.path, self.kind)

    def cut(self, step: int) -> None:
        """Make the file what it was after this step."""
        lines = [line for line in self.lines if line.step <= step] if step else []
        with replacing(self.path) as temporary:
            temporary.write_text("".join(map(_text, lines)))

    def append(self, line: Line) -> None:
        """Add a line; it is in the file when this returns."""
        self._extend(_text(line))

    def sync(self) -> None:
        """Make sure that the lines outlast a power failure."""
        self._extend("", last=True)

    def _extend(self, text: str, last: bool = False) -> None:
        try:
            with open(self.path, "a") as file:
                file.write(text)
                file.flush()
                if last:
                    os.fsync(file.fileno())
        except OSError as error:
            raise InputError(f"cannot write {self.path}: {error.strerror}; make room, and go on with --resume") from error


def read(path: Path, kind: Callable[..., Line]) -> list[Line]:
    """The whole lines of a file, an unfinished last one left out; no file, no lines."""
    if not path.exists():
        return []
    check_file(path.stem, path, _EXPECTED)
    try:
        return [_checked(kind(**json.loads(line))) for line in path.read_text().split("\n")[:-1]]
    except (OSError, TypeError, ValueError, RecursionError, OverflowError) as error:
        raise InputError(f"{path} cannot be read; expected {_EXPECTED}") from error


def _checked(line: Line) -> Line:
    """The line, if a run can have measured it; ValueError if not."""
    numbers = all(isinstance(value, int | float) and math.isfinite(value) and abs(value) < _MOST for value in line)
    if not (numbers and is_whole(line.step) and line.step > 0 and line.seconds > 0 and 0 <= line.accuracy < 1 + _ROUNDED):
        raise ValueError(f"line is {line}")
    return line


def _text(line: NamedTuple) -> str:
    return json.dumps(line._asdict()) + "\n"
