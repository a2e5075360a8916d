"""The exception that the package raises for what a caller or a file got wrong, and the commonest questions before it."""

import numbers
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class InputError(ValueError):
    """An argument, a file or a setting is not what it should be.

    The message is one sentence that names the argument, what it was and what it should be. The command line
    prints it without a traceback and exits with status 2.
    """


class SharedError(InputError):
    """What all processes of a run raise alike: the first one says it and exits with status 2, the others end in silence."""


@contextmanager
def in_a_sentence() -> Iterator[None]:
    """For a program: an InputError inside the `with` block ends it with its one sentence, and exit status 2."""
    try:
        yield
    except InputError as error:
        print(error, file=sys.stderr)
        sys.exit(2)


def is_whole(value) -> bool:
    """Whether a value is an integer, Python's or NumPy's, and no truth value."""
    return type(value) is int or (isinstance(value, numbers.Integral) and not isinstance(value, bool))


def check_file(what: str, path: Path, expected: str) -> None:
    """InputError unless there is a file: to open a pipe would wait for somebody to write to it, and devices have no end."""
    try:
        if not path.exists():
            raise InputError(f"{what} {path} does not exist; expected {expected}")
        if not path.is_file():
            raise InputError(f"{what} {path} is not a file and so cannot be read; expected {expected}")
    except OSError as error:  # a name that is too long, a folder that may not be searched
        raise InputError(f"{what} {path} cannot be looked at ({error.strerror}); expected {expected}") from error
