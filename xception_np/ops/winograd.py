"""Convolutions with 3x3 kernels and stride 1 by fewer multiplications: Winograd's minimal filtering, F(2x2, 3x3).

Four neighbouring results y need a square of 4 x 4 pixels d, and with the kernel g as it is 36 multiplications for each channel. But

    y = A^T [ (G g G^T) * (B^T d B) ] A                 * number by number: 16 multiplications

        1  0 -1  0             1    0    0              1  1  1  0
  B^T = 0  1  1  0        G = 1/2  1/2  1/2       A^T = 0  1 -1 -1
        0 -1  1  0            1/2 -1/2  1/2
        0  1  0 -1             0    0    1

is the same four numbers. Summed up over channels before A^T, each of the 16 places is a matrix product of its own, for all squares:

    squares of x        split up (`ops/squares.py`)         products                           put together
    +--+--+--+--+
    |  |  |  |  |       V[t] (Q, C)                         M[t] (Q, F) = V[t] @ U[t] (C, F)   y, 2 x 2 of it for each square
    +--+--+--+--+  -->  t = 0, ..., 15, Q squares     -->   U = G g G^T, once a pass     -->
    |  | y| y|  |       they overlap by half
    +--+--+--+--+
    |  | y| y|  |       dU[t] += V[t].T @ dM[t], dM = A dy A^T;  dg = G^T dU G
    +--+--+--+--+
    |  |  |  |  |       dx: the same with dy for x and U, taps flipped, transposed
    +--+--+--+--+

2.25 times fewer multiplications; the price is additions, few beside them if there are many channels. Results differ from those of
`ops/window_products.py` by rounding: sums are of differences of pixels, but shorter. And infinity becomes NaN, as inf - inf does.

Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks" (2015), sections 4.1 and 5.
"""

import math

import numpy as np

from xception_np import arrays, threads, tiling
from xception_np.ops import exits, frames, packing, products, squares
from xception_np.ops.compile import compiled, compiled_apart, compiled_with, taken
from xception_np.ops.products import lanes

# Channels and filters of a segment at least: a whole vector of any kind, or the last one would begin before its array; and with
# fewer, transforms cost what is saved
_FEWEST = 16
_PLACES = 16  # of a square: matrix products
# A tile has 98 squares, if there are so many, also with many channels: their numbers leave the cache then, but all of them meet U
_MOST_NUMBERS = tiling.LARGEST // 98
_AS_THEY_ARE = np.arange(_PLACES)
# The transform of a flipped kernel is that of the kernel, its places 0 and 3 exchanged vertically and horizontally
_FLIPPED = _AS_THEY_ARE.reshape(4, 4)[[3, 1, 2, 0]][:, [3, 1, 2, 0]].reshape(-1)


def fits(weight, windows, segments):
    """Whether such convolutions are for these functions, which do not ask: 3x3 taps of neighbours, and enough channels.

    Not how many windows there are: a picture has the same bits alone and among others.
    """
    numbers = weight.shape[2], weight.shape[3] // segments
    return windows[:3] == ((3, 3), (1, 1), (1, 1)) and min(numbers) >= _FEWEST


def convolve(x, weight, windows, segments, y, exit=None):
    """y = windows of x, by segment, as it leaves: the exit is nothing if not given."""
    stack = packing.kept(weight, ("winograd", segments), lambda: packing.stacked(_kernels(weight), _PLACES * segments))
    _convolve_onto(x, stack, _AS_THEY_ARE, segments, windows, y, exit or exits.nothing(x.dtype))


def input_gradient(dy, weight, windows, segments, dx):
    """dx = a convolution of dy: the taps flipped, filters and channels exchanged."""
    every = slice(None)
    stack = packing.stacked_transposes(_kernels(weight)[None, None], (every, every), _PLACES * segments)
    _convolve_onto(dy, stack, _FLIPPED, segments, windows.transposed(), dx, exits.nothing(dy.dtype))


