"""The pool that NumPy's arrays come from: it takes memory back when the last reference to an array goes.

A training step asks for the same few hundred arrays again and again. Fresh memory from the operating system costs a
page fault for every 4 KiB, on every step; memory from the pool has been touched before. Nothing needs to be freed by
hand: dropping the array (and every view of it) is enough.

    y = memory.empty((8, 19, 19, 728), np.dtype(np.float32))     # uninitialised, like numpy.empty
    del y                                                        # its memory serves the next request that it is large enough for
"""

import math
from collections import defaultdict
from functools import cache

import numpy as np

_ALIGNMENT = 64  # bytes: a cache line, and the widest vector register
_MOST_LARGER = 4  # as many times as asked for may be given: pictures of half the size find room where larger ones were
_STEP = 4096  # bytes: pieces are whole pages
_free: defaultdict[int, list["_Piece"]] = defaultdict(list)  # by their size


class _Piece:
    """A piece of the pool's memory: how large it is, and where it begins, as NumPy's array interface says it."""

    __slots__ = ("_memory", "data", "size")

    def __init__(self, size: int):
        self._memory = np.empty(size + _ALIGNMENT, np.uint8)
        address, _ = self._memory.__array_interface__["data"]
        self.data, self.size = (address + -address % _ALIGNMENT, False), size


class _Block:
    """Owner of one piece while an array has it: the array's base, and what returns the piece when it dies."""

    __slots__ = ("__array_interface__", "_piece")

    def __init__(self, piece: _Piece, shape: tuple[int, ...], dtype: np.dtype):
        self._piece = piece
        self.__array_interface__ = {"data": piece.data, "shape": shape, "typestr": dtype.str, "version": 3}

    def __del__(self, free=_free):  # a default outlives the module when the interpreter ends
        free[self._piece.size].append(self._piece)


def empty(shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """An uninitialised C-contiguous array, aligned to 64 bytes."""
    return np.asarray(_Block(_taken(_size_class(math.prod(shape) * dtype.itemsize)), shape, dtype))


def idle_bytes() -> int:
    """Bytes that the pool holds and nobody uses."""
    return sum(size * len(blocks) for size, blocks in _free.items())


def trim() -> None:
    """Give all idle memory back to the operating system."""
    _free.clear()


def _taken(size: int) -> _Piece:
    """An idle piece of this size; or the smallest larger one, up to _MOST_LARGER times the size; or a new one."""
    try:
        return _free[size].pop()
    except IndexError:
        for larger in sorted(_free):
            if size < larger <= _MOST_LARGER * size and _free[larger]:
                try:
                    return _free[larger].pop()
                except IndexError:  # another thread was faster
                    continue
        return _Piece(size)


@cache
def _size_class(nbytes: int) -> int:
    """Round up to whole pages, and large ones to an eighth of a power of two, at most 12.5% more: nearby sizes share memory."""
    step = max(_STEP, 1 << max(0, int(nbytes).bit_length() - 4))
    return max(1, -(-nbytes // step)) * step
