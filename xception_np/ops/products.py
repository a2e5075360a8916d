"""Matrix products in registers: faster than BLAS where matrices are narrow, or where few rows meet a large one.

    multiply(a, weights(b), y)      y = a @ b               a (P, K), b (K, N), y (P, N)
    add_product_over_rows(a, b, y, add, memory)
                                    y = a.T @ b, or +=      a (P, K), b (P, N), y (K, N)
    multiply_windows, add_product_over_windows
                                    the same where a is the windows of a convolution, which tables find in its input
    multiply_in_lanes(x, places, steps, b, y, add)
                                    the first, where every number is a vector

A block of y stays in registers while k runs (`ops/register_block.py`). It reads b a few vectors wide, row after row: so b is first
copied into panels of that width, where what a block reads lies in one piece, and stays in the cache for all blocks below each
other. BLAS does so anew for every tile, and packs a as well: with 64 channels that is as much work as the product. Here a is read
where it is: a[p, k] is number places[p] + steps[k] of an array, and in a.T the two tables are exchanged.

    b (K, N)                     packed: one panel after the other, filled up with 0 to whole vectors
    +-------+-------+---+
    |       |       |   |        +-------+ +-------+ +---+
    |       |       |   |   -->  |       | |       | |   |
    |       |       |   |        |       | |       | |   |
    +-------+-------+---+        +-------+ +-------+ +---+

What is too large goes to BLAS, if it is a matrix. Windows would have to be copied into one first, each number kh*kw times.
"""

import weakref
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from xception_np import arrays, threads, tiling
from xception_np.ops import blas, register_block
from xception_np.ops.compile import compiled, compiled_apart, compiled_with, taken
from xception_np.ops.register_block import BYTES, REGISTERS, block, lanes, move

# Blocks of 1, 2, 3, 4 vectors, with so many rows: the sums, a row of b and a number of a fit into the registers
_ROWS = (8, 8, 8, 6) if REGISTERS == 32 else (8, 6)
_MOST = len(_ROWS)
# and of numbers that are vectors
_ROWS_IN_LANES = (12, 8, 6, 5) if REGISTERS == 32 else (8, 6, 4)
_MOST_IN_LANES = len(_ROWS_IN_LANES)
_LARGEST = 2**22  # numbers of b at most, 16 MiB in float32, a part of the third-level cache
_LARGEST_SUM = 3 * 2**16  # numbers of y at most where it is added to: 768 KiB in float32, a part of the second-level cache
_DEPTH = 1024  # steps of k at once: a panel, that is read for every block of rows, stays in the second-level cache
_DEPTH_OF_SUM = 256  # rows of b that are packed and summed up at once
_DEPTH_IN_LANES = 128  # steps at once where numbers are vectors
_AT_ONCE = 2**15  # numbers of a matrix a that meet one panel of b after the other: they stay in the second-level cache
_FEWEST_AT_ONCE = 96  # rows of it at least: all of b is read for each such part
_ROWS_AT_ONCE = 16  # rows that are packed into all panels, before others are

_block, _pair, _row = block(_ROWS), block((2,) * _MOST), block((1,) * _MOST)
_block_in_lanes, _row_in_lanes = block(_ROWS_IN_LANES, True), block((1,) * _MOST_IN_LANES, True)

_settled: set[int] = set()  # ids of arrays, each of which is nobody else's while it lives
_kept: dict[tuple[int, int], "Weights"] = {}  # by such an id, and the way of packing


class Weights(NamedTuple):
    """A matrix as `multiply` reads it.

    packed : its panels, one after the other; what goes to BLAS is as it was
    shape : (K, N)
    """

    packed: np.ndarray
    shape: tuple[int, int]


def weights(matrix: np.ndarray) -> Weights:
    """A matrix (K, N) for `multiply`, `kept` if it is `settled`."""
    if matrix.size > _LARGEST:
        return Weights(np.ascontiguousarray(matrix).reshape(-1), matrix.shape)
    if matrix.flags.f_contiguous and not matrix.flags.c_contiguous:  # a transpose
        return Weights(stacked_transposes(matrix.T[None, None], 1).packed[0], matrix.shape)
    return kept(matrix, 0, lambda: Weights(stacked(np.ascontiguousarray(matrix)[None]).packed[0], matrix.shape))


