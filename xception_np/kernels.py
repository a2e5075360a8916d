"""The one place from which CUDA kernels are launched, on a GPU (through CuPy) or on the emulated one.

    kernels.launch(FILE, "forward", x.dtype, *kernels.over(y.size), (x, y, y.size))

A `.cu` file is compiled when a kernel of it is first launched, once for every dtype, with `REAL` for the scalar type. The arrays
say where it runs. A GPU asks no questions, so they are asked here: an array must be of the dtype that the kernel's parameter says,
and a number is passed as the parameter's own type, whatever Python has it as.
"""

import functools
import hashlib
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

import numpy as np

from xception_np import arrays
from xception_np.emulator import source
from xception_np.errors import InputError, is_whole

# What is known of the kernels; the reports are in tests/golden. One that is not what ran there is named at the end, after "but for"
EVIDENCE = (
    "compiled for sm_75 to sm_120, run under emulation and on an NVIDIA H100 80GB HBM3 "
    "(selfcheck_gpu_h100.json, selfcheck_gpu_naive_h100.json)"
)

THREADS = 256  # of a block: a multiple of the 32 of a warp, and few enough for any kernel's registers
_LARGE_CHUNK = 1024
_MOST_THREADS = 1024
_MOST_BLOCKS = (2**31 - 1, 65535, 65535)
SHARED_BYTES = 48 << 10  # of a block that a launch may have without asking
NO_TYPES: Mapping[str, np.dtype] = MappingProxyType({})
_C_TYPES = {
    np.dtype(dtype): name
    for name, dtype in {
        "float": np.float32,
        "double": np.float64,
        "unsigned char": np.uint8,
        "unsigned short": np.uint16,
        "unsigned int": np.uint32,
    }.items()
}

_standing_in: dict[Path, tuple[Path, Mapping[str, str] | None]] = {}


@contextmanager
def standing_in(file: Path, other: Path, names: Mapping[str, str] | None = None) -> Iterator[None]:
    """Launch kernels of another `.cu` file in the place of one's, inside of the `with` block.

    Parameters
    ----------
    file, other : Path
        The file as `launch` is given it, and one with kernels that take the same.
    names : mapping of str to str, optional
        Which kernels, and what they are called there; by default all, by their own names.
    """
    before = dict(_standing_in)
    _standing_in[file] = other, names
    try:
        yield
    finally:
        _standing_in.clear()
        _standing_in.update(before)


