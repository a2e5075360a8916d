"""Frames: what the windows of a tile see, copied with its padding, so that no loop asks where the image ends.

    frame (images, rows, columns, C)    x, and 0 outside the image

Compiled functions for those of the windowed operations, and how they cut arrays into tiles. `windows` is a `geometry.Windows`;
a tile is a row (n0, n1, h0, h1) of `tiling.image_table`, say, and stands for output rows.
"""

import numpy as np

from xception_np.ops.compile import compiled, compiled_apart

_LINE = 64  # bytes of a cache line


def rows(array):
    """(N, H, W, C) as (N * H, W, C): a tile is a slice of it."""
    return array.reshape(-1, *array.shape[2:])


@compiled
def of_tile(rows, tile, height):
    """The tile's part (images, h1 - h0, W, C) of an (N * H, W, C) array: one image's rows, or whole images."""
    n0, n1, h0, h1 = tile
    part = rows[n0 * height + h0 : (n1 - 1) * height + h1]
    return part.reshape(n1 - n0, h1 - h0, rows.shape[1], rows.shape[2])


@compiled
def most(tiles):
    """The most images, and the most rows of one, that a tile has."""
    images = rows = 0
    for n0, n1, h0, h1 in tiles[:, :4]:
        images, rows = max(images, n1 - n0), max(rows, h1 - h0)
    return images, rows


@compiled_apart
def memory(images, rows, columns, windows, like):
    """Memory for a frame of what (images, rows, columns) windows see, in the channels and of the dtype of `like`."""
    height, width = _size(rows, columns, windows)
    return numbers(images * height * width * like.shape[-1], like.dtype)


@compiled_apart
def numbers(count, dtype):
    """Memory for so many numbers, which begins where a cache line does."""
    whole = np.empty(count + _LINE, dtype)
    start = -whole.ctypes.data % _LINE // whole.itemsize
    return whole[start : start + count]


@compiled
def empty(images, rows, columns, windows, channels, memory):
    """A frame of what (images, rows, columns) windows see, in `memory`."""
    height, width = _size(rows, columns, windows)
    return memory[: images * height * width * channels].reshape(images, height, width, channels)


@compiled
def fill(x, tile, columns, windows, spread, memory):
    """The frame of a tile, in `memory`: x with its padding, its pixels `spread` apart."""
    n0, n1, h0, h1 = tile
    frame = empty(n1 - n0, h1 - h0, columns, windows, x.shape[3], memory)
    copy(x[n0:n1], frame, h0 * windows.stride[0] - windows.origin[0], -windows.origin[1], spread)
    return frame


@compiled_apart
def _size(rows, columns, windows):
    """Height and width of what so many rows and columns of windows see."""
    (kh, kw), (sh, sw), (dh, dw) = windows.kernel, windows.stride, windows.dilation
    return max(0, (rows - 1) * sh + (kh - 1) * dh + 1), (columns - 1) * sw + (kw - 1) * dw + 1


@compiled_apart
def copy(x, frame, top, left, spread):
    """frame[n, spread*h - top, spread*w - left] = x[n, h, w], and 0 elsewhere"""
    rows, columns, channels = frame.shape[1:]
    for n in range(len(frame)):
        for r in range(rows):
            h, skip = divmod(top + r, spread[0])
            line = frame[n, r].reshape(-1)
            if skip != 0 or h < 0 or h >= x.shape[1]:
                for c in range(line.size):
                    line[c] = 0
            elif spread[1] == 1:
                low = min(columns, max(0, -left)) * channels
                high = max(low, min(columns, x.shape[2] - left) * channels)
                inside, pixels = line[low:high], x[n, h].reshape(-1)[max(0, left) * channels :]
                for c in range(low):
                    line[c] = 0
                for c in range(inside.size):
                    inside[c] = pixels[c]
                for c in range(high, line.size):
                    line[c] = 0
            else:
                for q in range(columns):
                    w, skip = divmod(left + q, spread[1])
                    outside = skip != 0 or w < 0 or w >= x.shape[2]
                    for c in range(channels):
                        frame[n, r, q, c] = 0 if outside else x[n, h, w, c]
