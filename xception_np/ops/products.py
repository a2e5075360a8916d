"""Matrix products in registers: faster than BLAS where matrices are narrow, or the processor has few registers.

    multiply(a, weights(b), y)      y = a @ b               a (P, K), b (K, N), y (P, N)
    add_product_over_rows(a, b, y, memory)
                                    y += a.T @ b            a (P, K), b (P, N), y (K, N)
    multiply_in_lanes(x, places, steps, b, y, add)
                                    the same where every number is a vector, and a is where tables say, in x

A block of y stays in registers while k runs (`ops/register_block.py`). It reads b a few vectors wide, row after row: so b is first
copied into panels of that width, where what a block reads lies in one piece, and stays in the first-level cache for all blocks
below each other. BLAS packs a as well, into an order of its own. With 64 channels that is as much work as the product; here a is
read where it is. The same block serves both products, as only the strides of a differ.

    b (K, N)                     packed: one panel after the other, filled up with 0 to whole vectors
    +-------+-------+---+
    |       |       |   |        +-------+ +-------+ +---+
    |       |       |   |   -->  |       | |       | |   |
    |       |       |   |        |       | |       | |   |
    +-------+-------+---+        +-------+ +-------+ +---+

What is too large goes to BLAS.
"""

from typing import NamedTuple

import numpy as np

from xception_np import arrays, threads
from xception_np.ops import register_block
from xception_np.ops.compile import compiled_apart, compiled_with, taken
from xception_np.ops.register_block import BYTES, REGISTERS, block, block_in_lanes, lanes

# Blocks of 1, 2, 3, 4 vectors, with so many rows: the sums, a row of b and a number of a fit into the registers
_ROWS = (8, 8, 8, 4) if REGISTERS == 32 else (8, 6)
_MOST = len(_ROWS)
# and of numbers that are vectors
_ROWS_IN_LANES = (12, 8, 6, 5) if REGISTERS == 32 else (8, 6, 4)
_MOST_IN_LANES = len(_ROWS_IN_LANES)
# numbers of b at most, as measured: OpenBLAS has better use for many registers
_LARGEST = 2**16 if REGISTERS == 32 else 2**22
_LARGEST_SUM = 2**16  # numbers of y at most where it is added to: 256 KiB in float32, a part of the second-level cache
_DEPTH = 256  # rows of a and b that are summed up at once: what a block reads of b stays in the first-level cache
_DEPTH_IN_LANES = 128  # the same where they are vectors
_ROWS_AT_ONCE = 16  # rows that are packed into all panels, before others are
_AT_ONCE = 2**15  # numbers of a that meet one panel of b after the other: they stay in the second-level cache

_block, _pair, _row = block(_ROWS), block((2,) * _MOST), block((1,) * _MOST)
_block_in_lanes, _row_in_lanes = block_in_lanes(_ROWS_IN_LANES), block_in_lanes((1,) * _MOST_IN_LANES)


class Weights(NamedTuple):
    """A matrix as `multiply` reads it.

    packed : its panels, one after the other; what goes to BLAS is as it was
    shape : (K, N)
    """

    packed: np.ndarray
    shape: tuple[int, int]


