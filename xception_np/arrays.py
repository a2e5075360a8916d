"""Where arrays come from: a pool that takes memory back when the last reference to an array goes.

A training step asks for the same few hundred arrays again and again. Fresh memory from the operating system costs a
page fault for every 4 KiB, on every step; memory from the pool has been touched before. Nothing needs to be freed by
hand: dropping the array (and every view of it) is enough.

    y = arrays.empty((8, 19, 19, 728), np.float32)     # uninitialised, like numpy.empty
    del y                                              # its memory serves the next request that it is large enough for
"""

import math
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

_ALIGNMENT = 64  # a cache line, and the widest vector register
_MOST_LARGER = (
    4  # times as large as what is asked for may be what is given: pictures of half the size find room where larger ones were
)
_SMALLEST = 4096  # below a page, the allocator of the C library is as good
_free: defaultdict[int, list[np.ndarray]] = defaultdict(list)
_poison = False


class _Block:
    """Owner of one piece of the pool's memory: an array's base, and what returns the piece when it dies."""

    __slots__ = ("__array_interface__", "_memory")

    def __init__(self, memory: np.ndarray):
        self._memory = memory
        self.__array_interface__ = memory.__array_interface__

    def __del__(self, free=_free):  # a default outlives the module when the interpreter ends
        free[self._memory.size].append(self._memory)


def empty(shape: tuple[int, ...], dtype) -> np.ndarray:
    """An uninitialised C-contiguous array, aligned to 64 bytes, from the pool."""
    dtype = np.dtype(dtype)
    nbytes = math.prod(shape) * dtype.itemsize
    if nbytes < _SMALLEST:
        array = _aligned(nbytes).view(dtype).reshape(shape)
    else:
        memory = _taken(_size_class(nbytes))
        array = np.asarray(_Block(memory))[:nbytes].view(dtype).reshape(shape)
    if _poison and dtype.kind == "f":
        array.fill(np.nan)
    return array


def zeros(shape: tuple[int, ...], dtype) -> np.ndarray:
    """An array of zeros from the pool."""
    array = empty(shape, dtype)
    array.fill(0)
    return array


def empty_like(array: np.ndarray) -> np.ndarray:
    """An uninitialised array of the same shape and dtype."""
    return empty(array.shape, array.dtype)


def nbytes(*values) -> int:
    """Bytes of all the distinct arrays in nested tuples and lists (caches, say), each counted once."""
    found: dict[int, int] = {}

    def visit(value):
        if isinstance(value, np.ndarray):
            found[value.__array_interface__["data"][0]] = value.nbytes
        elif isinstance(value, tuple | list):
            for item in value:
                visit(item)

    visit(values)
    return sum(found.values())


def idle_bytes() -> int:
    """Bytes that the pool holds and nobody uses."""
    return sum(size * len(blocks) for size, blocks in _free.items())


def trim() -> None:
    """Give all idle memory back to the operating system."""
    _free.clear()


@contextmanager
def poisoned() -> Iterator[None]:
    """Fill every new floating-point array with NaN, so that a pass that reads what it never wrote is seen."""
    global _poison
    before, _poison = _poison, True
    try:
        yield
    finally:
        _poison = before


def _taken(size: int) -> np.ndarray:
    """An idle piece of this size; or the smallest one that is larger, but not by much; or a new one."""
    try:
        return _free[size].pop()
    except IndexError:
        for larger in sorted(_free):
            if size < larger <= _MOST_LARGER * size and _free[larger]:
                try:
                    return _free[larger].pop()
                except IndexError:  # another thread was faster
                    continue
        return _aligned(size)


def _size_class(nbytes: int) -> int:
    """Round up to an eighth of a power of two: at most 12.5% is wasted, and nearby sizes share memory."""
    step = max(_SMALLEST, 1 << max(0, nbytes.bit_length() - 4))
    return -(-nbytes // step) * step


def _aligned(size: int) -> np.ndarray:
    memory = np.empty(size + _ALIGNMENT, np.uint8)
    start = -memory.__array_interface__["data"][0] % _ALIGNMENT
    return memory[start : start + size]
