"""Memory of the emulated device: arrays that kernels work on, and that NumPy cannot touch by accident.

The names and what they do are CuPy's, as far as this project uses them; everything else is refused with a sentence, so that code
which runs here has no help from the host. What is on the device is read by `array.get()` only, and computed by kernels only.

    x = device.asarray(numpy_array)        # a copy
    y = device.empty((8, 4), np.float32)   # no values yet: check mode reports who reads them
    y.get()                                # a copy, in NumPy
"""

import math
import mmap
from typing import NoReturn

import numpy as np

from xception_np.emulator.kernel import RawModule
from xception_np.errors import InputError

# CuPy's names; what follows them below is for the launcher
__all__ = ["RawModule", "asarray", "asnumpy", "empty", "ndarray", "zeros"]
_NAMES = "shape, dtype, size, ndim, itemsize, nbytes, strides, flags, reshape, ravel, copy, get, set and slices of the first axis"


class _Allocation:
    """A piece of memory, and which of its bytes were ever written: all of them where `initialised` is None."""

    def __init__(self, nbytes: int, zero: bool):
        # Pages of its own, which check mode can put elsewhere (placing.py); those that nobody touches take no room
        self.memory = np.frombuffer(mmap.mmap(-1, max(1, nbytes)), np.uint8)[:nbytes]
        self.address: int = self.memory.ctypes.data
        self.initialised = None if zero else np.zeros(nbytes // 64 + 1, np.uint64)  # a bit a byte


class ndarray:
    """A C-contiguous array in the emulated device's memory; made by `empty`, `zeros` and `asarray`."""

    __array_ufunc__ = None  # NumPy's arithmetic with it is a TypeError
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, allocation: _Allocation, offset: int, shape: tuple[int, ...], dtype: np.dtype):
        self._allocation, self._offset = allocation, offset
        self.shape, self.dtype = shape, dtype

    @property
    def ndim(self) -> int:
        """How many axes it has."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """How many numbers it has."""
        return math.prod(self.shape)

    @property
    def itemsize(self) -> int:
        """Bytes of a number."""
        return self.dtype.itemsize

    @property
    def nbytes(self) -> int:
        """Bytes of all numbers."""
        return self.size * self.itemsize

    @property
    def strides(self) -> tuple[int, ...]:
        """Bytes from one element of an axis to the next."""
        return tuple(self.itemsize * math.prod(self.shape[axis + 1 :]) for axis in range(self.ndim))

    @property
    def flags(self) -> "_Flags":
        """Of the layout: always C-contiguous."""
        return _Flags()

    def reshape(self, *shape) -> "ndarray":
        """A view of another shape; one of its sizes may be -1."""
        wanted = [int(size) for size in (shape[0] if len(shape) == 1 and isinstance(shape[0], tuple | list) else shape)]
        if wanted.count(-1) == 1 and (others := -math.prod(wanted)):
            wanted[wanted.index(-1)] = self.size // others
        if min(wanted, default=0) < 0 or math.prod(wanted) != self.size:
            raise InputError(f"shape is {shape}; expected one of {self.size} numbers, as {self.shape} has")
        return ndarray(self._allocation, self._offset, tuple(wanted), self.dtype)

    def ravel(self) -> "ndarray":
        """A view of one axis."""
        return self.reshape(self.size)

    def __getitem__(self, key, /) -> "ndarray":
        """A view of a part of the first axis, array[a:b], or of one of its elements, array[k]."""
        if (
            not self.shape
            or not isinstance(key, slice | int | np.integer)
            or (isinstance(key, slice) and key.step not in (None, 1))
        ):
            raise InputError(f"index is {key!r}; expected a number or a slice without steps, of the first axis")
        if isinstance(key, slice):
            start, stop, _ = key.indices(self.shape[0])
            shape: tuple[int, ...] = (max(0, stop - start), *self.shape[1:])
        else:
            start, shape = range(self.shape[0])[int(key)], self.shape[1:]
        return ndarray(self._allocation, self._offset + start * self.strides[0], shape, self.dtype)

    def __len__(self) -> int:
        return self.shape[0]

    def get(self) -> np.ndarray:
        """A copy in the host's memory."""
        return self._host().copy()

    def copy(self) -> "ndarray":
        """A copy in the device's memory; what has no value yet has none in it either."""
        other = _new(self.shape, self.dtype, zero=True)
        other._host()[...] = self._host()
        if self._allocation.initialised is not None:
            known = np.unpackbits(self._allocation.initialised.view(np.uint8), bitorder="little")  # a number a bit
            mine = np.zeros(64 * (self.nbytes // 64 + 1), np.uint8)
            mine[: self.nbytes] = known[self._offset : self._offset + self.nbytes]
            other._allocation.initialised = np.packbits(mine, bitorder="little").view(np.uint64)
        return other

    def __reduce__(self):
        """For copies of what holds it, in this process or another: memory of its own with the same numbers."""
        return asarray, (self.get(),)

    def set(self, values: np.ndarray, /) -> None:
        """Overwrite with a NumPy array of the same shape and dtype."""
        if not isinstance(values, np.ndarray) or values.shape != self.shape or values.dtype != self.dtype:
            what = f"{values.shape} {values.dtype}" if isinstance(values, np.ndarray) else type(values).__name__
            raise InputError(f"values is {what}; expected a NumPy array of {self.shape} {self.dtype}")
        self._host()[...] = values
        mark_initialised(self)

    def __array__(self, *_, **__) -> NoReturn:
        raise TypeError("an emulated array is in device memory and is not converted to NumPy in silence; expected array.get()")

    def __eq__(self, other) -> NoReturn:
        raise TypeError("an emulated array is in device memory and is not compared with anything; expected array.get()")

    def __bool__(self) -> NoReturn:
        raise TypeError("an emulated array is in device memory and has no truth value; expected array.get()")

    def __getattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"emulated arrays have no {name!r}; they have {_NAMES}: write a kernel for the rest")

    def __repr__(self) -> str:
        return f"<emulated array {self.shape} {self.dtype}>"

    def _host(self) -> np.ndarray:
        return self._allocation.memory[self._offset : self._offset + self.nbytes].view(self.dtype).reshape(self.shape)


class _Flags:
    c_contiguous = True


def empty(shape, dtype=float) -> ndarray:
    """An array without values: of floating-point numbers all are NaN, so that who reads them in fast mode is seen, too."""
    array = _new(shape, dtype, zero=False)
    if array.dtype.kind == "f":
        array._host().fill(np.nan)
    return array


def zeros(shape, dtype=float) -> ndarray:
    """An array of zeros."""
    return _new(shape, dtype, zero=True)


def asarray(values, /) -> ndarray:
    """A copy of a NumPy array in device memory; an emulated array as it is."""
    if isinstance(values, ndarray):
        return values
    if not isinstance(values, np.ndarray):
        raise InputError(f"values is a {type(values).__name__}; expected a NumPy array, or an emulated one")
    array = _new(values.shape, values.dtype, zero=False)
    array.set(values)
    return array


def asnumpy(array: ndarray, /) -> np.ndarray:
    """A copy in the host's memory."""
    return array.get()


def address(array: ndarray) -> int:
    """Where it is in memory."""
    return array._allocation.address + array._offset


def known_bytes(array: ndarray) -> tuple[int | None, int]:
    """Address of the bits that say which bytes have values (None: all have), and how many bits are before this array's."""
    known = array._allocation.initialised
    return None if known is None else known.ctypes.data, array._offset


def mark_initialised(array: ndarray) -> None:
    """All bytes of this array have values; other parts of the allocation keep what is known of them."""
    known, start, stop = array._allocation.initialised, array._offset, array._offset + array.nbytes
    if known is None or start == stop:
        return
    if array.nbytes == array._allocation.memory.size:
        array._allocation.initialised = None
        return
    from_start = ~np.uint64(0) << np.uint64(start % 64)
    to_stop = ~(~np.uint64(0) << np.uint64(stop % 64))
    if start // 64 == stop // 64:
        known[start // 64] |= from_start & to_stop
    else:
        known[start // 64] |= from_start
        known[start // 64 + 1 : stop // 64] = ~np.uint64(0)
        known[stop // 64] |= to_stop


def _new(shape, dtype, zero: bool) -> ndarray:
    shape = (int(shape),) if isinstance(shape, int | np.integer) else tuple(int(size) for size in shape)
    dtype = np.dtype(dtype)
    return ndarray(_Allocation(math.prod(shape) * dtype.itemsize, zero), 0, shape, dtype)


def __getattr__(name: str) -> NoReturn:
    raise AttributeError(f"the emulated device has no {name!r}; it has {', '.join(__all__)}: write a kernel for the rest")