def weights(matrix: np.ndarray) -> Weights:
    """A matrix (K, N) for `multiply`."""
    matrix = np.ascontiguousarray(matrix)
    if matrix.size > _LARGEST:
        return Weights(matrix.reshape(-1), matrix.shape)
    packed = arrays.empty((_packed_size(*matrix.shape, BYTES // matrix.itemsize),), matrix.dtype)
    rows = -(-threads.SMALLEST // (2 * matrix.shape[1] * _ROWS_AT_ONCE)) * _ROWS_AT_ONCE
    parts = -(-len(matrix) // rows)
    threads.together(lambda queue: _pack_together(queue, parts, rows, matrix, packed), parts)
    return Weights(packed, matrix.shape)


def stacked(matrices: np.ndarray) -> Weights:
    """Several matrices (S, K, N) of the same shape, each for `multiply`: `one_of(stacked, s)`."""
    return Weights(np.stack([weights(matrix).packed for matrix in matrices]), matrices.shape[1:])


@compiled_apart
def one_of(stack, s):
    """The s-th of `stacked` matrices."""
    return Weights(stack.packed[s], stack.shape)


@compiled_with(register_block)
def multiply(a, weights, y):
    """y = a @ b, with weights(b); a and y C-contiguous."""
    depth, width = weights.shape
    if a.shape[1] != depth or y.shape != (a.shape[0], width):
        raise ValueError("shapes do not fit: a (P, K), b (K, N), y (P, N)")
    if depth * width > _LARGEST:
        np.dot(a, weights.packed.reshape(depth, width), y)
        return
    rows = max(_AT_ONCE // depth // _ROWS[-1], 1) * _ROWS[-1]
    for i in range(0, len(a), rows):
        _over_panels(a[i : i + rows], weights.packed, y[i : i + rows], False)


@compiled_with(register_block)
def add_product_over_rows(a, b, y, memory):
    """y += a.T @ b; all three C-contiguous, with `memory_for` (K, N) numbers like them."""
    if a.shape[0] != b.shape[0] or y.shape != (a.shape[1], b.shape[1]):
        raise ValueError("shapes do not fit: a (P, K), b (P, N), y (K, N)")
    if y.size > _LARGEST_SUM:
        product = memory.reshape(y.shape)
        np.dot(a.T, b, product)
        y += product
        return
    one_panel = _vectors(-(-y.shape[1] // lanes(y))) * lanes(y) == y.shape[1]
    for k in range(0, len(a), _DEPTH):
        part = b[k : k + _DEPTH]
        if one_panel:
            _over_panels(a[k : k + _DEPTH].T, part.reshape(-1), y, True)
        else:
            _pack(part, memory)
            _over_panels(a[k : k + _DEPTH].T, memory, y, True)


@compiled_with(register_block)
def multiply_in_lanes(x, places, steps, b, y, add):
    """y[r, n] = sum over k of x[places[r] + steps[k]] * b[k, n], or += if `add`, where all of these are vectors.

    x[p] begins at number p of a flat array, and vectors are neighbours in b (K, N*lanes) and y (R, N*lanes).
    """
    if places.size != len(y) or steps.size != len(b) or b.shape[1] != y.shape[1]:
        raise ValueError("shapes do not fit: places (R,), steps (K,), b (K, N*lanes), y (R, N*lanes)")
    for k in range(0, len(b), _DEPTH_IN_LANES):
        _over_blocks_in_lanes(x, places, steps[k : k + _DEPTH_IN_LANES], b[k : k + _DEPTH_IN_LANES], y, add or k > 0)


@compiled_with(register_block)
def _over_blocks_in_lanes(x, places, steps, b, y, add):
    lane_count = lanes(y)
    j = 0
    while j < y.shape[1]:
        vectors = _vectors((y.shape[1] - j) // lane_count, _MOST_IN_LANES)
        rows, i = _ROWS_IN_LANES[vectors - 1], 0
        while i + rows <= len(y):
            _block_in_lanes(x, places, steps, b, y, i, j, vectors, add)
            i += rows
        while i < len(y):
            _row_in_lanes(x, places, steps, b, y, i, j, vectors, add)
            i += 1
        j += vectors * lane_count


@compiled_with(register_block)
def memory_for(depth, width, like):
    """Memory to add to y (K, N) with: for a part of b, packed, or for a product where BLAS computes it, which cannot add."""
    largest = depth * width > _LARGEST_SUM
    return np.empty(depth * width if largest else _packed_size(_DEPTH, width, lanes(like)), like.dtype)


@compiled_apart
def _packed_size(depth, width, lanes):
    return depth * -(-width // lanes) * lanes


@compiled_apart
def _vectors(left, most=_MOST):
    """How wide the next panel is, of so many vectors that are left: all as equally wide as may be."""
    return -(-left // -(-left // most))


@compiled_with(register_block)
def _pack(b, packed):
    for first in range(0, len(b), _ROWS_AT_ONCE):
        _pack_rows(b, first, packed)


@compiled_with(register_block)
def _pack_together(queue, parts, rows, b, packed):
    for part in taken(queue, parts):
        for first in range(part * rows, min((part + 1) * rows, len(b)), _ROWS_AT_ONCE):
            _pack_rows(b, first, packed)


@compiled_with(register_block)
def _pack_rows(b, first, packed):
    """A few rows from `first` on, into all panels: they come from memory once, though a panel takes half a line of each"""
    depth, width = b.shape
    last, lane_count = min(first + _ROWS_AT_ONCE, depth), lanes(b)
    j = 0
    while j < width:
        columns = _vectors(-(-(width - j) // lane_count)) * lane_count
        panel = packed[depth * j : depth * (j + columns)].reshape(depth, columns)
        for start in range(0, columns, lane_count):
            if j + start + lane_count <= width:
                for k in range(first, last):
                    source, target = b[k, j + start :], panel[k, start:]
                    for c in range(lane_count):
                        target[c] = source[c]
            else:
                panel[first:last, start:] = 0
                panel[first:last, start : width - j] = b[first:last, j + start :]
        j += columns


@compiled_with(register_block)
def _over_panels(a, packed, y, add):
    """y = a @ b, or += if `add`"""
    depth, width = a.shape[1], y.shape[1]
    lane_count = lanes(y)
    j = 0
    while j < width:
        vectors = _vectors(-(-(width - j) // lane_count))
        columns = vectors * lane_count
        panel = packed[depth * j : depth * (j + columns)].reshape(depth, columns)
        if j + columns <= width:
            _over_rows(a, panel, y, j, vectors, add)
        else:
            _last_panel(a, panel, y, j, vectors, add)
        j += columns


@compiled_with(register_block)
def _over_rows(a, panel, y, j, vectors, add):
    """The columns of y from j on, one block below the other; what is left of the rows by two and one"""
    rows, i = _ROWS[vectors - 1], 0
    while i + rows <= len(a):
        _block(a, panel, y, i, j, vectors, add)
        i += rows
    while i + 2 <= len(a):
        _pair(a, panel, y, i, j, vectors, add)
        i += 2
    if i < len(a):
        _row(a, panel, y, i, j, vectors, add)


@compiled_with(register_block)
def _last_panel(a, panel, y, j, vectors, add):
    """The same where y ends within a vector: every block goes through one that is whole"""
    rows, left = _ROWS[vectors - 1], y.shape[1] - j
    whole = np.empty((rows, panel.shape[1]), y.dtype)
    for i in range(0, len(a), rows):
        _over_rows(a[i : i + rows], panel, whole, 0, vectors, False)
        for r in range(min(rows, len(a) - i)):
            for c in range(left):
                if add:
                    y[i + r, j + c] += whole[r, c]
                else:
                    y[i + r, j + c] = whole[r, c]
