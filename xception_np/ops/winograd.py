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

2.25 times fewer multiplications, for additions of which there are few if there are many channels. Results differ from those of
`ops/window_products.py` by rounding: sums are of differences of pixels, and a ninth as long.

Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks" (2015), sections 4.1 and 5.
"""

import math

import numpy as np

from xception_np import arrays, threads, tiling
from xception_np.ops import exits, frames, packing, products, squares
from xception_np.ops.compile import compiled_with, taken
from xception_np.ops.products import lanes

_FEWEST = 16  # channels and filters of a segment: with fewer, transforms cost what is saved; and a vector holds no more
_PLACES = 16  # of a square: matrix products
_MOST_NUMBERS = tiling.LARGEST // 98  # of a square: 98 squares at once at least, as each of them meets all of U
_AS_THEY_ARE = np.arange(_PLACES)
# The transform of a flipped kernel is that of the kernel, its places 0 and 3 exchanged vertically and horizontally
_FLIPPED = _AS_THEY_ARE.reshape(4, 4)[[3, 1, 2, 0]][:, [3, 1, 2, 0]].reshape(-1)


def fits(weight, windows, segments):
    """Whether such convolutions are for these functions: 3x3 taps of neighbours, and enough channels."""
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
    kernels = np.ascontiguousarray(weight)
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
    """In a tile for each square: those of V or M of a segment, which then stay in the second-level cache. Many count as fewer."""
    return min(_PLACES * max(x.shape[3], y.shape[3]) // segments, _MOST_NUMBERS)


@compiled_with(exits, frames, packing, products, squares)
def _convolve(queue, tiles, x, windows, stack, order, segments, y, exit):
    columns, width, own = -(-y.shape[2] // 2), x.shape[3] // segments, y.shape[3] // segments
    memory, v, m = _memory(tiles, x, columns, windows, width, own)
    for k in taken(queue, len(tiles)):
        frame, count = _look(x, tiles[k], columns, windows, memory)
        places, steps, targets = _tables(count, width, own, lanes(x))
        for s in range(segments):
            _split_up(frame, s * width, width, v, count)
            for t in range(_PLACES):
                weights = packing.one_of(stack, order[t] * segments + s)
                products.multiply_windows(v[t], places, steps, weights, m[t], targets)
            _put_results_together(m, tiles[k], y, s * own, own)
        _leave(y, tiles[k], exit)


@compiled_with(frames, packing, products, squares)
def _weight_gradient(queue, groups, tiles, x, dy, windows, partials):
    segments, _, width, own = partials.shape[1:]
    columns = -(-dy.shape[2] // 2)
    memory, v, dm = _memory(tiles, x, columns, windows, width, own)
    spare = products.memory_for(own, dy)
    for g in taken(queue, len(groups)):
        for k in range(groups[g, 0], groups[g, 1]):
            frame, count = _look(x, tiles[k], columns, windows, memory)
            for s in range(segments):
                _split_up(frame, s * width, width, v, count)
                _split_upstream(dy, tiles[k], s * own, own, dm)
                _add_products(v, dm, count, partials[g, s], 0, width, k > groups[g, 0], spare)


@compiled_with(frames, packing, products, squares)
def _weight_gradient_by_channels(queue, shares, tiles, x, dy, windows, sums):
    """The same for a large dU, without partial sums of it: its rows are shared out, and every thread goes through x and dy."""
    segments, _, width, own = sums.shape
    columns, widest = -(-dy.shape[2] // 2), (shares[:, 1] - shares[:, 0]).max()
    memory, v, dm = _memory(tiles, x, columns, windows, widest, own)
    spare = products.memory_for(own, dy)
    for r in taken(queue, len(shares)):
        first, last = shares[r]
        for k in range(len(tiles)):
            frame, count = _look(x, tiles[k], columns, windows, memory)
            for s in range(segments):
                _split_up(frame, s * width + first, last - first, v, count)
                _split_upstream(dy, tiles[k], s * own, own, dm)
                _add_products(v, dm, count, sums[s], first, last, k > 0, spare)


@compiled_with(frames)
def _memory(tiles, x, columns, windows, width, own):
    """For any of the tiles: its frame; 16 matrices of so many channels, in whole vectors, and of so many filters."""
    images, rows = frames.most(tiles)
    count, whole = images * rows * columns, -(-width // lanes(x)) * lanes(x)
    v, m = frames.numbers(_PLACES * count * whole, x.dtype), frames.numbers(_PLACES * count * own, x.dtype)
    return frames.memory(images, 2 * rows, 2 * columns, windows, x), v.reshape(_PLACES, -1), m.reshape(_PLACES, -1)


@compiled_with(frames)
def _look(x, tile, columns, windows, memory):
    """What the windows of a tile see, and how many squares of them there are."""
    n0, n1, h0, h1 = tile
    frame = frames.fill(x, (n0, n1, 2 * h0, 2 * h1), 2 * columns, windows, (1, 1), memory)
    return frame, (n1 - n0) * (h1 - h0) * columns


@compiled_with(packing)
def _tables(count, width, own, lanes):
    """Where squares begin in V[t], how far it is to each channel there, and where squares begin in M[t]."""
    steps = np.empty(width, np.int64)
    for c in range(width):
        start = c // lanes * lanes
        steps[c] = start * count + c - min(start, width - lanes)
    return packing.multiples(count, lanes), steps, packing.multiples(count, own)


@compiled_with(products)
def _add_products(v, dm, count, sums, first, last, add, spare):
    """dU[t] = V[t].T @ dM[t], or += if `add`, in the rows of the channels that V has"""
    places, steps, sources = _tables(count, last - first, sums.shape[2], lanes(v))
    for t in range(_PLACES):
        products.add_product_over_windows(v[t], places, steps, dm[t], sources, sums[t, first:last], add, spare)


@compiled_with(squares)
def _split_up(frame, first, width, v, count):
    """V of some channels of a frame, in vectors: (C / lanes, Q, lanes) for each place. The last vector overlaps with the one before

    A row of a product's first factor and one of its transpose are then both read from one line of the cache after the other.
    """
    images, height, row, channels = frame.shape
    x, split, lane_count, size = frame.reshape(-1), v.reshape(-1), lanes(v), v.shape[1]
    q = 0
    for n in range(images):
        for h in range(0, height - 2, 2):
            for w in range(0, row - 2, 2):
                place = ((n * height + h) * row + w) * channels + first
                for start in range(0, width, lane_count):
                    source, target = place + min(start, width - lane_count), start * count + q * lane_count
                    squares.inputs(x, source, (row * channels, channels), split, target, (4 * size, size))
                q += 1


@compiled_with(squares)
def _put_results_together(m, tile, y, first, own):
    """Some filters of y, from their M"""
    n0, n1, h0, h1 = tile
    _, height, width, filters = y.shape
    results, split, lane_count, size = y.reshape(-1), m.reshape(-1), lanes(y), m.shape[1]
    q = 0
    for n in range(n0, n1):
        for h in range(2 * h0, 2 * h1, 2):
            for w in range(0, width, 2):
                place, there = ((n * height + h) * width + w) * filters + first, (height - h, width - w)
                for start in range(0, own, lane_count):
                    f = min(start, own - lane_count)
                    squares.outputs(split, q * own + f, (4 * size, size), results, place + f, (width * filters, filters), there)
                q += 1


@compiled_with(squares)
def _split_upstream(dy, tile, first, own, dm):
    """dM of some filters of dy"""
    n0, n1, h0, h1 = tile
    _, height, width, filters = dy.shape
    upstream, split, lane_count, size = dy.reshape(-1), dm.reshape(-1), lanes(dy), dm.shape[1]
    q = 0
    for n in range(n0, n1):
        for h in range(2 * h0, 2 * h1, 2):
            for w in range(0, width, 2):
                place, there = ((n * height + h) * width + w) * filters + first, (height - h, width - w)
                for start in range(0, own, lane_count):
                    f = min(start, own - lane_count)
                    squares.upstream(upstream, place + f, (width * filters, filters), split, q * own + f, (4 * size, size), there)
                q += 1


@compiled_with(exits)
def _leave(y, tile, exit):
    """The pixels of a tile, as they leave"""
    n0, n1, h0, h1 = tile
    _, height, width, filters = y.shape
    first, last = n0 * height + 2 * h0, (n1 - 1) * height + min(2 * h1, height)  # one image's rows, or whole images
    exits.leave(y.reshape(-1), first * width * filters, (last - first) * width, exit)


@compiled_with(squares)
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


@compiled_with(squares)
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