def over(count: int) -> tuple[tuple[int], tuple[int]]:
    """(grid, block) with at least `count` threads in a row, one for every number of a result."""
    return (-(-count // THREADS),), (THREADS,)


def chunks(count: int) -> tuple[int, int]:
    """(size of a chunk, chunks) for a sum in two steps, both about the square root: threads enough, and few roundings in a row."""
    chunk = math.isqrt(count - 1) + 1
    return chunk, -(-count // chunk)


def large_chunks(count: int) -> tuple[int, int]:
    """The same where a block adds a chunk, and writes a whole matrix for it: few of them, so that these do not fill the memory."""
    chunk = max(_LARGE_CHUNK, math.isqrt(count - 1) + 1)
    return chunk, -(-count // chunk)


def launch(
    file: Path,
    name: str,
    dtype,
    grid: Sequence[int],
    block: Sequence[int],
    args: Sequence,
    shared_mem: int = 0,
    types: Mapping[str, np.dtype] = NO_TYPES,
) -> None:
    """Launch a kernel where its arrays are; nothing happens where the grid is empty.

    Parameters
    ----------
    file : Path
        The `.cu` file.
    name : str
        The kernel in it.
    dtype : float32 or float64
        What `REAL` is.
    grid, block : sequences of int
        Up to three sizes each.
    args : sequence of device arrays and numbers
        One for every parameter of the kernel.
    shared_mem : int
        Bytes of dynamic shared memory.
    types : mapping of str to dtype
        Other macros of the file that stand for types.

    Raises
    ------
    InputError
        If an argument is not what the kernel takes, arrays are in different places, or a size is beyond what a GPU has.
    """
    file, name = _that_stands_in(file, name)
    _check_sizes(name, grid, block)
    macros = _macros(dtype, types)
    values = [_argument(name, *pair) for pair in zip(_parameters(file, macros, name, len(args)), args, strict=True)]
    places = {place for value in args if (place := arrays.place_of(value)) is not None}
    if len(places) != 1:
        found = " and ".join(sorted(arrays.WHERE[place] for place in places)) or "nowhere"
        raise InputError(f"arrays of kernel {name} are {found}; expected all on one device")
    if 0 in grid:
        return
    kernel = _kernel(places.pop(), file, macros, name)
    if shared_mem > SHARED_BYTES:
        kernel.max_dynamic_shared_size_bytes = shared_mem
    kernel(tuple(grid), tuple(block), tuple(values), shared_mem=shared_mem)


def _that_stands_in(file: Path, name: str) -> tuple[Path, str]:
    """The file and the name of the kernel to launch."""
    other, names = _standing_in.get(file, (file, None))
    if names is None:
        return other, name
    return (other, names[name]) if name in names else (file, name)


def parameter_names(file: Path, name: str, dtype, types: Mapping[str, np.dtype] = NO_TYPES) -> list[str]:
    """What a kernel takes, by name; arguments as in `launch`."""
    return [parameter.name for parameter in _signatures(file, _macros(dtype, types))[name]]


@functools.cache
def _text(file: Path) -> str:
    return file.read_text()


@functools.cache
def _signatures(file: Path, macros: tuple) -> dict[str, tuple[source.Parameter, ...]]:
    return source.kernels(_text(file), {macro: _C_TYPES[dtype] for macro, dtype in macros}, label(file))


@functools.cache
def _module(place: str, file: Path, macros: tuple):
    options = tuple(f"-D{macro}={_C_TYPES[dtype]}" for macro, dtype in macros)
    named = {"file": label(file)} if place == "emulated" else {}  # which findings then name
    return arrays.device(place).RawModule(code=_text(file), options=options, **named)


@functools.cache
def _kernel(place: str, file: Path, macros: tuple, name: str):
    return _module(place, file, macros).get_function(name)


def _macros(dtype, types: Mapping[str, np.dtype]) -> tuple:
    return tuple((macro, np.dtype(each)) for macro, each in {"REAL": dtype, **types}.items())


def _parameters(file: Path, macros: tuple, name: str, count: int) -> tuple[source.Parameter, ...]:
    known = _signatures(file, macros)
    if name not in known:
        raise InputError(f"kernel is {name!r}; expected one that {label(file)} has: {', '.join(known)}")
    if count != len(known[name]):
        names = ", ".join(parameter.name for parameter in known[name])
        raise InputError(f"args has {count} values; expected {len(known[name])}, as kernel {name} takes: {names}")
    return known[name]


def _argument(kernel: str, parameter: source.Parameter, value):
    """An array as it is, a number as the parameter's own type."""
    if parameter.pointer:
        place = arrays.place_of(value)
        if place in (None, arrays.NUMPY) or value.dtype != parameter.dtype or not value.flags.c_contiguous:
            what = f"a {type(value).__name__}" if place is None else f"{value.dtype} {arrays.WHERE[place]}, strides {value.strides}"
            raise InputError(
                f"argument {parameter.name} of kernel {kernel} is {what}; expected a C-contiguous device array of {parameter.dtype}"
            )
        return value
    if not _fits(value, parameter.dtype):
        raise InputError(
            f"argument {parameter.name} of kernel {kernel} is {value!r}; expected a number that {parameter.dtype} can hold"
        )
    return parameter.dtype.type(value)


def _fits(value, dtype: np.dtype) -> bool:
    if dtype.kind == "f":
        return is_whole(value) or isinstance(value, float | np.floating)
    least, most = _limits(dtype)
    return is_whole(value) and least <= value <= most


@functools.cache
def _limits(dtype: np.dtype) -> tuple[int, int]:
    return int(np.iinfo(dtype).min), int(np.iinfo(dtype).max)


def _check_sizes(kernel: str, grid: Sequence[int], block: Sequence[int]) -> None:
    if len(grid) > 3 or any(size > most for size, most in zip(grid, _MOST_BLOCKS, strict=False)):
        raise InputError(f"grid of kernel {kernel} is {grid}; expected at most {_MOST_BLOCKS} blocks")
    if len(block) > 3 or not 1 <= math.prod(block) <= _MOST_THREADS:
        raise InputError(f"block of kernel {kernel} is {block}; expected 1 to {_MOST_THREADS} threads")


def digests() -> dict[str, str]:
    """SHA-256 of every `.cu` file, by what messages call it: two versions of a kernel have different ones."""
    files = sorted(Path(__file__).parent.glob("*/*/*.cu"))
    return {label(file): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def label(file: Path) -> str:
    """What messages and findings call a file."""
    return f"{file.parent.name}/{file.name}"
