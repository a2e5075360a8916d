"""Regular convolution on the CPU: a tile's windows side by side in a panel, then one matrix product.

Forward, for a tile of P output positions:

    panel  (P, kh*kw*C)    the window of every position, 0 where it leaves the image
    y_tile (P, F)          = panel @ weight (kh*kw*C, F)

The taps of one row of a window are neighbours in memory too, channels included, so a window is copied in kh runs of kw*C numbers
(kh*kw runs of C where it is dilated).

Backward: dpanel = dy_tile @ weight.T is added back to the pixels that the windows came from. So that no two tiles write to the same
pixel, tiles are of *input* rows here, and the panel covers every output row that saw one of them.

Windows of one pixel, as in Xception's shortcuts, go from the image to the panel and back without a frame between.
"""

import numpy as np

from xception_np import arrays, threads
from xception_np.ops import frames, products
from xception_np.ops.compile import compiled_apart, compiled_with, taken
from xception_np.ops.conv import Cache, output_shape

_WIDEST = 640  # of a tile, as far as it decides how many positions there are: 512 share what is fetched of large weights


def forward(x, weight, geometry):
    y = arrays.empty(output_shape(x.shape, weight.shape, geometry), x.dtype)
    windows = geometry.windows(*x.shape[1:3])
    tiles = threads.table(threads.image_tiles(y.shape, _width(weight)))
    matrix = products.weights(weight.reshape(-1, weight.shape[3]))
    threads.together(lambda queue: _forward(queue, tiles, x, matrix, windows, frames.rows(y)), len(tiles))
    return y, Cache(x, weight, geometry)


def backward(dy, cache):
    x, weight, geometry = cache
    windows = geometry.windows(*x.shape[1:3])
    dx = arrays.empty_like(x)

    # y_tile = panel @ weight, so dpanel = dy_tile @ weight.T, which goes back to the pixels ...
    tiles = threads.image_tiles(x.shape, _width(weight))
    seen = np.array([windows.rows_that_see(tile.h0, tile.h1, dy.shape[1]) for tile in tiles])
    table, transposed = threads.table(tiles), products.weights(weight.reshape(-1, weight.shape[3]).T)
    threads.together(lambda queue: _input_gradient(queue, table, seen, dy, transposed, windows, frames.rows(dx)), len(tiles))

    # ... and dweight = panel.T @ dy_tile, summed over tiles
    parts, groups = threads.group_table(threads.tile_groups(dy.shape, _width(weight), weight.size))

    def work(queue, partials):
        _weight_gradient(queue, groups, parts, x, frames.rows(dy), windows, partials)

    return dx, threads.sum_groups(work, len(groups), weight.shape, x.dtype)


def tile_width(*numbers):
    """Numbers in a tile for each position: of its window, its result or what else there is, whichever is most."""
    return min(max(numbers), _WIDEST)


