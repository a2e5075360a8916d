"""Regular convolution on the CPU: a tile's windows side by side in a panel, then one matrix product.

Forward, for a tile of P output positions:

    panel  (P, kh*kw*C)    the window of every position, 0 where it leaves the image
    y_tile (P, F)          = panel @ weight (kh*kw*C, F)

The taps of one row of a window are neighbours in memory too, channels included, so a window is copied in kh runs of kw*C numbers
(kh*kw runs of C where it is dilated).

Backward: dpanel = dy_tile @ weight.T is added back to the pixels that the windows came from. So that no two tiles write to the same
pixel, tiles are of *input* rows here, and the panel covers every output row that saw one of them.
"""

import numpy as np

from xception_np import arrays, threads
from xception_np.ops import frames
from xception_np.ops.compile import compiled_apart, compiled_with, taken
from xception_np.ops.conv import Cache, output_shape


def forward(x, weight, geometry):
    y = arrays.empty(output_shape(x.shape, weight.shape, geometry), x.dtype)
    tiles = threads.table(threads.image_tiles(y.shape, _width(weight)))

    def work(queue):
        _forward(queue, tiles, x, weight, *_steps(x, geometry), frames.rows(y))

    threads.together(work, len(tiles))
    return y, Cache(x, weight, geometry)


def backward(dy, cache):
    x, weight, geometry = cache
    steps = _steps(x, geometry)
    dx = arrays.empty_like(x)

    # y_tile = panel @ weight, so dpanel = dy_tile @ weight.T, which goes back to the pixels ...
    tiles = threads.table(threads.image_tiles(x.shape, _width(weight)))
    threads.together(lambda queue: _input_gradient(queue, tiles, dy, weight, *steps, frames.rows(dx)), len(tiles))

    # ... and dweight = panel.T @ dy_tile, summed over tiles
    parts, groups = threads.group_table(threads.tile_groups(dy.shape, _width(weight), weight.size))

    def work(queue, partials):
        _weight_gradient(queue, groups, parts, x, frames.rows(dy), *steps, partials)

    return dx, threads.sum_groups(work, len(groups), weight.shape, x.dtype)


def _width(weight):
    """Numbers in a tile for each position: its window, or its result if that is more."""
    kh, kw, channels, filters = weight.shape
    return max(kh * kw * channels, filters)


def _steps(x, geometry):
    return geometry.stride, geometry.dilation, geometry.origin(*x.shape[1:3])


@compiled_with(frames)
def _forward(queue, tiles, x, weight, stride, dilation, origin, y):
    columns, filters = y.shape[1:]
    height, matrix = y.shape[0] // x.shape[0], weight.reshape(-1, filters)
    block = frames.memory(tiles[0], columns, weight.shape, stride, dilation, x)
    panels = np.empty((_positions(tiles[0], columns), len(matrix)), x.dtype)
    for k in taken(queue, len(tiles)):
        n0, n1, h0, h1 = tiles[k]
        frame = frames.fill(x[n0:n1], h0, h1, columns, weight.shape, stride, dilation, origin, (1, 1), block)
        panel = panels[: _positions(tiles[k], columns)]
        _im2col(frame, n1 - n0, h1 - h0, columns, weight.shape, stride, dilation, panel.reshape(-1))
        np.dot(panel, matrix, frames.of_tile(y, tiles[k], height).reshape(-1, filters))


@compiled_with(frames)
def _weight_gradient(queue, groups, tiles, x, dy, stride, dilation, origin, partials):
    shape, columns = partials.shape[1:], dy.shape[1]
    height, filters = dy.shape[0] // x.shape[0], shape[3]
    addend = np.empty((shape[0] * shape[1] * shape[2], filters), x.dtype)
    block = frames.memory(tiles[0], columns, shape, stride, dilation, x)
    panels = np.empty((_positions(tiles[0], columns), len(addend)), x.dtype)
    for g in taken(queue, len(groups)):
        partials[g] = 0
        total = partials[g].reshape(-1, filters)
        for k in range(groups[g, 0], groups[g, 1]):
            n0, n1, h0, h1 = tiles[k]
            frame = frames.fill(x[n0:n1], h0, h1, columns, shape, stride, dilation, origin, (1, 1), block)
            panel = panels[: _positions(tiles[k], columns)]
            _im2col(frame, n1 - n0, h1 - h0, columns, shape, stride, dilation, panel.reshape(-1))
            np.dot(panel.T, frames.of_tile(dy, tiles[k], height).reshape(-1, filters), addend)
            total += addend


