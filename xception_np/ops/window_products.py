"""Convolutions as matrix products whose first factor, the windows, is read where it is: regular ones, and by segment.

    y       (P, F/S)        = windows (P, kh*kw*C/S) @ matrices[s] (kh*kw*C/S, F/S)      P positions of a tile, for each segment s
    dweight (K, F/S)       += windows.T @ dy (P, F/S)                                    K = kh*kw*C/S

A window is not copied. It begins at some number of the image, its taps are so many numbers on, and both are in tables:

    image, pixels of C numbers                  places: where windows begin        steps: to the numbers of a window
    +---+---+---+---+---+
    | a   a   a |   |   |                       p = 0: 0                           i, j = 0, 0: 0, 1, ..., C-1
    +   +   +   +---+---+                       p = 1: C                           i, j = 0, 1: C, C+1, ...
    | a   a   a |   |   |                       p = 2: 2C                          i, j = 1, 0: 5C, 5C+1, ...
    +   +   +   +---+---+                            ...                                ...
    | a   a   a |   |   |
    +---+---+---+---+---+

If some windows leave the image, those of a tile look at a frame: its pixels, copied with their padding (`ops/frames.py`).

The gradient of x is a convolution of dy. Where windows are `stride` pixels apart, so are the pixels of x that the same taps see:
each such phase of x is a convolution of its own, of stride 1, with the taps that come to it.

    stride 2, kernel 3:   x        0   1   2   3   4        even pixels: taps 0 and 2        odd ones: tap 1
                          seen by  0   1  2,0  1  2,0
"""

import math
from typing import NamedTuple

import numpy as np

from xception_np import arrays, threads, tiling
from xception_np.ops import exits, frames, packing, products
from xception_np.ops.compile import compiled, compiled_with, taken


class _Lattice(NamedTuple):
    """Where pixels begin in a flat array: the one at (n, h, w) at number first + n*image + h*row + w*column."""

    first: int
    image: int
    row: int
    column: int


class _View(NamedTuple):
    """How the windows of a pass look at an image: in place, if none of them leaves it, otherwise at a frame of each tile.

    columns : windows in a row
    in_place : whether there are no frames
    lattice : where windows begin, if in place
    steps : to the numbers of a window, those of the first segment, from where it begins
    """

    columns: int
    in_place: bool
    lattice: _Lattice
    steps: np.ndarray


def convolve(x, weight, windows, segments, y, exit=None):
    """y = windows of x, by segment, as it leaves: the exit is nothing if not given."""
    stack = packing.kept(weight, segments, lambda: packing.stacked(weight.reshape(-1, weight.shape[3]), segments))
    _convolve_onto(x, stack, segments, windows, y, y.shape[1:3], _lattice(y.shape), exit or exits.nothing(x.dtype))


def input_gradient(dy, weight, windows, segments, dx):
    """dx, phase by phase."""
    for phase, taps, back in windows.phases():
        pixels = dx[:, phase[0] :: windows.stride[0], phase[1] :: windows.stride[1]]
        if 0 in back.kernel:
            pixels[:] = 0
        elif pixels.size:
            stack = packing.stacked_transposes(weight, taps, segments)
            lattice = _lattice(dx.shape, phase, windows.stride)
            _convolve_onto(dy, stack, segments, back, dx, pixels.shape[1:3], lattice, exits.nothing(dy.dtype))


def weight_gradient(x, dy, windows, segments):
    """dweight (kh, kw, C/S, F)."""
    width, filters = x.shape[3] // segments, dy.shape[3] // segments
    shape = (segments, math.prod(windows.kernel) * width, filters)
    view, lattice, dy_flat = _view(x, windows, dy.shape[1:3], width), _lattice(dy.shape), dy.reshape(-1)
    if shape[1] >= tiling.MANY_ROWS and math.prod(shape) > tiling.LARGEST:
        matrices, rows = arrays.empty(shape, x.dtype), tiling.share_table(shape[1], threads.count())
        tiles = tiling.large_table(dy.shape, _numbers(x, dy))
        threads.together(
            lambda queue: _weight_gradient_by_rows(queue, rows, tiles, x, windows, view, dy_flat, lattice, matrices), len(rows)
        )
    else:
        tiles, groups = tiling.group_table(dy.shape, _numbers(x, dy), math.prod(shape))

        def work(queue, partials):
            _weight_gradient(queue, groups, tiles, x, windows, view, dy_flat, lattice, partials)

        matrices = threads.sum_groups(work, len(groups), shape, x.dtype)
    return np.ascontiguousarray(matrices.transpose(1, 0, 2)).reshape(*windows.kernel, width, -1)


