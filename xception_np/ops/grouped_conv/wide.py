"""Grouped convolution with segments of many channels: a regular convolution of each, as `conv` does it.

For a tile of P output positions and each segment in turn:

    panel   (P, kh*kw*C/S)    the segment's part of every window
    product (P, F/S)          = panel @ matrices[s] (kh*kw*C/S, F/S), which goes into the segment's part of y
"""

import math

import numpy as np

from xception_np import threads
from xception_np.ops import frames, products
from xception_np.ops.compile import compiled_apart, compiled_with, taken
from xception_np.ops.conv import cpu as conv


def convolve(x, weight, windows, spread, segments, y):
    """Y = windows of x, its pixels `spread` apart, by segment."""
    tiles = threads.table(threads.image_tiles(y.shape, _numbers(x, y, windows, segments)))
    matrices = products.stacked(_as_matrices(weight, segments))
    threads.together(lambda queue: _convolve(queue, tiles, x, matrices, windows, spread, segments, frames.rows(y)), len(tiles))


def weight_gradient(x, dy, windows, segments):
    """Dweight (kh, kw, C/S, F)."""
    depth, filters = math.prod(windows.kernel) * x.shape[3] // segments, dy.shape[3]
    parts = threads.tile_groups(dy.shape, _numbers(x, dy, windows, segments), depth * filters)
    tiles, groups = threads.group_table(parts)

    def work(queue, partials):
        _weight_gradient(queue, groups, tiles, x, frames.rows(dy), windows, partials)

    matrices = threads.sum_groups(work, len(groups), (segments, depth, filters // segments), x.dtype)
    return np.ascontiguousarray(matrices.transpose(1, 0, 2)).reshape(*windows.kernel, -1, filters)


def _numbers(x, y, windows, segments):
    """In a tile for each position: in a frame, a panel or y."""
    return conv.tile_width(x.shape[3], math.prod(windows.kernel) * x.shape[3] // segments, y.shape[3])


def _as_matrices(weight, segments):
    """(kh, kw, C/S, F) as (S, kh*kw*C/S, F/S)."""
    return np.ascontiguousarray(weight.reshape(-1, segments, weight.shape[3] // segments).transpose(1, 0, 2))


@compiled_with(frames, products, conv)
def _convolve(queue, tiles, x, matrices, windows, spread, segments, y):
    height, columns, width = y.shape[0] // x.shape[0], y.shape[1], x.shape[3] // segments
    filters = y.shape[2] // segments
    memory = frames.memory(tiles[0, 1], tiles[0, 3], columns, windows, x)  # the first tile is the largest, and starts at 0
    positions = tiles[0, 1] * tiles[0, 3] * columns
    panels = conv.panel_memory(positions, windows.kernel[0] * windows.kernel[1] * width, x.dtype)
    results = conv.panel_memory(positions, filters, x.dtype)
    for k in taken(queue, len(tiles)):
        frame, y_tile = frames.fill(x, tiles[k], columns, windows, spread, memory), frames.of_tile(y, tiles[k], height)
        pixels = y_tile.reshape(-1, y.shape[2])
        panel, result = panels[: len(pixels)], results[: len(pixels)]
        for s in range(segments):
            conv.im2col(frame, y_tile.shape[1], columns, windows, s * width, panel)
            products.multiply(panel, products.one_of(matrices, s), result)
            _put(result, s * filters, pixels)


@compiled_with(frames, products, conv)
def _weight_gradient(queue, groups, tiles, x, dy, windows, partials):
    segments, depth, filters = partials.shape[1:]
    height, columns, width = dy.shape[0] // x.shape[0], dy.shape[1], x.shape[3] // segments
    memory = frames.memory(tiles[0, 1], tiles[0, 3], columns, windows, x)
    positions = tiles[0, 1] * tiles[0, 3] * columns
    panels, upstreams = conv.panel_memory(positions, depth, x.dtype), conv.panel_memory(positions, filters, x.dtype)
    spare = products.memory_for(depth, filters, dy)
    for g in taken(queue, len(groups)):
        partials[g] = 0
        for k in range(groups[g, 0], groups[g, 1]):
            frame, dy_tile = frames.fill(x, tiles[k], columns, windows, (1, 1), memory), frames.of_tile(dy, tiles[k], height)
            pixels = dy_tile.reshape(-1, dy.shape[2])
            panel, upstream = panels[: len(pixels)], upstreams[: len(pixels)]
            for s in range(segments):
                conv.im2col(frame, dy_tile.shape[1], columns, windows, s * width, panel)
                _take(pixels, s * filters, upstream)
                products.add_product_over_rows(panel, upstream, partials[g, s], spare)


@compiled_apart
def _take(pixels, first, part):
    """part[p, f] = pixels[p, first + f]"""
    for p in range(len(part)):
        source, target = pixels[p, first:], part[p]
        for f in range(target.size):
            target[f] = source[f]


@compiled_apart
def _put(part, first, pixels):
    """pixels[p, first + f] = part[p, f]"""
    for p in range(len(part)):
        source, target = part[p], pixels[p, first:]
        for f in range(source.size):
            target[f] = source[f]