def settled(array: np.ndarray) -> np.ndarray:
    """An array of which nobody has a view, read-only from now on and for good: what is packed of it is `kept`."""
    array.flags.writeable = False
    _settled.add(id(array))
    weakref.finalize(array, _settled.discard, id(array))
    return array


def kept(array: np.ndarray, way: int, pack: Callable[[], Weights]) -> Weights:
    """What `pack` makes of an array; it is kept if the array is `settled`, and `way` tells apart what is packed in several ways."""
    if id(array) not in _settled:
        return pack()
    name = id(array), way
    if name not in _kept:
        _kept[name] = pack()
        weakref.finalize(array, _kept.pop, name, None)  # another thread may have done so as well
    return _kept[name]


def tiles(shape: tuple[int, ...], width: int, numbers: int) -> np.ndarray:
    """Tiles of (N, H, W, F), as rows of numbers, for a matrix of so many: what BLAS multiplies may depend on how it is cut."""
    return tiling.image_table(shape, width) if numbers > _LARGEST else tiling.product_table(shape, width, threads.count())


def stacked(matrices: np.ndarray) -> Weights:
    """Several matrices (S, K, N) of the same shape, each for `multiply_windows`: `one_of(stacked, s)`."""
    count, depth, width = matrices.shape
    packed = arrays.empty((count, _packed_size(depth, width, BYTES // matrices.itemsize)), matrices.dtype)
    rows = _rows_of_a_part(width)
    parts = -(-depth // rows)
    threads.together(lambda queue: _pack_together(queue, parts, rows, matrices, packed), count * parts)
    return Weights(packed, (depth, width))


def stacked_transposes(weight: np.ndarray, segments: int) -> Weights:
    """What `stacked` makes of the matrices by which dx follows from dy: (kh*kw*F/S, C/S) each, of a weight (kh, kw, C/S, F)."""
    kh, kw, width, filters = weight.shape
    taps, part_of_filters = np.arange(kh * kw) * width * filters, np.arange(filters // segments)
    starts = np.add.outer(taps, part_of_filters).reshape(-1)  # of the rows, each a number of every filter's kernel
    packed = arrays.empty((segments, _packed_size(starts.size, width, BYTES // weight.itemsize)), weight.dtype)
    rows = _rows_of_a_part(width)
    parts, flat = -(-starts.size // rows), np.ascontiguousarray(weight).reshape(-1)
    threads.together(lambda queue: _pack_transposes(queue, parts, rows, flat, starts, filters, width, packed), segments * parts)
    return Weights(packed, (starts.size, width))


def _rows_of_a_part(width: int) -> int:
    """Rows of a matrix that a thread packs before it takes others."""
    return -(-tiling.SMALLEST // (2 * width * _ROWS_AT_ONCE)) * _ROWS_AT_ONCE


@compiled
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
    places, steps, targets = _multiples(len(a), depth), np.arange(depth), _multiples(len(a), width)
    rows = max(_AT_ONCE // depth, _FEWEST_AT_ONCE)
    for i in range(0, len(a), rows):
        multiply_windows(a.reshape(-1), places[i : i + rows], steps, weights, y.reshape(-1), targets[i : i + rows])


@compiled_with(register_block)
def multiply_windows(x, places, steps, weights, y, targets):
    """y[targets[p] + n] = sum over k of x[places[p] + steps[k]] * b[k, n], with one of `stacked` b; x and y are flat."""
    depth, width = weights.shape
    if steps.size != depth or places.size != targets.size:
        raise ValueError("shapes do not fit: places (P,), steps (K,), b (K, N), targets (P,)")
    for k in range(0, depth, _DEPTH):
        _over_panels(x, places, steps[k : k + _DEPTH], weights.packed, depth, k, y, targets, width, k > 0)


@compiled_with(blas, register_block)
def add_product_over_rows(a, b, y, add, memory):
    """y = a.T @ b, or += if `add`; all three C-contiguous, with `memory_for` rows of b."""
    if a.shape[0] != b.shape[0] or y.shape != (a.shape[1], b.shape[1]):
        raise ValueError("shapes do not fit: a (P, K), b (P, N), y (K, N)")
    if y.size > _LARGEST_SUM:
        blas.add_product(a, b, y, add)
        return
    places, sources = _multiples(len(a), a.shape[1]), _multiples(len(b), b.shape[1])
    add_product_over_windows(a.reshape(-1), places, np.arange(a.shape[1]), b.reshape(-1), sources, y, add, memory)


@compiled_with(register_block)
def add_product_over_windows(x, places, steps, b, sources, y, add, memory):
    """y[k, n] = sum over p of x[places[p] + steps[k]] * b[sources[p] + n], or += if `add`; x, b flat, y (K, N) C-contiguous.

    `memory` is `memory_for` rows of b.
    """
    depth, width = y.shape
    if places.size != sources.size or steps.size != depth:
        raise ValueError("shapes do not fit: places (P,), steps (K,), sources (P,), y (K, N)")
    targets = _multiples(depth, width)
    for p in range(0, places.size, _DEPTH_OF_SUM):
        part, starts = places[p : p + _DEPTH_OF_SUM], sources[p : p + _DEPTH_OF_SUM]
        for first in range(0, part.size, _ROWS_AT_ONCE):
            _pack_rows(b, starts, first, width, memory)
        _over_panels(x, steps, part, memory, part.size, 0, y.reshape(-1), targets, width, add or p > 0)


@compiled_with(register_block)
def multiply_in_lanes(x, places, steps, b, y, add):
    """y[r, n] = sum over k of x[places[r] + steps[k]] * b[k, n], or += if `add`, where all of these are vectors.

    x[p] begins at number p of a flat array, and vectors are neighbours in b (K, N*lanes) and y (R, N*lanes).
    """
    if places.size != len(y) or steps.size != len(b) or b.shape[1] != y.shape[1]:
        raise ValueError("shapes do not fit: places (R,), steps (K,), b (K, N*lanes), y (R, N*lanes)")
    targets = _multiples(len(y), y.shape[1])
    for k in range(0, len(b), _DEPTH_IN_LANES):
        depth = min(_DEPTH_IN_LANES, len(b) - k)
        _over_blocks_in_lanes(x, places, steps[k : k + depth], b[k : k + depth], y.reshape(-1), targets, add or k > 0)


@compiled_with(register_block)
def _over_blocks_in_lanes(x, places, steps, b, y, targets, add):
    lane_count = lanes(y)
    j = 0
    while j < b.shape[1]:
        vectors = _vectors((b.shape[1] - j) // lane_count, _MOST_IN_LANES)
        rows, i = _ROWS_IN_LANES[vectors - 1], 0
        while i + rows <= places.size:
            _block_in_lanes(x, places, steps, b[:, j:], y[j:], targets, i, vectors, add)
            i += rows
        while i < places.size:
            _row_in_lanes(x, places, steps, b[:, j:], y[j:], targets, i, vectors, add)
            i += 1
        j += vectors * lane_count


@compiled_with(register_block)
def memory_for(width, like):
    """Memory to sum up products with: for a part of b (P, N), packed."""
    return np.empty(_packed_size(_DEPTH_OF_SUM, width, lanes(like)), like.dtype)


@compiled_apart
def _multiples(count, step):
    """Where the rows of a matrix begin: count multiples of step."""
    return np.arange(count) * step


@compiled_apart
def _packed_size(depth, width, lanes):
    return depth * -(-width // lanes) * lanes


@compiled_apart
def _vectors(left, most=_MOST):
    """How wide the next panel is, of so many vectors that are left: all as equally wide as may be."""
    return -(-left // -(-left // most))


@compiled_with(register_block)
def _pack_together(queue, parts, rows, matrices, packed):
    """Part by part of rows of every matrix (S, K, N)"""
    _, depth, width = matrices.shape
    starts = _multiples(depth, width)
    for item in taken(queue, len(matrices) * parts):
        s, part = divmod(item, parts)
        for first in range(part * rows, min((part + 1) * rows, depth), _ROWS_AT_ONCE):
            _pack_rows(matrices[s].reshape(-1), starts, first, width, packed[s])


@compiled_with(register_block)
def _pack_rows(b, starts, first, width, packed):
    """A few rows from `first` on, into all panels: they come from memory once, though a panel takes half a line of each

    b is flat, and row k of it begins at number starts[k]
    """
    depth = starts.size
    last, lane_count = min(first + _ROWS_AT_ONCE, depth), lanes(b)
    j = 0
    while j < width:
        columns = _vectors(-(-(width - j) // lane_count)) * lane_count
        panel = packed[depth * j : depth * (j + columns)]
        for start in range(0, columns, lane_count):
            if j + start + lane_count <= width:
                for k in range(first, last):
                    move(b, starts[k] + j + start, panel, k * columns + start)
            else:
                for k in range(first, last):
                    for c in range(lane_count):
                        panel[k * columns + start + c] = b[starts[k] + j + start + c] if j + start + c < width else 0
        j += columns


@compiled_with(register_block)
def _pack_transposes(queue, parts, rows, b, starts, filters, width, packed):
    """Part by part of rows of every segment's matrix, whose number (k, n) is starts[k] + n*filters of b, further on by segments"""
    lane_count, depth = lanes(b), starts.size
    for item in taken(queue, len(packed) * parts):
        s, part = divmod(item, parts)
        onwards = s * (filters // len(packed))
        for first in range(part * rows, min((part + 1) * rows, depth), _ROWS_AT_ONCE):
            last, j = min(first + _ROWS_AT_ONCE, depth), 0
            while j < width:
                columns = _vectors(-(-(width - j) // lane_count)) * lane_count
                panel = packed[s, depth * j : depth * (j + columns)]
                within = min(columns, width - j)
                for k in range(first, last):
                    place = starts[k] + onwards + j * filters
                    for c in range(within):
                        panel[k * columns + c] = b[place + c * filters]
                    for c in range(within, columns):
                        panel[k * columns + c] = 0
                j += columns


@compiled_with(register_block)
def _over_panels(x, places, steps, packed, depth, first, y, targets, width, add):
    """y = a @ b, or += if `add`, for the steps of k from `first` on, of `depth` that the panels hold"""
    lane_count = lanes(y)
    j = 0
    while j < width:
        vectors = _vectors(-(-(width - j) // lane_count))
        columns = vectors * lane_count
        panel = packed[depth * j : depth * (j + columns)].reshape(depth, columns)[first:]
        if j + columns <= width:
            _over_rows(x, places, steps, panel, y[j:], targets, vectors, add)
        else:
            _last_panel(x, places, steps, panel, y[j:], targets, width - j, vectors, add)
        j += columns


@compiled_with(register_block)
def _over_rows(x, places, steps, panel, y, targets, vectors, add):
    """So many vectors of every row, one block below the other; what is left of the rows by two and one"""
    rows, i = _ROWS[vectors - 1], 0
    while i + rows <= places.size:
        _block(x, places, steps, panel, y, targets, i, vectors, add)
        i += rows
    while i + 2 <= places.size:
        _pair(x, places, steps, panel, y, targets, i, vectors, add)
        i += 2
    if i < places.size:
        _row(x, places, steps, panel, y, targets, i, vectors, add)


@compiled_with(register_block)
def _last_panel(x, places, steps, panel, y, targets, left, vectors, add):
    """The same where a row ends within a vector: every block goes through one that is whole"""
    rows = _ROWS[vectors - 1]
    whole, within = np.empty(rows * panel.shape[1], y.dtype), _multiples(rows, panel.shape[1])
    for i in range(0, places.size, rows):
        count = min(rows, places.size - i)
        _over_rows(x, places[i : i + count], steps, panel, whole, within, vectors, False)
        for r in range(count):
            for c in range(left):
                if add:
                    y[targets[i + r] + c] += whole[within[r] + c]
                else:
                    y[targets[i + r] + c] = whole[within[r] + c]