@compiled_with(frames)
def _input_gradient(queue, tiles, dy, weight, stride, dilation, origin, dx):
    (kh, kw, channels, filters), columns = weight.shape, dy.shape[2]
    height, extent = dx.shape[0] // dy.shape[0], (kh - 1) * dilation[0] + 1
    matrix = weight.reshape(-1, filters)
    # the frame of a tile of dx: what the windows of output rows first to last saw; `most` such rows, and `deep` of theirs
    width = (columns - 1) * stride[1] + (kw - 1) * dilation[1] + 1
    most = min(dy.shape[1], (tiles[0, 3] - tiles[0, 2] + extent) // stride[0] + 1)
    panels = np.empty((most * columns, len(matrix)), dx.dtype)
    block = np.empty(((most - 1) * stride[0] + extent) * width * channels, dx.dtype)
    for k in taken(queue, len(tiles)):
        n0, n1, h0, h1 = tiles[k]
        first = max(0, -((extent - 1 - h0 - origin[0]) // stride[0]))
        last = max(first, min(dy.shape[1], (h1 - 1 + origin[0]) // stride[0] + 1))
        panel = panels[: (last - first) * columns]
        frame = block[: max(0, (last - first - 1) * stride[0] + extent) * width * channels]
        for n in range(n0, n1):
            np.dot(dy[n, first:last].reshape(-1, filters), matrix.T, panel)
            frame[:] = 0
            _col2im(panel.reshape(-1), last - first, columns, weight.shape, stride, dilation, width, frame)
            _cut(
                frame.reshape(-1, width, channels),
                h0 + origin[0] - first * stride[0],
                origin[1],
                dx[n * height + h0 : n * height + h1],
            )


@compiled_apart
def _positions(tile, columns):
    return (tile[1] - tile[0]) * (tile[3] - tile[2]) * columns


@compiled_apart
def _im2col(frame, images, rows, columns, kernel, stride, dilation, panel):
    """panel[n, r, ow, i, j, c] = frame[n, r*sh + i*dh, ow*sw + j*dw, c], both as plain runs of numbers"""
    height, width, channels = frame.shape[1:]
    pixels = frame.reshape(-1)
    runs = 1 if dilation[1] == 1 else kernel[1]
    run = kernel[1] // runs * channels
    target = 0
    for n in range(images):
        for r in range(rows):
            for ow in range(columns):
                for i in range(kernel[0]):
                    source = ((n * height + r * stride[0] + i * dilation[0]) * width + ow * stride[1]) * channels
                    for _ in range(runs):
                        window, seen = panel[target : target + run], pixels[source : source + run]
                        for c in range(run):
                            window[c] = seen[c]
                        source += dilation[1] * channels
                        target += run


@compiled_apart
def _col2im(panel, rows, columns, kernel, stride, dilation, width, frame):
    """frame[r*sh + i*dh, ow*sw + j*dw, c] += panel[r, ow, i, j, c], both as plain runs of numbers"""
    channels = kernel[2]
    runs = 1 if dilation[1] == 1 else kernel[1]
    run = kernel[1] // runs * channels
    source = 0
    for r in range(rows):
        for ow in range(columns):
            for i in range(kernel[0]):
                target = ((r * stride[0] + i * dilation[0]) * width + ow * stride[1]) * channels
                for _ in range(runs):
                    window, seen = panel[source : source + run], frame[target : target + run]
                    for c in range(run):
                        seen[c] += window[c]
                    target += dilation[1] * channels
                    source += run


@compiled_apart
def _cut(frame, top, left, image):
    """image[h, w] = frame[top + h, left + w], or 0 where no window went"""
    for h in range(image.shape[0]):
        for w in range(image.shape[1]):
            seen = 0 <= top + h < frame.shape[0] and left + w < frame.shape[1]
            for c in range(image.shape[2]):
                image[h, w, c] = frame[top + h, left + w, c] if seen else 0
