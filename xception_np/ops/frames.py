"""Frames: what the windows of a tile see, copied with its padding, so that no loop asks where the image ends.

    frame (images, rows, columns, C)    x, and 0 outside the image

Compiled functions for those of the windowed operations, and how they cut arrays into tiles.
"""

import numpy as np

from xception_np.ops.compile import compiled_apart


def rows(array):
    """(N, H, W, C) as (N * H, W, C): a tile is a slice of it."""
    return array.reshape(-1, *array.shape[2:])


@compiled_apart
def of_tile(rows, tile, height):
    """The tile's part (images, h1 - h0, W, C) of an (N * H, W, C) array: one image's rows, or whole images."""
    n0, n1, h0, h1 = tile
    part = rows[n0 * height + h0 : (n1 - 1) * height + h1]
    return part.reshape(n1 - n0, h1 - h0, rows.shape[1], rows.shape[2])


@compiled_apart
def memory(tile, columns, kernel, stride, dilation, x):
    """Memory for the frame of a tile, the largest."""
    images, rows = tile[1] - tile[0], tile[3] - tile[2]
    height, width = _span(rows, kernel[0], stride[0], dilation[0]), _span(columns, kernel[1], stride[1], dilation[1])
    return np.empty(images * height * width * x.shape[3], x.dtype)


@compiled_apart
def fill(x, h0, h1, columns, kernel, stride, dilation, origin, spread, block):
    """What the windows of output rows h0 to h1 see, in `block`: x with its padding, its pixels `spread` apart."""
    height, width = _span(h1 - h0, kernel[0], stride[0], dilation[0]), _span(columns, kernel[1], stride[1], dilation[1])
    frame = block[: x.shape[0] * height * width * x.shape[3]].reshape(x.shape[0], height, width, x.shape[3])
    _copy(x, frame, h0 * stride[0] - origin[0], -origin[1], spread)
    return frame


@compiled_apart
def _span(windows, kernel, stride, dilation):
    """Positions that so many windows see along an axis."""
    return (windows - 1) * stride + (kernel - 1) * dilation + 1


@compiled_apart
def _copy(x, frame, top, left, spread):
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
                low = max(0, -left) * channels
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
