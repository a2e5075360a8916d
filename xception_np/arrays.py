"""Arrays, wherever they are: in NumPy, with memory from the pool (`memory`), or on a device.

A device is a GPU, whose arrays are CuPy's, with a pool of its own, or the emulated GPU. Nothing moves there or back by itself:

    y = arrays.empty((8, 19, 19, 728), np.float32)     # uninitialised, in NumPy
    x = arrays.to_device(x, "emulated")                # or "gpu"; a copy
    y = arrays.empty_like(x)                           # is where x is
    y = arrays.to_host(y)                              # a copy, in NumPy
"""

import importlib
import math
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType

import numpy as np

from xception_np import memory
from xception_np.errors import InputError

# Where arrays can be, how messages say it, and the module that makes them there
NUMPY = "numpy"
WHERE = {NUMPY: "in NumPy", "gpu": "on a GPU", "emulated": "on the emulated GPU"}
_DEVICES = {"gpu": "cupy", "emulated": "xception_np.emulator.device"}

_BAND = 512  # bytes before and after a guarded array, as far as a GPU's allocations are aligned
_poison = False
_place_of_type: dict[type, str | None] = {}
_guards: list[tuple] | None = None  # (whole, first, last) of every guarded array: with its bands, and where it begins and ends


def empty(shape: tuple[int, ...], dtype, like=None):
    """An uninitialised C-contiguous array where `like` is; in NumPy, aligned to 64 bytes and from the pool, without it."""
    if _guards is not None:
        return _between_bands(shape, np.dtype(dtype), like)
    return _new(shape, dtype, like)


def zeros(shape: tuple[int, ...], dtype) -> np.ndarray:
    """A NumPy array of zeros from the pool."""
    array = empty(shape, dtype)
    array.fill(0)
    return array


def read_only(array: np.ndarray) -> np.ndarray:
    """A read-only view. For Numba these are another kind of argument than arrays to write to; functions are compiled for one."""
    view = array.view()
    view.flags.writeable = False
    return view


def empty_like(array):
    """An uninitialised array of the same shape and dtype, in the same memory."""
    return empty(array.shape, array.dtype, like=array)


def place_of(value) -> str | None:
    """Where an array is: "numpy", "gpu" or "emulated"; None for what is no array."""
    kind = type(value)
    if kind not in _place_of_type:  # a training step asks thousands of times
        _place_of_type[kind] = _found_place(kind)
    return _place_of_type[kind]


def _found_place(kind: type) -> str | None:
    if issubclass(kind, np.ndarray):
        return NUMPY
    for place, name in _DEVICES.items():
        module = sys.modules.get(name)  # who never imported it has no array of it
        if module is not None and issubclass(kind, module.ndarray):
            return place
    return None


def in_words(place: str | None) -> str:
    """Where an array is, as `place_of` says it; what is no array would be in NumPy."""
    return WHERE[place or NUMPY]


def device(place: str) -> ModuleType:
    """The module that makes arrays and kernels in a device's memory: CuPy, or the emulator's twin of it.

    Raises
    ------
    InputError
        If it is not installed, or there is no GPU; the message says how to come by it.
    """
    if place not in _DEVICES:
        raise InputError(f"device is {place!r}; expected one of {', '.join(map(repr, _DEVICES))}")
    try:
        module = importlib.import_module(_DEVICES[place])
    except ImportError as error:
        if place != "gpu":
            raise
        if not isinstance(error, ModuleNotFoundError) or error.name != "cupy":
            why = str(error).strip().splitlines()[0]
            raise InputError(
                f"implementation 'gpu' needs CuPy, which is installed but cannot be imported ({why}); expected one for which "
                f"`import cupy` works, or 'emulated', which needs no GPU"
            ) from error
        raise InputError(
            "implementation 'gpu' needs CuPy, which is not installed; expected pip install 'xception-np[gpu]' (or "
            "cupy-cuda12x, for an older driver), or 'emulated', which needs no GPU"
        ) from error
    if place == "gpu" and not _has_gpu(module):
        raise InputError(
            "implementation 'gpu' needs an NVIDIA GPU, and CuPy finds none; expected one with its driver (nvidia-smi shows it), or "
            "'emulated', which needs no GPU"
        )
    return module


