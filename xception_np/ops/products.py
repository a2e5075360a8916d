"""Matrix products in registers: faster than BLAS where matrices are narrow, or where few rows meet a large one.

    multiply(a, weights(b), y)      y = a @ b               a (P, K), b (K, N), y (P, N)
    add_product_over_rows(a, b, y, add, memory)
                                    y = a.T @ b, or +=      a (P, K), b (P, N), y (K, N)
    multiply_windows, add_product_over_windows
                                    the same where a is the windows of a convolution, which tables find in its input
    multiply_in_lanes(x, places, steps, b, y, add)
                                    the first, where every number is a vector

A block of y stays in registers while k runs (`ops/register_block.py`). It reads b a few vectors wide, row after row: so b is first
copied into panels of that width (`ops/packing.py`). BLAS does so anew for every tile, and packs a as well: with 64 channels that is
as much work as the product. Here a is read where it is: a[p, k] is number places[p] + steps[k] of an array, and in a.T the two
tables are exchanged.

What is too large goes to BLAS, if it is a matrix. Windows would have to be copied into one first, each number kh*kw times.
"""

import numpy as np

from xception_np import threads, tiling
from xception_np.ops import blas, packing, register_block
from xception_np.ops.compile import compiled_apart, compiled_with
from xception_np.ops.register_block import REGISTERS, block, lanes

# Rows of a block that is 1, 2, ... vectors wide, the last as a panel: the sums, a row of b and a number of a fit into the registers
_ROWS = (8, 8, 8, 6) if REGISTERS == 32 else (8, 6)
_ROWS_IN_LANES = (12, 8, 6, 5) if REGISTERS == 32 else (8, 6, 4)  # and where that number is a vector
_LARGEST_SUM = 3 * 2**16  # numbers of y at most where it is added to: 768 KiB in float32, a part of the second-level cache
_DEPTH = 1024  # steps of k at once, at most: a panel, that is read for every block of rows, stays in the second-level cache
_DEPTH_OF_SUM = 400  # rows of b that are packed and summed up at once, at most
_DEPTH_IN_LANES = 128  # steps at once where numbers are vectors
_AT_ONCE = 2**15  # numbers of a matrix a that meet one panel of b after the other: they stay in the second-level cache
_FEWEST_AT_ONCE = 96  # rows of it at least: all of b is read for each such part

_block, _pair, _row = block(_ROWS), block((2,) * len(_ROWS)), block((1,) * len(_ROWS))
_block_in_lanes, _row_in_lanes = block(_ROWS_IN_LANES, True), block((1,) * len(_ROWS_IN_LANES), True)


def parts(shape: tuple[int, ...], width: int, numbers: int) -> np.ndarray:
    """`tiling.part_table` of (N, H, W, F) for a matrix of so many numbers: what BLAS multiplies may depend on how it is cut."""
    return tiling.part_table(shape, width, threads.count() if numbers <= packing.LARGEST else None)


