"""Grouped convolution with segments of a few channels: vectors along the segments.

Vectors hold a number of as many segments as they have lanes. A tile is taken apart into such vectors, lanes of segments at a time,
and put together again while it is in the cache:

    x_lanes (pixels, C/S)     vectors x[..., s*C/S + c] over s       what the windows of the tile see
    y_lanes (positions, F/S)  = windows of x_lanes @ taps            a product of matrices whose numbers are vectors
    taps    (kh*kw*C/S, F/S)  vectors weight[i, j, c, s*F/S + f] over s

Windows are not copied: a number of one is where its position's window begins and so many numbers on, and both are in tables
(`products.multiply_in_lanes`). dtaps = windows.T @ dy_lanes is the same product with the tables exchanged.
"""

import math

import numpy as np

from xception_np import threads, tiling
from xception_np.ops import frames, products, transposed_block
from xception_np.ops.compile import compiled_with, taken
from xception_np.ops.products import lanes
from xception_np.ops.register_block import BYTES


def convolve(x, weight, windows, segments, y):
    """y = windows of x, by segment."""
    _convolve_spread(x, weight, windows, (1, 1), segments, y)


def input_gradient(dy, weight, windows, segments, dx):
    """dx = a convolution of dy: its pixels `stride` apart, the taps flipped, filters and channels exchanged.

    With a stride, the zeros between are multiplied, too.
    """
    _convolve_spread(dy, _backwards(weight, segments), windows.transposed(), windows.stride, segments, dx)


def weight_gradient(x, dy, windows, segments):
    """dweight (kh, kw, C/S, F)."""
    width, filters, lane_count = x.shape[3] // segments, dy.shape[3] // segments, BYTES // x.itemsize
    shape = (-(-segments // lane_count), math.prod(windows.kernel) * width, filters * lane_count)
    tiles, groups = tiling.group_table(dy.shape, _numbers(x, dy), math.prod(shape))

    def work(queue, partials):
        _weight_gradient(queue, groups, tiles, x, frames.rows(dy), windows, segments, partials)

    taps = threads.sum_groups(work, len(groups), shape, x.dtype)
    split = taps.reshape(shape[0], *windows.kernel, width, filters, lane_count).transpose(1, 2, 3, 0, 5, 4)
    return np.ascontiguousarray(split.reshape(*windows.kernel, width, -1)[..., : dy.shape[3]])


def _convolve_spread(x, weight, windows, spread, segments, y):
    """y = windows of x, its pixels `spread` apart, by segment."""
    tiles = tiling.image_table(y.shape, _numbers(x, y))
    taps = _as_taps(weight, segments)
    threads.together(lambda queue: _convolve(queue, tiles, x, taps, windows, spread, segments, frames.rows(y)), len(tiles))


def _backwards(weight, segments):
    """The kernel of the convolution that gives dx: back[i, j, f, s*C/S + c] = weight[kh-1-i, kw-1-j, c, s*F/S + f]"""
    kh, kw, width, filters = weight.shape
    split = weight[::-1, ::-1].reshape(kh, kw, width, segments, filters // segments)
    return np.ascontiguousarray(split.transpose(0, 1, 4, 3, 2)).reshape(kh, kw, filters // segments, -1)


def _numbers(x, y):
    """In a tile for each position: in x or y, and what is taken apart of them."""
    return 2 * max(x.shape[3], y.shape[3])


def _as_taps(weight, segments):
    """(kh, kw, C/S, F) as (S/lanes, kh*kw*C/S, F/S*lanes), the last lanes filled up with 0."""
    kh, kw, width, filters = weight.shape
    lane_count = BYTES // weight.itemsize
    whole = np.zeros((kh * kw * width, -(-segments // lane_count) * lane_count, filters // segments), weight.dtype)
    whole[:, :segments] = weight.reshape(-1, segments, filters // segments)
    split = whole.reshape(len(whole), -1, lane_count, filters // segments).transpose(1, 0, 3, 2)
    return np.ascontiguousarray(split).reshape(len(split), len(whole), -1)


@compiled_with(frames, products, transposed_block)
def _convolve(queue, tiles, x, taps, windows, spread, segments, y):
    height, columns, lane_count = y.shape[0] // x.shape[0], y.shape[1], lanes(x)
    width, filters = x.shape[3] // segments, y.shape[2] // segments
    images, rows = frames.most(tiles)
    memory = frames.memory(images, rows, columns, windows, x)
    x_lanes = frames.numbers(memory.size // x.shape[3] * width * lane_count, x.dtype)
    y_lanes = frames.numbers(images * rows * columns * filters * lane_count + lane_count**2, x.dtype)
    for k in taken(queue, len(tiles)):
        frame, y_tile = frames.fill(x, tiles[k], columns, windows, spread, memory), frames.of_tile(y, tiles[k], height)
        positions, steps = _tables(frame, y_tile, windows, width)
        results = y_lanes[: len(positions) * filters * lane_count].reshape(len(positions), -1)
        for group in range(len(taps)):
            transposed_block.take_apart(frame, group, segments, x_lanes)
            products.multiply_in_lanes(x_lanes, positions, steps, taps[group], results, False)
            transposed_block.put_together(y_lanes, group, segments, y_tile)


@compiled_with(frames, products, transposed_block)
def _weight_gradient(queue, groups, tiles, x, dy, windows, segments, partials):
    height, columns, lane_count = dy.shape[0] // x.shape[0], dy.shape[1], lanes(x)
    width, filters = x.shape[3] // segments, dy.shape[2] // segments
    images, rows = frames.most(tiles)
    memory = frames.memory(images, rows, columns, windows, x)
    x_lanes = frames.numbers(memory.size // x.shape[3] * width * lane_count, x.dtype)
    dy_lanes = frames.numbers(images * rows * columns * filters * lane_count, x.dtype)
    dy_rows = dy_lanes.reshape(-1, filters * lane_count)
    for g in taken(queue, len(groups)):
        partials[g] = 0
        for k in range(groups[g, 0], groups[g, 1]):
            frame, dy_tile = frames.fill(x, tiles[k], columns, windows, (1, 1), memory), frames.of_tile(dy, tiles[k], height)
            positions, steps = _tables(frame, dy_tile, windows, width)
            for group in range(partials.shape[1]):
                transposed_block.take_apart(frame, group, segments, x_lanes)
                transposed_block.take_apart(dy_tile, group, segments, dy_lanes)
                products.multiply_in_lanes(x_lanes, steps, positions, dy_rows[: len(positions)], partials[g, group], True)


@compiled_with(products)
def _tables(frame, y, windows, width):
    """Where the window of each position begins in x_lanes, C/S = `width`, and where its numbers are from there on."""
    _, rows, columns, _ = frame.shape
    images, out_rows, out_columns, _ = y.shape
    (kh, kw), (sh, sw), (dh, dw), _ = windows
    lane_count = lanes(frame)
    numbers = width * lane_count  # of a pixel
    positions, steps = np.empty(images * out_rows * out_columns, np.int64), np.empty(kh * kw * width, np.int64)
    p = 0
    for n in range(images):
        for r in range(out_rows):
            for ow in range(out_columns):
                positions[p] = ((n * rows + r * sh) * columns + ow * sw) * numbers
                p += 1
    k = 0
    for i in range(kh):
        for j in range(kw):
            for c in range(width):
                steps[k] = (i * dh * columns + j * dw) * numbers + c * lane_count
                k += 1
    return positions, steps