def _convolve_onto(x, stack, segments, windows, y, size, lattice, exit):
    """The pixels of y that `lattice` names, (N, *size), = windows of x, as they leave"""
    tiles = tiling.product_table((len(x), *size, y.shape[3]), _numbers(x, y), threads.count())
    view = _view(x, windows, size, x.shape[3] // segments)
    y_flat = y.reshape(-1)
    threads.together(lambda queue: _convolve(queue, tiles, x, windows, view, stack, segments, y_flat, lattice, exit), len(tiles))


def _numbers(x, y):
    """In a tile for each position: in a frame or y."""
    return max(x.shape[3], y.shape[3])


def _lattice(shape, start=(0, 0), stride=(1, 1)):
    """Of every `stride`-th pixel from `start` on, of images (N, H, W, C)."""
    _, height, width, channels = shape
    row = width * channels
    return _Lattice(start[0] * row + start[1] * channels, height * row, stride[0] * row, stride[1] * channels)


def _view(x, windows, size, channels):
    """Of (N, *size) windows over x, of which a segment has so many channels."""
    (kh, kw), stride, dilation, origin = windows
    begin = -np.array(origin)
    end = begin + (np.array(size) - 1) * stride + windows.extent
    in_place = begin.min() >= 0 and (end <= x.shape[1:3]).all()
    width = x.shape[2] if in_place else end[1] - begin[1]
    taps = np.add.outer(np.arange(kh) * dilation[0] * width, np.arange(kw) * dilation[1]) * x.shape[3]
    steps = np.add.outer(taps.reshape(-1), np.arange(channels)).reshape(-1)
    return _View(size[1], bool(in_place), _lattice(x.shape, begin, stride), steps)


@compiled_with(exits, frames, packing, products)
def _convolve(queue, tiles, x, windows, view, stack, segments, y, lattice, exit):
    width = x.shape[3] // segments
    memory, places, targets = _memory(tiles, x, windows, view)
    for k in taken(queue, len(tiles)):
        seen, starts = _look(x, tiles[k], windows, view, memory, places)
        onto = _fill(targets, tiles[k], view.columns, lattice)
        for s in range(segments):
            weights = packing.one_of(stack, s)
            products.multiply_windows(seen[s * width :], starts, view.steps, weights, y[s * weights.shape[1] :], onto)
        exits.leave(y, onto[0], onto.size, exit)


@compiled_with(frames, products)
def _weight_gradient(queue, groups, tiles, x, windows, view, dy, lattice, partials):
    segments, _, filters = partials.shape[1:]
    width = x.shape[3] // segments
    memory, places, sources = _memory(tiles, x, windows, view)
    spare = products.memory_for(filters, dy)
    for g in taken(queue, len(groups)):
        for k in range(groups[g, 0], groups[g, 1]):
            seen, starts = _look(x, tiles[k], windows, view, memory, places)
            upstream = _fill(sources, tiles[k], view.columns, lattice)
            for s in range(segments):
                products.add_product_over_windows(
                    seen[s * width :], starts, view.steps, dy[s * filters :], upstream, partials[g, s], k > groups[g, 0], spare
                )


@compiled_with(frames, products)
def _weight_gradient_by_rows(queue, rows, tiles, x, windows, view, dy, lattice, matrices):
    """The same for a large dweight, without partial sums of it: its rows are shared out, and every thread goes through x and dy."""
    segments, _, filters = matrices.shape
    width = x.shape[3] // segments
    memory, places, sources = _memory(tiles, x, windows, view)
    spare = products.memory_for(filters, dy)
    for r in taken(queue, len(rows)):
        first, last = rows[r]
        for k in range(len(tiles)):
            seen, starts = _look(x, tiles[k], windows, view, memory, places)
            upstream = _fill(sources, tiles[k], view.columns, lattice)
            for s in range(segments):
                products.add_product_over_windows(
                    seen[s * width :],
                    starts,
                    view.steps[first:last],
                    dy[s * filters :],
                    upstream,
                    matrices[s, first:last],
                    k > 0,
                    spare,
                )


@compiled_with(frames)
def _memory(tiles, x, windows, view):
    """For any of the tiles: its frame, and two tables."""
    images, rows = frames.most(tiles)
    memory = frames.memory(0 if view.in_place else images, rows, view.columns, windows, x)
    positions = images * rows * view.columns
    return memory, np.empty(positions, np.int64), np.empty(positions, np.int64)


@compiled_with(frames, how=compiled)
def _look(x, tile, windows, view, memory, places):
    """Numbers, and where among them the windows of a tile begin."""
    if view.in_place:
        return x.reshape(-1), _fill(places, tile, view.columns, view.lattice)
    n0, n1, h0, h1 = tile
    frame = frames.fill(x, tile, view.columns, windows, (1, 1), memory)
    _, height, width, channels = frame.shape
    row = width * channels
    (vertical, horizontal) = windows.stride
    lattice = (0, height * row, vertical * row, horizontal * channels)
    return memory, _fill(places, (0, n1 - n0, 0, h1 - h0), view.columns, lattice)


@compiled
def _fill(starts, tile, columns, lattice):
    """starts[n, h, w] = where this pixel of the tile begins"""
    n0, n1, h0, h1 = tile
    first, image, row, column = lattice
    p = 0
    for n in range(n0, n1):
        for h in range(h0, h1):
            for w in range(columns):
                starts[p] = first + n * image + h * row + w * column
                p += 1
    return starts[:p]