@compiled_with(packing, register_block)
def multiply(a, weights, y):
    """y = a @ b, with weights(b); a and y C-contiguous."""
    depth, width = weights.shape
    if a.shape[1] != depth or y.shape != (a.shape[0], width):
        raise ValueError("shapes do not fit: a (P, K), b (K, N), y (P, N)")
    if depth * width > packing.LARGEST:
        np.dot(a, weights.packed.reshape(depth, width), y)
        return
    places, steps, targets = packing.multiples(len(a), depth), np.arange(depth), packing.multiples(len(a), width)
    rows = max(_AT_ONCE // depth, _FEWEST_AT_ONCE)
    for i in range(0, len(a), rows):
        multiply_windows(a.reshape(-1), places[i : i + rows], steps, weights, y.reshape(-1), targets[i : i + rows])


@compiled_with(packing, register_block)
def multiply_windows(x, places, steps, weights, y, targets):
    """y[targets[p] + n] = sum over k of x[places[p] + steps[k]] * b[k, n], with one of `stacked` b; x and y are flat."""
    depth, width = weights.shape
    if steps.size != depth or places.size != targets.size:
        raise ValueError("shapes do not fit: places (P,), steps (K,), b (K, N), targets (P,)")
    at_once = _equal(depth, _DEPTH)
    for k in range(0, depth, at_once):
        _over_panels(x, places, steps[k : k + at_once], weights.packed, depth, k, y, targets, width, k > 0)


@compiled_with(blas, packing, register_block)
def add_product_over_rows(a, b, y, add, memory):
    """y = a.T @ b, or += if `add`; all three C-contiguous, with `memory_for` rows of b."""
    if a.shape[0] != b.shape[0] or y.shape != (a.shape[1], b.shape[1]):
        raise ValueError("shapes do not fit: a (P, K), b (P, N), y (K, N)")
    if y.size > _LARGEST_SUM:
        blas.add_product(a, b, y, add)
        return
    places, sources = packing.multiples(len(a), a.shape[1]), packing.multiples(len(b), b.shape[1])
    add_product_over_windows(a.reshape(-1), places, np.arange(a.shape[1]), b.reshape(-1), sources, y, add, memory)


@compiled_with(packing, register_block)
def add_product_over_windows(x, places, steps, b, sources, y, add, memory):
    """y[k, n] = sum over p of x[places[p] + steps[k]] * b[sources[p] + n], or += if `add`; x, b flat, y (K, N) C-contiguous.

    `memory` is `memory_for` rows of b.
    """
    depth, width = y.shape
    if places.size != sources.size or steps.size != depth:
        raise ValueError("shapes do not fit: places (P,), steps (K,), sources (P,), y (K, N)")
    targets = packing.multiples(depth, width)
    at_once = _equal(places.size, _DEPTH_OF_SUM)
    for p in range(0, places.size, at_once):
        part, starts = places[p : p + at_once], sources[p : p + at_once]
        for first in range(0, part.size, packing.ROWS_AT_ONCE):
            packing.pack_rows(b, starts, first, width, memory)
        _over_panels(x, steps, part, memory, part.size, 0, y.reshape(-1), targets, width, add or p > 0)


@compiled_with(packing, register_block)
def multiply_in_lanes(x, places, steps, b, y, add):
    """y[r, n] = sum over k of x[places[r] + steps[k]] * b[k, n], or += if `add`, where all of these are vectors.

    x[p] begins at number p of a flat array, and vectors are neighbours in b (K, N*lanes) and y (R, N*lanes).
    """
    if places.size != len(y) or steps.size != len(b) or b.shape[1] != y.shape[1]:
        raise ValueError("shapes do not fit: places (R,), steps (K,), b (K, N*lanes), y (R, N*lanes)")
    targets = packing.multiples(len(y), y.shape[1])
    for k in range(0, len(b), _DEPTH_IN_LANES):
        depth = min(_DEPTH_IN_LANES, len(b) - k)
        _over_blocks_in_lanes(x, places, steps[k : k + depth], b[k : k + depth], y.reshape(-1), targets, add or k > 0)


@compiled_apart
def _equal(count, most):
    """How many of so many at once, no more than `most`: as equally many as may be."""
    return -(-count // -(-count // most)) if count else 1


@compiled_with(packing, register_block)
def _over_blocks_in_lanes(x, places, steps, b, y, targets, add):
    lane_count = lanes(y)
    j = 0
    while j < b.shape[1]:
        vectors = packing.vectors((b.shape[1] - j) // lane_count, len(_ROWS_IN_LANES))
        rows, i = _ROWS_IN_LANES[vectors - 1], 0
        while i + rows <= places.size:
            _block_in_lanes(x, places, steps, b[:, j:], y[j:], targets, i, vectors, lane_count, add)
            i += rows
        while i < places.size:
            _row_in_lanes(x, places, steps, b[:, j:], y[j:], targets, i, vectors, lane_count, add)
            i += 1
        j += vectors * lane_count


@compiled_with(packing, register_block)
def memory_for(width, like):
    """Memory to sum up products with: for a part of b (P, N), packed."""
    return np.empty(packing.packed_size(_DEPTH_OF_SUM, width, lanes(like)), like.dtype)


@compiled_with(packing, register_block)
def _over_panels(x, places, steps, packed, depth, first, y, targets, width, add):
    """y = a @ b, or += if `add`, for the steps of k from `first` on, of `depth` that the panels hold"""
    lane_count = lanes(y)
    j = 0
    while j < width:
        vectors = packing.vectors(-(-(width - j) // lane_count))
        columns = vectors * lane_count
        panel = packed[depth * j : depth * (j + columns)].reshape(depth, columns)[first:]
        left = min(lane_count, width - j - columns + lane_count)
        _over_rows(x, places, steps, panel, y[j:], targets, vectors, left, add)
        j += columns


@compiled_with(packing, register_block)
def _over_rows(x, places, steps, panel, y, targets, vectors, left, add):
    """So many vectors of every row, one block below the other; what is left of the rows by two and one"""
    rows, i = _ROWS[vectors - 1], 0
    while i + rows <= places.size:
        _block(x, places, steps, panel, y, targets, i, vectors, left, add)
        i += rows
    while i + 2 <= places.size:
        _pair(x, places, steps, panel, y, targets, i, vectors, left, add)
        i += 2
    if i < places.size:
        _row(x, places, steps, panel, y, targets, i, vectors, left, add)
