"""Writing files so that nothing is lost: a file is either the old one or the new one, whole."""

import json
import os
import re
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from xception_np.errors import InputError, check_file

_UNFINISHED = re.compile(r"\.(.+)\.\d+\.tmp")


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path beside `path` that takes its place at the end of the `with` block, if nothing went wrong."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        with open(temporary, "rb") as written:
            os.fsync(written.fileno())
        temporary.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        kept = "; the former file is as it was" if os.path.exists(path) else ""
        raise InputError(f"cannot write {path}: {error.strerror or error}{kept}") from error
    finally:
        with suppress(OSError):  # where it could not be written, it may not be there to be removed
            temporary.unlink()


def is_zip(path: Path) -> bool:
    """Whether a file is an archive that `zipfile` reads: one in parts is none, where `zipfile.is_zipfile` raises an error."""
    try:
        return path.is_file() and zipfile.is_zipfile(path)
    except zipfile.BadZipFile:
        return False


def _sync_folder(folder: Path) -> None:
    """Make the renaming last, too: it is the folder that changed. Without that, the file is there all the same."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def remove_unfinished(folder: Path, names: Iterable[str]) -> None:
    """Remove what a process that was killed had begun to write, of files with these names."""
    for path in folder.iterdir():
        found = _UNFINISHED.fullmatch(path.name)
        if found and found[1] in names:
            path.unlink(missing_ok=True)


def make_folder(path: Path) -> Path:
    """Create a folder and its parents."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot create the folder {path}: {error.strerror}; choose another one") from error
    return path


def with_home(path: str | os.PathLike) -> Path:
    """A path that a user gave, "~" replaced by a home folder; where there is no such user it is a name like any other."""
    return Path(os.path.expanduser(path))


def read_json(path: Path, expected: str) -> Any:
    """What is in a file; InputError if it is not there, or not JSON."""
    check_file("file", path, expected)
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"file {path} cannot be read; expected {expected}") from error