def weight_gradient(x, dy, windows, segments):
    """dweight (3, 3, C/S, F)."""
    width, filters = x.shape[3] // segments, dy.shape[3]
    shape = (segments, _PLACES, width, filters // segments)
    size, numbers = _squares(dy.shape), _numbers(x, dy, segments)
    if width >= 2 * tiling.SMALL_SHARE and math.prod(shape) > tiling.LARGEST:
        shares, tiles = tiling.share_table(width, threads.count()), tiling.large_table(size, numbers)
        sums = arrays.empty(shape, x.dtype)
        threads.together(lambda queue: _weight_gradient_by_channels(queue, shares, tiles, x, dy, windows, sums), len(shares))
    else:
        tiles, groups = tiling.group_table(size, numbers, math.prod(shape))

        def work(queue, partials):
            _weight_gradient(queue, groups, tiles, x, dy, windows, partials)

        sums = threads.sum_groups(work, len(groups), shape, x.dtype)
    dweight, spans = arrays.empty((3, 3, width, filters), x.dtype), tiling.span_table(width, filters)
    threads.together(lambda queue: _put_gradients_together(queue, spans, sums, dweight), len(spans))
    return dweight


def _kernels(weight):
    """U (C/S, 16*F): place by place, all filters."""
    width, filters = weight.shape[2:]
    split, spans = arrays.empty((width, _PLACES * filters), weight.dtype), tiling.span_table(width, filters)
    kernels = arrays.read_only(np.ascontiguousarray(weight))
    threads.together(lambda queue: _split_kernels(queue, spans, kernels, split), len(spans))
    return split


def _convolve_onto(x, stack, order, segments, windows, y, exit):
    tiles = tiling.product_table(_squares(y.shape), _numbers(x, y, segments), threads.count())
    threads.together(lambda queue: _convolve(queue, tiles, x, windows, stack, order, segments, y, exit), len(tiles))


def _squares(shape):
    """(N, rows of squares, squares in one, F) of results (N, H, W, F)."""
    images, height, width, filters = shape
    return images, -(-height // 2), -(-width // 2), filters


def _numbers(x, y, segments):
    """In a tile for each square: those of V or M of a segment, which then stay in the second-level cache."""
    return min(_PLACES * max(x.shape[3], y.shape[3]) // segments, _MOST_NUMBERS)


@compiled_with(exits, frames, packing, products, squares)
def _convolve(queue, tiles, x, windows, stack, order, segments, y, exit):
    _, height, row, _ = y.shape
    columns, width, own = -(-row // 2), x.shape[3] // segments, y.shape[3] // segments
    memory, v, m = _memory(tiles, x, columns, windows, width, own)
    for k in taken(queue, len(tiles)):
        frame, seen = _look(x, tiles[k], columns, windows, memory)
        results, (places, steps, targets) = _corners(tiles[k], columns, height, row), _tables(len(seen), width, own, lanes(x))
        for s in range(segments):
            _split_up(frame, seen, s * width, width, v)
            for t in range(_PLACES):
                weights = packing.one_of(stack, order[t] * segments + s)
                products.multiply_windows(v[t], places, steps, weights, m[t], targets)
            _put_results_together(m, results, y, s * own, own)
        _leave(y, tiles[k], exit)


@compiled_with(frames, packing, products, squares)
def _weight_gradient(queue, groups, tiles, x, dy, windows, partials):
    segments, _, width, own = partials.shape[1:]
    _, height, row, _ = dy.shape
    columns = -(-row // 2)
    memory, v, dm = _memory(tiles, x, columns, windows, width, own)
    spare = products.memory_for(own, dy)
    for g in taken(queue, len(groups)):
        for k in range(groups[g, 0], groups[g, 1]):
            frame, seen = _look(x, tiles[k], columns, windows, memory)
            upstream, tables = _corners(tiles[k], columns, height, row), _tables(len(seen), width, own, lanes(x))
            for s in range(segments):
                _split_up(frame, seen, s * width, width, v)
                _split_upstream(dy, upstream, s * own, own, dm)
                _add_products(v, dm, tables, partials[g, s], 0, width, k > groups[g, 0], spare)


@compiled_with(frames, packing, products, squares)
def _weight_gradient_by_channels(queue, shares, tiles, x, dy, windows, sums):
    """The same for a large dU, without partial sums of it: its rows are shared out, and every thread goes through x and dy."""
    segments, _, width, own = sums.shape
    _, height, row, _ = dy.shape
    columns, widest = -(-row // 2), (shares[:, 1] - shares[:, 0]).max()
    memory, v, dm = _memory(tiles, x, columns, windows, widest, own)
    spare = products.memory_for(own, dy)
    for r in taken(queue, len(shares)):
        first, last = shares[r]
        for k in range(len(tiles)):
            frame, seen = _look(x, tiles[k], columns, windows, memory)
            upstream, tables = _corners(tiles[k], columns, height, row), _tables(len(seen), last - first, own, lanes(x))
            for s in range(segments):
                _split_up(frame, seen, s * width + first, last - first, v)
                _split_upstream(dy, upstream, s * own, own, dm)
                _add_products(v, dm, tables, sums[s], first, last, k > 0, spare)


@compiled_with(frames, products)
def _memory(tiles, x, columns, windows, width, own):
    """For any of the tiles: its frame; 16 matrices of so many channels, in whole vectors, and of so many filters."""
    images, rows = frames.most(tiles)
    count, whole = images * rows * columns, -(-width // lanes(x)) * lanes(x)
    v, m = frames.numbers(_PLACES * count * whole, x.dtype), frames.numbers(_PLACES * count * own, x.dtype)
    return frames.memory(images, 2 * rows, 2 * columns, windows, x), v.reshape(_PLACES, -1), m.reshape(_PLACES, -1)


@compiled_with(frames, how=compiled)
def _look(x, tile, columns, windows, memory):
    """What the windows of a tile see, and the corners of its squares there."""
    n0, n1, h0, h1 = tile
    frame = frames.fill(x, (n0, n1, 2 * h0, 2 * h1), 2 * columns, windows, (1, 1), memory)
    return frame, _corners((0, n1 - n0, 0, h1 - h0), columns, frame.shape[1], frame.shape[2])


@compiled_apart
def _corners(tile, columns, height, width):
    """(Q, 3): which pixel of (N, height, width) each square begins with; how many rows and columns are left from there on."""
    n0, n1, h0, h1 = tile
    corners = np.empty(((n1 - n0) * (h1 - h0) * columns, 3), np.int64)
    q = 0
    for n in range(n0, n1):
        for h in range(2 * h0, 2 * h1, 2):
            for w in range(0, 2 * columns, 2):
                corners[q, 0] = (n * height + h) * width + w
                corners[q, 1] = height - h
                corners[q, 2] = width - w
                q += 1
    return corners


@compiled_with(packing)
def _tables(count, width, own, lanes):
    """Where squares begin in V[t], how far it is to each channel there, and where squares begin in M[t]."""
    steps = np.empty(width, np.int64)
    for c in range(width):
        start = c // lanes * lanes
        steps[c] = start * count + c - min(start, width - lanes)
    return packing.multiples(count, lanes), steps, packing.multiples(count, own)


@compiled_with(products)
def _add_products(v, dm, tables, sums, first, last, add, spare):
    """dU[t] = V[t].T @ dM[t], or += if `add`, in the rows of the channels that V has"""
    places, steps, sources = tables
    for t in range(_PLACES):
        products.add_product_over_windows(v[t], places, steps, dm[t], sources, sums[t, first:last], add, spare)


@compiled_with(products, squares)
def _split_up(frame, corners, first, width, v):
    """V of some channels of a frame: (C / lanes, Q, lanes) for each place, the last vector overlapping with the one before

    So what a product reads next is next in memory, whether it goes from channel to channel or, for dU, from square to square.
    """
    _, _, row, channels = frame.shape
    x, split, lane_count, size = frame.reshape(-1), v.reshape(-1), lanes(v), v.shape[1]
    for q in range(len(corners)):
        place = corners[q, 0] * channels + first
        for start in range(0, width, lane_count):
            source, target = place + min(start, width - lane_count), start * len(corners) + q * lane_count
            squares.inputs(x, source, (row * channels, channels), split, target, (4 * size, size))


@compiled_with(products, squares)
def _put_results_together(m, corners, y, first, own):
    """Some filters of y, from their M"""
    _, _, row, filters = y.shape
    results, split, lane_count, size = y.reshape(-1), m.reshape(-1), lanes(y), m.shape[1]
    for q in range(len(corners)):
        place, there = corners[q, 0] * filters + first, (corners[q, 1], corners[q, 2])
        for start in range(0, own, lane_count):
            f = min(start, own - lane_count)
            squares.outputs(split, q * own + f, (4 * size, size), results, place + f, (row * filters, filters), there)


@compiled_with(products, squares)
def _split_upstream(dy, corners, first, own, dm):
    """dM of some filters of dy"""
    _, _, row, filters = dy.shape
    upstream, split, lane_count, size = dy.reshape(-1), dm.reshape(-1), lanes(dy), dm.shape[1]
    for q in range(len(corners)):
        place, there = corners[q, 0] * filters + first, (corners[q, 1], corners[q, 2])
        for start in range(0, own, lane_count):
            f = min(start, own - lane_count)
            squares.upstream(upstream, place + f, (row * filters, filters), split, q * own + f, (4 * size, size), there)


@compiled_with(exits)
def _leave(y, tile, exit):
    """The pixels of a tile, as they leave"""
    n0, n1, h0, h1 = tile
    _, height, width, filters = y.shape
    first, last = n0 * height + 2 * h0, (n1 - 1) * height + min(2 * h1, height)  # one image's rows, or whole images
    exits.leave(y.reshape(-1), first * width * filters, (last - first) * width, exit)


@compiled_with(products, squares)
def _split_kernels(queue, spans, weight, split):
    """U = G g G^T, of some channels"""
    _, _, width, filters = weight.shape
    kernels, places, lane_count, tap = weight.reshape(-1), split.reshape(-1), lanes(weight), width * filters
    for k in taken(queue, len(spans)):
        for c in range(spans[k, 0], spans[k, 1]):
            for start in range(0, filters, lane_count):
                f = min(start, filters - lane_count)
                target = c * _PLACES * filters + f
                squares.kernels(kernels, c * filters + f, (3 * tap, tap), places, target, (4 * filters, filters))


@compiled_with(products, squares)
def _put_gradients_together(queue, spans, sums, dweight):
    """dg = G^T dU G, of some channels"""
    segments, _, width, own = sums.shape
    places, taps, lane_count, size, tap = sums.reshape(-1), dweight.reshape(-1), lanes(sums), width * own, width * segments * own
    for k in taken(queue, len(spans)):
        for c in range(spans[k, 0], spans[k, 1]):
            for s in range(segments):
                for start in range(0, own, lane_count):
                    f = min(start, own - lane_count)
                    source, target = s * _PLACES * size + c * own + f, (c * segments + s) * own + f
                    squares.gradients(places, source, (4 * size, size), taps, target, (3 * tap, tap))
