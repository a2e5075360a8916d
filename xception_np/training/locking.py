"""A run folder belongs to one process at a time: two that write to it would each undo what the other did."""

import fcntl
import os
import time
from pathlib import Path
from typing import IO

from xception_np.errors import InputError

NAME = "run.lock"
_A_LOOK = 0.1  # seconds, far more than `is_held` takes


class Lock:
    """The right to write to a run folder, held inside a `with` block; blocks of the same lock may be nested.

    The lock belongs to the open file, not to what is in it: the kernel takes it back when the process ends, however it ends. The
    file stays, for whoever removed it could remove it from under a third process.

    Parameters
    ----------
    folder : Path

    Raises
    ------
    InputError
        On entry, if another process has it, or the file system has no locks.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self._depth = 0
        self._file: IO[str] | None = None

    def __enter__(self) -> "Lock":
        if self._depth == 0:
            self._file = _locked(self.folder)
        self._depth += 1
        return self

    def __exit__(self, *error: object) -> None:
        self._depth -= 1
        if self._depth == 0 and self._file is not None:
            self._file.close()
            self._file = None


def is_held(folder: Path) -> bool:
    """Whether a process is writing to a run folder now."""
    if not (folder / NAME).is_file():  # no lock was ever taken; to open a pipe would wait for who writes to it
        return False
    try:
        with open(folder / NAME) as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # it may not be looked at
        return False
    return False


def _locked(folder: Path) -> IO[str]:
    path = folder / NAME
    try:
        file = open(path, "a+")  # noqa: SIM115 (open as long as the lock is held)
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror}; choose a folder that may be written to") from error
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:  # somebody may only have looked whether it is held
            time.sleep(_A_LOOK)
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        file.truncate(0)
        file.write(f"{os.getpid()} on {os.uname().nodename}\n")
        file.flush()
    except BlockingIOError as error:
        file.seek(0)
        holder = file.read().strip()
        file.close()
        raise InputError(
            f"run is {folder}, which is in use by process {holder}; expected one that no other process trains"
        ) from error
    except OSError as error:
        file.close()
        raise InputError(f"cannot lock {path}: {error.strerror}; choose a folder on a disk that has locks and room") from error
    return file
