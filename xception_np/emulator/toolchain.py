"""g++, and what it has made: every object and library is kept on disk, by a hash of all that went into it.

A change of the kernel, of the runtime, of this file with its flags, or of the compiler gives another name, so nothing old is ever
taken for new.
"""

import functools
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from xception_np import files
from xception_np.errors import InputError

_SOURCES = Path(__file__).parent / "runtime"
_APART = ["-fvisibility=hidden", "-fno-gnu-unique", "-fcf-protection=none"]  # two libraries share nothing in one process
_SAME_BITS = ["-ffp-contract=off", "-fno-math-errno", "-fno-strict-aliasing"]  # in both modes
_COMMON = ["-std=c++17", "-fPIC", "-w", *_APART, *_SAME_BITS]
_UNDEFINED = "-fsanitize=bounds,signed-integer-overflow,shift,integer-divide-by-zero"
# Without optimisation every access of the source is one access, at its line
_CHECKED = ["-O0", "-g", "-fsanitize=thread", "-fsanitize-coverage=trace-pc", _UNDEFINED]
_LOCALS = "-ftrivial-auto-var-init=pattern"  # what a thread has not written is no 0 by chance; of GCC 12 and newer
KERNEL_FLAGS = {"check": _CHECKED, "fast": ["-O3"]}
RUNTIME_FLAGS = {"check": ["-O2", "-DEMULATOR_CHECK"], "fast": ["-O2"]}
_RUNTIME = {"check": ("scheduler", "checker", "callbacks"), "fast": ("scheduler", "unchecked")}
KERNELS = "kernels.cu"  # what the compiler calls the text, in debugging information
_MONTH = 30 * 24 * 3600
_building = threading.RLock()


class MissingCompiler(InputError):
    """A compiler is not installed."""


def compiler() -> tuple[str, str]:
    """The path of g++, and what it says of its version."""
    path = shutil.which("g++")
    if path is None:
        raise MissingCompiler(
            "g++ was not found; the emulator compiles kernels with it: install GCC (Debian and Ubuntu: apt install g++)"
        )
    version = _version(path)
    if "clang" in version:
        raise MissingCompiler(
            f"g++ is {version}; the emulator needs GCC's, whose instrumentation it relies on: install GCC, g++ first on the PATH"
        )
    return path, version


@functools.cache
def _version(path: str) -> str:
    return subprocess.run([path, "--version"], capture_output=True, text=True, check=True).stdout.splitlines()[0]


def _major() -> int:
    """GCC's first number."""
    return int(_number(compiler()[0]).split(".")[0])


@functools.cache
def _number(path: str) -> str:
    return subprocess.run([path, "-dumpversion"], capture_output=True, text=True, check=True).stdout.strip()


def cache_folder() -> Path:
    """Where compiled code is kept: `xception_np/emulator` in the system's folder for caches."""
    import pooch  # it and requests take a third of a second to import

    return files.make_folder(Path(pooch.os_cache("xception_np")) / "emulator")


def library(text: str, file: str, mode: str, defines: Sequence[str]) -> Path:
    """A shared library of a kernel's C++ text and the runtime.

    Parameters
    ----------
    text : str
        What `source.with_shared_memory` made, and the entries of the kernels.
    file : str
        The name that the compiler gives the text in messages.
    mode : "check" or "fast"
    defines : sequence of str
        Macros, as NAME=VALUE.
    """
    objects = [_object(name, mode) for name in _RUNTIME[mode]]
    flags = [
        *_COMMON,
        *RUNTIME_FLAGS[mode],
        *KERNEL_FLAGS[mode],
        *([_LOCALS] if mode == "check" and _major() >= 12 else []),
        *(f"-D{each}" for each in defines),
        "-include",
        str(_SOURCES / "cuda.h"),
    ]

    def make(target: Path):
        with tempfile.TemporaryDirectory() as folder:
            kernels, compiled = Path(folder) / KERNELS, Path(folder) / "kernels.o"
            kernels.write_text(text)
            _run([*flags, "-x", "c++", "-c", str(kernels), "-o", str(compiled)], file)
            _run(["-shared", "-Wl,-z,defs", str(compiled), *map(str, objects), "-o", str(target)], file)

    name = re.sub(r"\W+", "-", file)
    return _kept(name, ".so", [text, file, *flags, *(path.name for path in objects), _headers()], make)


def _object(name: str, mode: str) -> Path:
    """A part of the runtime, compiled."""
    path = _SOURCES / f"{name}.cpp"
    flags = [*_COMMON, *RUNTIME_FLAGS[mode], "-I", str(_SOURCES)]
    return _kept(
        name, ".o", [path.read_text(), *flags, _headers()], lambda target: _run([*flags, "-c", str(path), "-o", str(target)], name)
    )


def _headers() -> str:
    return "".join(path.read_text() for path in sorted(_SOURCES.glob("*.h")))


def _kept(name: str, suffix: str, ingredients: Sequence[str], make: Callable[[Path], None]) -> Path:
    digest = hashlib.sha256("\0".join([*compiler(), Path(__file__).read_text(), *ingredients]).encode()).hexdigest()
    path = cache_folder() / f"{name}-{digest[:24]}{suffix}"
    with _building:
        if not path.exists():
            _remove_forgotten(path.parent)
            with files.replacing(path) as temporary:
                make(temporary)
        os.utime(path)
    return path


def _remove_forgotten(folder: Path) -> None:
    """Remove what nobody has used for a month: every change of a kernel leaves its former library here."""
    for path in folder.iterdir():
        with suppress(FileNotFoundError):  # another process may be faster
            if path.stat().st_mtime < time.time() - _MONTH:
                path.unlink()


def _run(arguments: Sequence[str], file: str) -> None:
    done = subprocess.run([compiler()[0], *arguments], capture_output=True, text=True)
    if done.returncode:
        errors = [line for line in done.stderr.splitlines() if "error:" in line or "undefined reference" in line]
        first = re.sub(rf"\S*/{KERNELS}", file, errors[0] if errors else done.stderr.strip())
        raise InputError(f"{file} does not compile: {first}; expected CUDA C++ that g++ understands")
