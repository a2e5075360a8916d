"""Matrices as the products read them: in panels, each a few vectors wide.

    b (K, N)                     packed: one panel after the other, filled up with 0 to whole vectors
    +-------+-------+---+
    |       |       |   |        +-------+ +-------+ +---+
    |       |       |   |   -->  |       | |       | |   |
    |       |       |   |        |       | |       | |   |
    +-------+-------+---+        +-------+ +-------+ +---+

What a block of a product reads of b then lies in one piece, and stays in the cache for all blocks below each other.
"""

import weakref
from collections.abc import Callable, Hashable
from typing import NamedTuple

import numpy as np

from xception_np import arrays, threads, tiling
from xception_np.ops import register_block, transposed_block
from xception_np.ops.compile import compiled, compiled_apart, compiled_with, taken
from xception_np.ops.register_block import BYTES, REGISTERS, lanes, move, move_some

WIDEST = 4 if REGISTERS == 32 else 2  # vectors of a panel: so many that a block of sums fits into the registers
LARGEST = 2**22  # numbers of a matrix that is packed, 16 MiB in float32, a part of the third-level cache
ROWS_AT_ONCE = 16  # rows that are packed into all panels, before others are

_AS_THEY_ARE = (slice(None), slice(None))  # taps

_settled: set[int] = set()  # ids of arrays, each of which is nobody else's while it lives
_kept: dict[tuple[int, Hashable], "Weights"] = {}  # by such an id, and the way of packing


class Weights(NamedTuple):
    """A matrix as `multiply` reads it.

    packed : its panels, one after the other; what goes to BLAS is as it was
    shape : (K, N)
    """

    packed: np.ndarray
    shape: tuple[int, int]


def weights(matrix: np.ndarray) -> Weights:
    """A matrix (K, N) for `multiply`, `kept` if it is `settled`."""
    if matrix.size > LARGEST:
        return Weights(np.ascontiguousarray(matrix).reshape(-1), matrix.shape)
    if matrix.flags.f_contiguous and not matrix.flags.c_contiguous:  # a transpose
        return Weights(stacked_transposes(matrix.T[None, None], _AS_THEY_ARE, 1).packed[0], matrix.shape)
    return kept(matrix, 0, lambda: Weights(stacked(matrix, 1).packed[0], matrix.shape))


def settled(array: np.ndarray) -> np.ndarray:
    """An array of which nobody has a view, read-only from now on and for good: what is packed of it is `kept`."""
    array.flags.writeable = False
    _settled.add(id(array))
    weakref.finalize(array, _settled.discard, id(array))
    return array


def kept(array: np.ndarray, way: Hashable, pack: Callable[[], Weights]) -> Weights:
    """What `pack` makes of an array; it is kept if the array is `settled`, and `way` tells apart what is packed in several ways."""
    if id(array) not in _settled:
        return pack()
    name = id(array), way
    if name not in _kept:
        _kept[name] = pack()
        weakref.finalize(array, _kept.pop, name, None)  # another thread may have done so as well
    return _kept[name]


