"""For check mode, every argument far from the others: then no wrong index reaches from one into another, where it would look right.

The memory is not copied: its pages get a second address, in the middle of a large hole that nothing else may be put into.
"""

import ctypes
import mmap
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

_GAP = 1 << 36  # on both sides: as far as a 32-bit index goes, in steps of 16 bytes
_PROT_NONE, _MAP_PRIVATE, _MAP_ANONYMOUS, _MAP_NORESERVE = 0, 0x2, mmap.MAP_ANONYMOUS, 0x4000
_MREMAP_MAYMOVE, _MREMAP_FIXED = 1, 2
_FAILED = ctypes.c_void_p(-1).value


@contextmanager
def apart(ranges: Sequence[tuple[int, int]]) -> Iterator[list[int]]:
    """Other addresses, valid inside of the `with` block, of memory that is given as (address, bytes)."""
    libc = _libc()
    holes: list[tuple[int, int]] = []
    addresses = []
    try:
        for address, nbytes in ranges:
            skipped = address % mmap.PAGESIZE
            length = -(-max(1, skipped + nbytes) // mmap.PAGESIZE) * mmap.PAGESIZE
            flags = _MAP_PRIVATE | _MAP_ANONYMOUS | _MAP_NORESERVE
            hole = _succeeded(libc.mmap(None, 2 * _GAP + length, _PROT_NONE, flags, -1, 0))
            holes.append((hole, 2 * _GAP + length))
            # Of shared memory, to move no bytes is to map the same pages again
            _succeeded(libc.mremap(address - skipped, 0, length, _MREMAP_MAYMOVE | _MREMAP_FIXED, hole + _GAP))
            addresses.append(hole + _GAP + skipped)
        yield addresses
    finally:
        for hole, length in holes:
            libc.munmap(hole, length)


def _succeeded(address: int) -> int:
    if address == _FAILED:
        raise OSError(ctypes.get_errno(), f"no room for a kernel's arguments: {os.strerror(ctypes.get_errno())}")
    return address


def _libc() -> ctypes.CDLL:
    libc = ctypes.CDLL(None, use_errno=True)
    pointer, size, integer = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int
    libc.mmap.argtypes, libc.mmap.restype = [pointer, size, integer, integer, integer, ctypes.c_long], pointer
    libc.mremap.argtypes, libc.mremap.restype = [pointer, size, size, integer, pointer], pointer
    libc.munmap.argtypes = [pointer, size]
    return libc
