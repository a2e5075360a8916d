"""The runtime's structures for Python (as in runtime/runtime.h), a library of it in memory, and source lines for its addresses."""

import ctypes
import functools
import re
import subprocess
import threading
from collections.abc import Iterable
from ctypes import POINTER, c_char, c_char_p, c_int32, c_int64, c_uint32, c_uint64, c_void_p
from pathlib import Path

from xception_np.emulator.toolchain import KERNELS

ARGUMENT_BYTES, MOST_ARGUMENTS = 16, 64
_FIRST_ADDRESS = 1 << 24  # a site below is a source line


class Index(ctypes.Structure):
    """As in the runtime."""

    _fields_ = [(name, c_uint32) for name in ("x", "y", "z")]


class Buffer(ctypes.Structure):
    """As in the runtime."""

    _fields_ = [("start", c_void_p), ("size", c_uint64), ("initialised", c_void_p), ("before", c_uint64), ("grain", c_uint64)]


class Launch(ctypes.Structure):
    """As in the runtime."""

    _fields_ = [
        ("kernel", c_void_p),
        ("arguments", POINTER(c_char)),
        ("grid", Index),
        ("block", Index),
        ("dynamic_shared", c_uint64),
        ("most_shared", c_uint64),
        ("blocks", c_void_p),
        ("block_count", c_uint64),
        ("order", c_int32),
        ("seed", c_uint32),
        ("buffers", POINTER(Buffer)),
        ("buffer_count", c_uint64),
        ("most_steps", c_uint64),
        ("traced_block", c_uint64),
    ]


class Finding(ctypes.Structure):
    """As in the runtime."""

    _fields_ = [
        ("kind", c_int32),
        ("access", c_int32),
        ("region", c_int32),
        ("size", c_uint32),
        ("offset", c_int64),
        ("site", c_uint64),
        ("other_site", c_uint64),
        ("block", c_uint64),
        ("other_block", c_uint64),
        ("thread", c_uint32),
        ("other_thread", c_uint32),
        ("with_other", c_int32),
        ("other_access", c_int32),
        ("count", c_uint64),
    ]


class RegionUse(ctypes.Structure):
    """As in the runtime."""

    _fields_ = [
        ("name", c_char_p),
        ("size", c_uint64),
        ("asked_read", c_uint64),
        ("asked_written", c_uint64),
        ("unique_read", c_uint64),
        ("unique_written", c_uint64),
    ]


class SiteUse(ctypes.Structure):
    """As in the runtime."""

    _fields_ = [
        ("site", c_uint64),
        ("region", c_int32),
        ("access", c_int32),
        ("requests", c_uint64),
        ("bytes", c_uint64),
        ("sectors", c_uint64),
        ("passes", c_uint64),
        ("least_passes", c_uint64),
    ]


class Traced(ctypes.Structure):
    """As in the runtime."""

    _fields_ = [
        ("site", c_uint64),
        ("offset", c_uint64),
        ("region", c_int32),
        ("access", c_int32),
        ("thread", c_uint32),
        ("size", c_uint32),
    ]


class Result(ctypes.Structure):
    """As in the runtime."""

    _fields_ = [
        ("findings", POINTER(Finding)),
        ("finding_count", c_uint64),
        ("regions", POINTER(RegionUse)),
        ("region_count", c_uint64),
        ("sites", POINTER(SiteUse)),
        ("site_count", c_uint64),
        ("traced", POINTER(Traced)),
        ("traced_count", c_uint64),
        ("threads", c_uint64),
        ("blocks", c_uint64),
        ("barriers", c_uint64),
    ]


class Library:
    """A compiled file of kernels with its runtime, which is global state: `lock` is held from a launch until its result is read."""

    def __init__(self, path: Path):
        self._path = path
        self._code = ctypes.CDLL(str(path))
        self._lines: dict[int, int] = {}
        self._base = self._address("emulator_launch") - self._offset("emulator_launch")
        self.lock = threading.Lock()

    def entry(self, kernel: str) -> int:
        """The address of what the scheduler calls for a kernel."""
        return self._address(f"emulator_entry_{kernel}")

    def most_threads(self, kernel: str) -> int | None:
        """What a kernel's `__launch_bounds__` says; None if it has none."""
        try:
            return c_uint32.in_dll(self._code, f"emulator_most_threads_{kernel}").value
        except ValueError:
            return None

    def launch(self, launch: Launch) -> Result:
        """Run a grid; the result is valid until the next launch."""
        result = Result()
        self._code.emulator_launch(ctypes.byref(launch), ctypes.byref(result))
        return result

    def lines(self, sites: Iterable[int]) -> dict[int, int]:
        """The kernel's source line for every site: that of the innermost function of its own file; 0 if there is none."""
        new = sorted({site for site in sites if site >= _FIRST_ADDRESS} - self._lines.keys())
        if new:
            # A site is where a call returns to, so what called is just before
            asked = [hex(site - self._base - 1) for site in new]
            answers = re.split(
                r"^0x[0-9a-f]+\n", _output("addr2line", "-a", "-i", "-e", str(self._path), *asked), flags=re.MULTILINE
            )[1:]
            for site, frames in zip(new, answers, strict=True):
                found = re.search(rf"/{KERNELS}:(\d+)", frames)
                self._lines[site] = int(found[1]) if found else 0
        return {site: self._lines.get(site, site) for site in sites}

    def _address(self, name: str) -> int:
        return ctypes.cast(getattr(self._code, name), c_void_p).value or 0

    def _offset(self, name: str) -> int:
        """Where a symbol is in the file, whose beginning may be anywhere in memory."""
        found = re.search(rf"^([0-9a-f]+) \w {name}$", _output("nm", "-D", str(self._path)), re.MULTILINE)
        assert found, name
        return int(found[1], 16)


@functools.cache
def load(path: Path) -> Library:
    """The library of a file: one for each, since what is loaded twice is one in memory."""
    return Library(path)


def _output(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout
