"""What NVIDIA's own compiler says of a kernel, without a GPU: the library NVRTC, which CuPy hands its kernels to, called by ctypes.

    compiled = nvrtc.compile(text, ("-DREAL=float",), arch="sm_80")
    compiled.kernels["scale"].registers     # spills, stack, shared memory: what a budget is held against
    nvrtc.double_precision(compiled.ptx)    # [] for a kernel of floats: 64-bit arithmetic is slow on most GPUs

NVRTC is in the wheel `nvidia-cuda-nvrtc`; nothing else of CUDA is needed.
"""

import ctypes
import functools
import importlib.util
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from xception_np.emulator.toolchain import MissingCompiler
from xception_np.errors import InputError

# What CuPy adds to a RawModule's own options
CUPY_OPTIONS = ("-ftz=true", "--device-as-default-execution-space")
ARCHITECTURES = ("sm_75", "sm_80", "sm_90", "sm_120")

_ENTRY = re.compile(r"Compiling entry function '(\w+)' for")
_COUNTS = {
    "registers": r"Used (\d+) registers",
    "spill_stores": r"(\d+) bytes spill stores",
    "spill_loads": r"(\d+) bytes spill loads",
    "stack": r"(\d+) bytes stack frame",
    "shared": r"(\d+) bytes smem",
}


class Resources(NamedTuple):
    """What one thread of a kernel needs, in registers of 4 bytes and in bytes; `shared` is a block's static shared memory."""

    registers: int
    spill_stores: int
    spill_loads: int
    stack: int
    shared: int


class Compiled(NamedTuple):
    """A file of kernels, compiled for one architecture."""

    arch: str
    log: str
    ptx: str
    kernels: dict[str, Resources]


def compile(code: str, options: Sequence[str] = (), *, arch: str = "sm_80", file: str = "kernel.cu") -> Compiled:
    """Compile a CUDA C source text as CuPy's RawModule would.

    Parameters
    ----------
    code : str
    options : sequence of str
        As a RawModule's: `-DREAL=float`.
    arch : str
        Such as `sm_80`.
    file : str
        A name for the text, in messages.

    Raises
    ------
    InputError
        If it does not compile, with the compiler's first error.
    MissingCompiler
        If NVRTC is not installed.
    """
    nvrtc = _library()
    program = ctypes.c_void_p()
    _succeed(nvrtc, nvrtc.nvrtcCreateProgram(ctypes.byref(program), code.encode(), file.encode(), 0, None, None))
    try:
        words = [each.encode() for each in (*options, *CUPY_OPTIONS, f"-arch={arch}", "--ptxas-options=-v")]
        status = nvrtc.nvrtcCompileProgram(program, len(words), (ctypes.c_char_p * len(words))(*words))
        log = _text(nvrtc, program, "ProgramLog")
        if status:
            errors = [line for line in log.splitlines() if "error" in line]
            raise InputError(
                f"{file} does not compile for {arch}: {errors[0] if errors else log.strip()}; expected CUDA C++ that NVRTC takes"
            )
        return Compiled(arch, log, _text(nvrtc, program, "PTX"), _resources(log))
    finally:
        nvrtc.nvrtcDestroyProgram(ctypes.byref(program))


def double_precision(ptx: str) -> list[str]:
    """The instructions of a PTX text that compute with, convert or move 64-bit floating-point numbers."""
    return [
        line.strip()
        for line in ptx.splitlines()
        if re.search(r"\.f64\b", line) and not line.strip().startswith((".reg", ".param", "//"))
    ]


def _resources(log: str) -> dict[str, Resources]:
    parts = _ENTRY.split(log)[1:]
    return {
        name: Resources(**{each: _count(how, text) for each, how in _COUNTS.items()})
        for name, text in zip(parts[::2], parts[1::2], strict=True)
    }


def _count(pattern: str, text: str) -> int:
    """The largest number: functions that were not inlined have lines of their own."""
    return max(map(int, re.findall(pattern, text)), default=0)


def _text(nvrtc: ctypes.CDLL, program: ctypes.c_void_p, what: str) -> str:
    size = ctypes.c_size_t()
    _succeed(nvrtc, getattr(nvrtc, f"nvrtcGet{what}Size")(program, ctypes.byref(size)))
    text = ctypes.create_string_buffer(size.value)
    _succeed(nvrtc, getattr(nvrtc, f"nvrtcGet{what}")(program, text))
    return text.value.decode()


def _succeed(nvrtc: ctypes.CDLL, status: int) -> None:
    if status:
        nvrtc.nvrtcGetErrorString.restype = ctypes.c_char_p
        raise RuntimeError(f"NVRTC: {nvrtc.nvrtcGetErrorString(status).decode()}")


@functools.cache
def _library() -> ctypes.CDLL:
    package = importlib.util.find_spec("nvidia")
    folders = [Path(folder) for folder in (package.submodule_search_locations or ())] if package else []
    found = sorted(path for folder in folders for path in folder.glob("*/lib/libnvrtc.so.*") if "alt" not in path.name)
    if not found:
        raise MissingCompiler("NVRTC was not found; install its wheel: pip install 'xception-np[nvrtc]'")
    return ctypes.CDLL(str(found[-1]))
