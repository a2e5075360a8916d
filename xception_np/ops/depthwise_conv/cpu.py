"""Depthwise convolution on the CPU: loops over pixels and taps, vectors along the channels.

A tile first copies what its windows see into a frame, padding included (`ops/frames.py`). The gradient of x is a convolution
too: over a frame of dy, with `stride` - 1 zeros between its pixels, the taps flipped. For 3x3 taps at stride 1, all that Xception
has, `ops/depthwise_rows.py` keeps sums in registers.

A depth multiplier M > 1 is the same convolution on x with every channel repeated M times.
"""

from typing import NamedTuple

import numpy as np

from xception_np import arrays, threads, tiling
from xception_np.geometry import Pair, Windows
from xception_np.ops import depthwise_rows, frames
from xception_np.ops.compile import compiled_apart, compiled_with, taken
from xception_np.ops.depthwise_conv import Cache, output_shape

_PLAIN_3X3 = ((3, 3), (1, 1), (1, 1))


def forward(x, weight, geometry):
    y = arrays.empty(output_shape(x.shape, weight.shape, geometry), x.dtype)
    convolve(widen(x, weight.shape[3]), as_taps(weight), geometry.windows(*x.shape[1:3]), (1, 1), y)
    return y, Cache(x, weight, geometry)


def backward(dy, cache):
    x, weight, geometry = cache
    x_wide, taps, windows = widen(x, weight.shape[3]), as_taps(weight), geometry.windows(*x.shape[1:3])
    # y = sum over taps of x * w, so dw = x * dy, summed over positions
    tiles, groups = tiling.group_table(dy.shape, dy.shape[3], taps.size)

    def work(queue, partials):
        _weight_gradient(queue, groups, tiles, x_wide, frames.rows(dy), windows, partials)

    dweight = threads.sum_groups(work, len(groups), taps.shape, x.dtype)
    return input_gradient(dy, taps, windows, x.shape), dweight.reshape(weight.shape)