def to_device(value, place: str):
    """Copy to a device: an array, or all arrays in nested tuples and lists (caches, say); what is there already stays as it is."""
    module = device(place)

    def moved(array):
        found = place_of(array)
        if found not in (NUMPY, place):
            raise InputError(f"array is {in_words(found)}; expected a NumPy array: move it with arrays.to_host first")
        return module.asarray(np.asarray(array, order="C")) if found == NUMPY else array

    return _each(moved, value)


def to_host(value):
    """Copy to NumPy: an array, or all arrays in nested tuples and lists; a NumPy array stays as it is."""
    return _each(lambda array: array if isinstance(array, np.ndarray) else array.get(), value)


def moved(value, place: str):
    """An array, or all arrays in nested tuples and lists, in NumPy or on a device; what is there already stays as it is."""
    return to_host(value) if place == NUMPY else to_device(value, place)


def beside(array, values: np.ndarray):
    """NumPy's values where an array is."""
    return moved(values, place_of(array) or NUMPY)


def ones_like(array):
    """An array of ones of the same shape and dtype, in the same memory."""
    return beside(array, np.ones(array.shape, array.dtype))


def write(array, values: np.ndarray) -> None:
    """Overwrite an array, wherever it is, with NumPy's values of the same shape."""
    if place_of(array) == NUMPY:
        array[...] = values
    else:
        array.set(np.asarray(values, array.dtype, order="C"))


def finish(place: str) -> None:
    """Wait until a device is through with what it was asked for; elsewhere nothing is asked for without waiting."""
    if place == "gpu":
        device(place).cuda.get_current_stream().synchronize()


def nbytes(*values) -> int:
    """Bytes of all the distinct arrays in nested tuples and lists (caches, say), each counted once."""
    found: dict[int, int] = {}

    def visit(value):
        if isinstance(value, np.ndarray):
            found[value.__array_interface__["data"][0]] = value.nbytes
        elif place_of(value):
            found[id(value)] = value.nbytes
        elif isinstance(value, tuple | list):
            for item in value:
                visit(item)

    visit(values)
    return sum(found.values())


@contextmanager
def poisoned() -> Iterator[None]:
    """Fill every new floating-point array with NaN, so that a pass that reads what it never wrote is seen."""
    global _poison
    before, _poison = _poison, True
    try:
        yield
    finally:
        _poison = before


@contextmanager
def guarded() -> Iterator[Callable[[], int]]:
    """Put every new array between two bands of known bytes, inside of the `with` block.

    What it gives is a function that counts the arrays whose bands somebody has written to. All arrays are kept until the end.
    """
    global _guards
    before, _guards = _guards, []
    guards = _guards
    try:
        yield lambda: sum(not _is_whole(*guard) for guard in guards)
    finally:
        _guards = before


def _new(shape: tuple[int, ...], dtype, like):
    place = NUMPY if like is None else place_of(like)
    if place is not None and place != NUMPY:
        return sys.modules[_DEVICES[place]].empty(shape, dtype)
    dtype = np.dtype(dtype)
    array = memory.empty(shape, dtype)
    if _poison and dtype.kind == "f":
        array.fill(np.nan)
    return array


def _between_bands(shape: tuple[int, ...], dtype: np.dtype, like):
    assert _guards is not None
    first = _BAND // dtype.itemsize
    last = first + math.prod(shape)
    whole = _new((last + first,), dtype, like)
    for part in (whole[:first], whole[last:]):
        if isinstance(part, np.ndarray):
            part[...] = _band(dtype)
        else:
            part.set(_band(dtype))
    _guards.append((whole, first, last))
    return whole[first:last].reshape(shape)


def _is_whole(whole, first: int, last: int) -> bool:
    return all(to_host(part).tobytes() == _band(whole.dtype).tobytes() for part in (whole[:first], whole[last:]))


def _band(dtype: np.dtype) -> np.ndarray:
    return np.full(_BAND, 0xA5, np.uint8).view(dtype)


def _each(function, value):
    """The value with function(array) for every array in it."""
    if place_of(value):
        return function(value)
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(_each(function, item) for item in value))
    return type(value)(_each(function, item) for item in value) if isinstance(value, tuple | list) else value


def _has_gpu(cupy: ModuleType) -> bool:
    try:
        return cupy.cuda.runtime.getDeviceCount() > 0
    except cupy.cuda.runtime.CUDARuntimeError:  # no driver
        return False
