"""Grouped convolution on the CPU: a tile's windows side by side in a panel, then one matrix product a segment.

Forward, for a tile of P output positions (`im2col`):

    panel  (S, P, kh*kw*C/S)    the window of every position, segment by segment; 0 where it leaves the image
    y_tile (S, P, F/S)          = panel @ weight (S, kh*kw*C/S, F/S)

Backward: dpanel = dy_tile @ weight.T is added back to the pixels that the windows came from. Written as a gather, each
pixel collects what it is owed, so that tiles of *input* rows do not write over each other; the panel then covers
every output row that saw the tile.
"""

import math

import numpy as np

from xception_np import arrays, threads
from xception_np.ops.compile import compiled
from xception_np.ops.grouped_conv import Cache, output_shape


def forward(x, weight, geometry, segments):
    y = arrays.empty(output_shape(x.shape, weight.shape, geometry), x.dtype)
    matrix = _as_matrices(weight, segments)

    def tile_forward(tile):
        y_tile = tile.of(y)
        panel = _panel(x, tile, y.shape[2], geometry, segments)
        if segments == 1:
            np.matmul(panel[0], matrix[0], out=y_tile.reshape(-1, y.shape[3]))
        else:
            np.matmul(panel, matrix, out=_by_segment(y_tile, segments))

    threads.for_tiles(tile_forward, threads.image_tiles(y.shape, _width(weight, segments)))
    return y, Cache(x, weight, geometry, segments)


def backward(dy, cache):
    x, weight, geometry, segments = cache
    dx = arrays.empty_like(x)
    matrix = _as_matrices(weight, segments)
    windows = geometry.windows(*x.shape[1:3])

    # y_tile = panel @ weight, so dpanel = dy_tile @ weight.T, and every pixel gathers from the windows it was in
    def tile_dx(tile):
        first, last = windows.rows_that_see(tile.h0, tile.h1, dy.shape[1])
        if last == first:
            tile.of(dx).fill(0)
            return
        dy_rows = dy[tile.n0 : tile.n1, first:last]
        dpanel = arrays.empty((segments, dy_rows.size // dy.shape[3], matrix.shape[1]), x.dtype)
        np.matmul(_by_segment(dy_rows, segments), matrix.transpose(0, 2, 1), out=dpanel)
        dwindows = dpanel.reshape(segments, *dy_rows.shape[:3], *windows.kernel, -1)
        _gather(dwindows, tile.of(dx), tile.h0, first, windows.stride, windows.dilation, windows.origin)

    # ... and dweight = panel.T @ dy_tile, summed over tiles
    def tile_dweight(tile, out):
        panel = _panel(x, tile, dy.shape[2], geometry, segments)
        np.matmul(panel.transpose(0, 2, 1), _by_segment(tile.of(dy), segments), out=out)

    threads.for_tiles(tile_dx, threads.image_tiles(x.shape, _width(weight, segments)))
    groups = threads.tile_groups(dy.shape, _width(weight, segments), weight.size)
    return dx, _as_weight(threads.sum_tiles(tile_dweight, groups, matrix.shape, x.dtype), weight.shape)


def _width(weight, segments):
    """Numbers in a tile for each position: its window, or its result if that is more."""
    return max(math.prod(weight.shape[:3]) * segments, weight.shape[3])


def _panel(x, tile, out_width, geometry, segments):
    """The tile's windows, (S, P, kh*kw*C/S)."""
    positions = (tile.n1 - tile.n0, tile.h1 - tile.h0, out_width)
    windows = arrays.empty((segments, *positions, *geometry.kernel, x.shape[3] // segments), x.dtype)
    _im2col(x[tile.n0 : tile.n1], windows, tile.h0, geometry.stride, geometry.dilation, geometry.origin(*x.shape[1:3]))
    return windows.reshape(segments, positions[0] * positions[1] * positions[2], -1)


def _as_matrices(weight, segments):
    """(kh, kw, C/S, F) to S matrices (S, kh*kw*C/S, F/S)."""
    filters = weight.shape[3]
    return np.ascontiguousarray(weight.reshape(-1, segments, filters // segments).transpose(1, 0, 2))


def _as_weight(matrices, shape):
    """The inverse of `_as_matrices`."""
    return np.ascontiguousarray(matrices.transpose(1, 0, 2)).reshape(shape)


def _by_segment(array, segments):
    """An (..., F) array as a view (S, P, F/S)."""
    return array.reshape(-1, segments, array.shape[-1] // segments).transpose(1, 0, 2)


@compiled
def _im2col(x, windows, h0, stride, dilation, origin):
    """windows[s, n, r, ow, i, j, c] = x[n, (h0 + r)*sh + i*dh - top, ow*sw + j*dw - left, s*C/S + c], or 0 outside."""
    segments, images, rows, columns, kh, kw, width = windows.shape
    for n in range(images):
        for r in range(rows):
            for i in range(kh):
                h = (h0 + r) * stride[0] + i * dilation[0] - origin[0]
                for ow in range(columns):
                    for j in range(kw):
                        w = ow * stride[1] + j * dilation[1] - origin[1]
                        inside = 0 <= h < x.shape[1] and 0 <= w < x.shape[2]
                        for s in range(segments):
                            window = windows[s, n, r, ow, i, j]
                            if inside:
                                pixel = x[n, h, w, s * width : (s + 1) * width]
                                for c in range(width):
                                    window[c] = pixel[c]
                            else:
                                for c in range(width):
                                    window[c] = 0


@compiled
def _gather(windows, dx, h0, first, stride, dilation, origin):
    """dx[n, h0 + r, w] = sum of the windows' entries that were copied from that pixel; windows start at output row `first`."""
    segments, images, rows, columns, kh, kw, width = windows.shape
    for n in range(images):
        for r in range(dx.shape[1]):
            for w in range(dx.shape[2]):
                pixel = dx[n, r, w]
                for c in range(dx.shape[3]):
                    pixel[c] = 0
                for i in range(kh):
                    oh, skip = divmod(h0 + r + origin[0] - i * dilation[0], stride[0])
                    oh -= first
                    if skip != 0 or oh < 0 or oh >= rows:
                        continue
                    for j in range(kw):
                        ow, skip = divmod(w + origin[1] - j * dilation[1], stride[1])
                        if skip != 0 or ow < 0 or ow >= columns:
                            continue
                        for s in range(segments):
                            window = windows[s, n, oh, ow, i, j]
                            segment = pixel[s * width : (s + 1) * width]
                            for c in range(width):
                                segment[c] += window[c]