def stacked(matrix: np.ndarray, segments: int) -> Weights:
    """The matrices (K, N/S) that stand side by side in one (K, N), each for `multiply_windows`: `one_of(stacked, s)`."""
    depth, width = matrix.shape[0], matrix.shape[1] // segments
    packed = arrays.empty((segments, packed_size(depth, width, BYTES // matrix.itemsize)), matrix.dtype)
    rows = _rows_of_a_part(width)
    parts, starts = -(-depth // rows), np.arange(depth) * matrix.shape[1]
    flat = arrays.read_only(np.ascontiguousarray(matrix).reshape(-1))
    threads.together(lambda queue: _pack_together(queue, parts, rows, flat, starts, width, packed), segments * parts)
    return Weights(packed, (depth, width))


def stacked_transposes(weight: np.ndarray, taps: tuple[slice, slice], segments: int) -> Weights:
    """What `stacked` makes of the matrices by which dx follows from dy: (kh*kw*F/S, C/S) each, of weight[taps] (kh, kw, C/S, F)."""
    kh, kw, width, filters = weight.shape
    starts_of_taps = (np.arange(kh * kw) * width * filters).reshape(kh, kw)[taps]
    starts = np.add.outer(starts_of_taps, np.arange(filters // segments)).reshape(-1)  # a row is a number of every filter's kernel
    packed = arrays.empty((segments, packed_size(starts.size, width, BYTES // weight.itemsize)), weight.dtype)
    rows = _rows_of_a_part(width)
    parts, flat = -(-starts.size // rows), arrays.read_only(np.ascontiguousarray(weight).reshape(-1))
    threads.together(lambda queue: _pack_transposes(queue, parts, rows, flat, starts, filters, width, packed), segments * parts)
    return Weights(packed, (starts.size, width))


def _rows_of_a_part(width: int) -> int:
    """Rows of a matrix that a thread packs before it takes others."""
    return -(-tiling.SMALLEST // (2 * width * ROWS_AT_ONCE)) * ROWS_AT_ONCE


@compiled
def one_of(stack, s):
    """The s-th of `stacked` matrices."""
    return Weights(stack.packed[s], stack.shape)


@compiled_apart
def packed_size(depth, width, lanes):
    """Numbers of a packed matrix (depth, width)."""
    return depth * -(-width // lanes) * lanes


@compiled_apart
def vectors(left, most=WIDEST):
    """How wide the next panel is, of so many vectors that are left: all as equally wide as may be."""
    return -(-left // -(-left // most))


@compiled_apart
def multiples(count, step):
    """Where the rows of a matrix begin: count multiples of step."""
    places = np.empty(count, np.int64)
    for k in range(count):
        places[k] = k * step
    return places


@compiled_with(register_block)
def pack_rows(b, starts, first, width, packed):
    """A few rows from `first` on, into all panels: they come from memory once, though a panel takes half a line of each

    b is flat, and row k of it begins at number starts[k]
    """
    depth = starts.size
    last, lane_count = min(first + ROWS_AT_ONCE, depth), lanes(b)
    j = 0
    while j < width:
        columns = vectors(-(-(width - j) // lane_count)) * lane_count
        panel = packed[depth * j : depth * (j + columns)]
        for start in range(0, columns, lane_count):
            if j + start + lane_count <= width:
                for k in range(first, last):
                    move(b, starts[k] + j + start, panel, k * columns + start)
            else:
                for k in range(first, last):
                    move_some(b, starts[k] + j + start, panel, k * columns + start, width - j - start)
        j += columns


@compiled_with(register_block)
def _pack_together(queue, parts, rows, b, starts, width, packed):
    """Part by part of rows of every segment's matrix, whose row k begins at number starts[k] of b, further on by segments"""
    for item in taken(queue, len(packed) * parts):
        s, part = divmod(item, parts)
        for first in range(part * rows, min((part + 1) * rows, starts.size), ROWS_AT_ONCE):
            pack_rows(b[s * width :], starts, first, width, packed[s])


@compiled_with(register_block, transposed_block)
def _pack_transposes(queue, parts, rows, b, starts, filters, width, packed):
    """Part by part of rows of every segment's matrix, whose number (k, n) is starts[k] + n*filters of b, further on by segments

    So many rows as a segment has filters are neighbours in b: squares of them are turned around.
    """
    lane_count, depth, own = lanes(b), starts.size, filters // len(packed)
    for item in taken(queue, len(packed) * parts):
        s, part = divmod(item, parts)
        end = min((part + 1) * rows, depth)
        k = part * rows
        while k < end:
            neighbours = min(lane_count, end - k, own - k % own)
            place, j = starts[k] + s * own, 0
            while j < width:
                columns = vectors(-(-(width - j) // lane_count)) * lane_count
                panel = packed[s, depth * j : depth * (j + columns)]
                for c in range(0, min(columns, width - j), lane_count):
                    some = min(lane_count, width - j - c)
                    transposed_block.to_lanes(
                        b, place + (j + c) * filters, filters, neighbours, some, panel, k * columns + c, columns
                    )
                j += columns
            k += neighbours