def _width(weight):
    return tile_width(weight.size // weight.shape[3], weight.shape[3])


@compiled_with(frames, products)
def _forward(queue, tiles, x, matrix, windows, y):
    columns, filters = y.shape[1:]
    height = y.shape[0] // x.shape[0]
    memory = frames.memory(tiles[0, 1], tiles[0, 3], columns, windows, x)  # the first tile is the largest, and starts at 0
    panels = panel_memory(_positions(tiles[0], columns), matrix.shape[0], x.dtype)
    for k in taken(queue, len(tiles)):
        panel = _fill_panel(x, tiles[k], columns, windows, memory, panels)
        products.multiply(panel, matrix, frames.of_tile(y, tiles[k], height).reshape(-1, filters))


@compiled_with(frames, products)
def _weight_gradient(queue, groups, tiles, x, dy, windows, partials):
    columns, filters = dy.shape[1:]
    height, depth = dy.shape[0] // x.shape[0], partials[0].size // filters
    memory = frames.memory(tiles[0, 1], tiles[0, 3], columns, windows, x)
    panels = panel_memory(_positions(tiles[0], columns), depth, x.dtype)
    spare = products.memory_for(depth, filters, dy)
    for g in taken(queue, len(groups)):
        partials[g] = 0
        total = partials[g].reshape(-1, filters)
        for k in range(groups[g, 0], groups[g, 1]):
            panel = _fill_panel(x, tiles[k], columns, windows, memory, panels)
            products.add_product_over_rows(panel, frames.of_tile(dy, tiles[k], height).reshape(-1, filters), total, spare)


@compiled_with(frames, products)
def _input_gradient(queue, tiles, seen, dy, transposed, windows, dx):
    """Tile k of dx gathers from the output rows seen[k, 0] to seen[k, 1]: what their windows see, cut to the tile"""
    columns, filters = dy.shape[2:]
    height, most = dx.shape[0] // dy.shape[0], (seen[:, 1] - seen[:, 0]).max()
    panels = panel_memory(most * columns, transposed.shape[1], dx.dtype)
    memory = frames.memory(1, most, columns, windows, dx)
    for k in taken(queue, len(tiles)):
        n0, n1, h0, h1 = tiles[k]
        first, last = seen[k]
        panel = panels[: (last - first) * columns]
        frame = frames.empty(1, last - first, columns, windows, dx.shape[2], memory)
        for n in range(n0, n1):
            products.multiply(dy[n, first:last].reshape(-1, filters), transposed, panel)
            image, top = dx[n * height + h0 : n * height + h1], h0 + windows.origin[0] - first * windows.stride[0]
            if windows.kernel == (1, 1):
                _put_pixels(panel, columns, windows, top, image)
            else:
                frame[:] = 0
                _col2im(panel.reshape(-1), last - first, columns, windows, frame)
                frames.copy(frame, image.reshape(1, h1 - h0, dx.shape[1], dx.shape[2]), top, windows.origin[1], (1, 1))


@compiled_with(frames)
def _fill_panel(x, tile, columns, windows, memory, panels):
    """The windows of a tile, (P, kh*kw*C), in `panels`; what they see goes into `memory`."""
    panel = panels[: _positions(tile, columns)]
    if windows.kernel == (1, 1):
        _take_pixels(x, tile, columns, windows, panel)
    else:
        frame = frames.fill(x, tile, columns, windows, (1, 1), memory)
        im2col(frame, tile[3] - tile[2], columns, windows, 0, panel)
    return panel


@compiled_with(frames)
def panel_memory(positions, width, dtype):
    return frames.numbers(positions * width, dtype).reshape(positions, width)


@compiled_apart
def _positions(tile, columns):
    return (tile[1] - tile[0]) * (tile[3] - tile[2]) * columns


@compiled_apart
def _take_pixels(x, tile, columns, windows, panel):
    """panel[n, r, ow, c] = x[n, r*sh - top, ow*sw - left, c], and 0 outside the image"""
    n0, n1, h0, h1 = tile
    (sh, sw), (top, left) = windows.stride, windows.origin
    p = 0
    for n in range(n0, n1):
        for r in range(h0, h1):
            for ow in range(columns):
                h, w, pixel = r * sh - top, ow * sw - left, panel[p]
                if h < 0 or h >= x.shape[1] or w < 0 or w >= x.shape[2]:
                    pixel[:] = 0
                else:
                    seen = x[n, h, w]
                    for c in range(seen.size):
                        pixel[c] = seen[c]
                p += 1


@compiled_apart
def _put_pixels(panel, columns, windows, top, image):
    """image[r*sh - top, ow*sw - left, c] = panel[r, ow, c], and 0 elsewhere"""
    image[:] = 0
    for p in range(len(panel)):
        h, w = p // columns * windows.stride[0] - top, p % columns * windows.stride[1] - windows.origin[1]
        if 0 <= w < image.shape[1]:  # and the rows are those that see the image
            pixel, seen = image[h, w], panel[p]
            for c in range(pixel.size):
                pixel[c] = seen[c]


@compiled_apart
def im2col(frame, rows, columns, windows, first, panel):
    """panel[n, r, ow, i, j, c] = frame[n, r*sh + i*dh, ow*sw + j*dw, first + c], in as few runs of numbers as may be"""
    images, height, width, channels = frame.shape
    kernel, stride, dilation, _ = windows
    pixels, windows_seen = frame.reshape(-1), panel.reshape(-1)
    taken_channels = panel.shape[1] // (kernel[0] * kernel[1])
    runs = 1 if dilation[1] == 1 and taken_channels == channels else kernel[1]
    run = kernel[1] // runs * taken_channels
    target = 0
    for n in range(images):
        for r in range(rows):
            for ow in range(columns):
                for i in range(kernel[0]):
                    source = ((n * height + r * stride[0] + i * dilation[0]) * width + ow * stride[1]) * channels + first
                    for _ in range(runs):
                        window, seen = windows_seen[target : target + run], pixels[source : source + run]
                        for c in range(run):
                            window[c] = seen[c]
                        source += dilation[1] * channels
                        target += run


@compiled_apart
def _col2im(panel, rows, columns, windows, frame):
    """frame[0, r*sh + i*dh, ow*sw + j*dw, c] += panel[r, ow, i, j, c], both as plain runs of numbers"""
    _, _, width, channels = frame.shape
    kernel, stride, dilation, _ = windows
    pixels = frame.reshape(-1)
    runs = 1 if dilation[1] == 1 else kernel[1]
    run = kernel[1] // runs * channels
    source = 0
    for r in range(rows):
        for ow in range(columns):
            for i in range(kernel[0]):
                target = ((r * stride[0] + i * dilation[0]) * width + ow * stride[1]) * channels
                for _ in range(runs):
                    window, seen = panel[source : source + run], pixels[target : target + run]
                    for c in range(run):
                        seen[c] += window[c]
                    target += dilation[1] * channels
                    source += run