def input_gradient(dy, taps, windows, x_shape):
    """dx (N, H, W, C): each pixel gathers dy * w from the windows it was in."""
    return narrow(convolve_back(dy, taps, windows, (*x_shape[:3], dy.shape[3])), dy.shape[3] // x_shape[3])


def convolve_back(dy, taps, windows, x_shape):
    """The gradient of `widen`'s result, (N, H, W, C*M): as `input_gradient`, before copies of a channel are summed."""
    dx, back = arrays.empty(x_shape, dy.dtype), backwards(taps, windows)
    convolve(dy, back.taps, back.windows, back.spread, dx)
    return dx


class Backwards(NamedTuple):
    """The convolution that gives dx: taps and windows over dy, its pixels `spread` apart."""

    taps: np.ndarray
    windows: Windows
    spread: Pair


def backwards(taps, windows):
    """That of a convolution: its taps flipped, its stride between the pixels of dy."""
    return Backwards(np.ascontiguousarray(taps[::-1, ::-1]), windows.transposed(), windows.stride)


def convolve(x, taps, windows, spread, y):
    """y = windows of x, its pixels `spread` apart, weighed by the taps."""
    tiles = tiling.image_table(y.shape)
    threads.together(lambda queue: _convolve(queue, tiles, x, taps, windows, spread, frames.rows(y)), len(tiles))


def widen(x, multiplier):
    """x with every channel repeated M times, (N, H, W, C*M)."""
    return x if multiplier == 1 else np.repeat(x, multiplier, axis=3)


def narrow(dx, multiplier):
    """The gradient of x from that of `widen`'s result: the sum over each channel's M copies, which are on the last axis."""
    return dx if multiplier == 1 else dx.reshape(*dx.shape[:-1], -1, multiplier).sum(axis=-1)


def as_taps(weight):
    """(kh, kw, C, M) as (kh, kw, C*M)."""
    return arrays.read_only(weight.reshape(*weight.shape[:2], -1))


@compiled_with(depthwise_rows, frames)
def _convolve(queue, tiles, x, taps, windows, spread, y):
    height, columns = y.shape[0] // x.shape[0], y.shape[1]
    images, rows = frames.most(tiles)
    memory = frames.memory(images, rows, columns, windows, x)
    for k in taken(queue, len(tiles)):
        n0, n1, h0, _ = tiles[k]
        part = frames.of_tile(y, tiles[k], height)
        if _surround_every_pixel(windows, spread, x, (height, columns)) and depthwise_rows.fits(part):
            depthwise_rows.correlate_padded(x[n0:n1], h0, taps, part)
        else:
            correlate(frames.fill(x, tiles[k], columns, windows, spread, memory), taps, windows, part)


@compiled_with(depthwise_rows, frames)
def _weight_gradient(queue, groups, tiles, x, dy, windows, partials):
    height, columns = dy.shape[0] // x.shape[0], dy.shape[1]
    images, rows = frames.most(tiles)
    memory = frames.memory(images, rows, columns, windows, x)
    for g in taken(queue, len(groups)):
        partials[g] = 0
        for k in range(groups[g, 0], groups[g, 1]):
            frame = frames.fill(x, tiles[k], columns, windows, (1, 1), memory)
            add_products(frame, frames.of_tile(dy, tiles[k], height), windows, partials[g])


@compiled_with(depthwise_rows)
def correlate(frame, taps, windows, y):
    """y[n, r, ow, c] = sum over i, j of frame[n, r*sh + i*dh, ow*sw + j*dw, c] * taps[i, j, c]"""
    if _are_plain_3x3(windows) and depthwise_rows.fits(y):
        depthwise_rows.correlate(frame, taps, y)
    else:
        _correlate(frame, taps, windows.stride, windows.dilation, y)


@compiled_with(depthwise_rows, frames)
def correlate_back(dy, back, memory, dx):
    """dx of whole images, as each pixel gathers it; what the windows see of dy goes into `memory`, where it has to be copied."""
    if _surround_every_pixel(back.windows, back.spread, dy, dx.shape[1:3]) and depthwise_rows.fits(dx):
        depthwise_rows.correlate_padded(dy, 0, back.taps, dx)
        return
    frame = frames.empty(len(dx), dx.shape[1], dx.shape[2], back.windows, dx.shape[3], memory)
    frames.copy(dy, frame, -back.windows.origin[0], -back.windows.origin[1], back.spread)
    correlate(frame, back.taps, back.windows, dx)


@compiled_with(depthwise_rows)
def add_products(frame, dy, windows, dtaps):
    """dtaps[i, j, c] += sum over n, r, ow of frame[n, r*sh + i*dh, ow*sw + j*dw, c] * dy[n, r, ow, c]"""
    if _are_plain_3x3(windows) and depthwise_rows.fits(dy):
        depthwise_rows.add_products(frame, dy, dtaps)
    else:
        _add_products(frame, dy, windows.stride, windows.dilation, dtaps)


@compiled_apart
def _surround_every_pixel(windows, spread, x, size):
    """Whether there is a 3x3 window around every pixel of x, whose padding is one pixel on every side."""
    return _are_plain_3x3(windows) and windows.origin == (1, 1) and spread == (1, 1) and x.shape[1:3] == size


@compiled_apart
def _are_plain_3x3(windows):
    return (windows.kernel, windows.stride, windows.dilation) == _PLAIN_3X3


@compiled_apart
def _correlate(frame, taps, stride, dilation, y):
    for n in range(y.shape[0]):
        for r in range(y.shape[1]):
            for ow in range(y.shape[2]):
                out = y[n, r, ow]
                for c in range(out.size):
                    out[c] = 0
                for i in range(taps.shape[0]):
                    for j in range(taps.shape[1]):
                        pixel, tap = frame[n, r * stride[0] + i * dilation[0], ow * stride[1] + j * dilation[1]], taps[i, j]
                        for c in range(out.size):
                            out[c] += pixel[c] * tap[c]


@compiled_apart
def _add_products(frame, dy, stride, dilation, dtaps):
    for n in range(dy.shape[0]):
        for r in range(dy.shape[1]):
            for i in range(dtaps.shape[0]):
                for j in range(dtaps.shape[1]):
                    out = dtaps[i, j]
                    for ow in range(dy.shape[2]):
                        pixel, upstream = frame[n, r * stride[0] + i * dilation[0], ow * stride[1] + j * dilation[1]], dy[n, r, ow]
                        for c in range(out.size):
                            out[c] += pixel[c] * upstream[c]
