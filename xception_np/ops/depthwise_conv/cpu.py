"""Depthwise convolution on the CPU: loops over pixels and taps, vectors along the channels.

A depth multiplier M > 1 is the same convolution on x with every channel repeated M times.
"""

import numpy as np

from xception_np import arrays, threads
from xception_np.ops.compile import compiled
from xception_np.ops.depthwise_conv import Cache, output_shape


def forward(x, weight, geometry):
    y = arrays.empty(output_shape(x.shape, weight.shape, geometry), x.dtype)
    x_wide = widen(x, weight.shape[3])
    threads.for_tiles(lambda tile: forward_tile(x_wide, weight, geometry, tile, tile.of(y)), threads.image_tiles(y.shape))
    return y, Cache(x, weight, geometry)


def backward(dy, cache):
    x, weight, geometry = cache
    multiplier = weight.shape[3]
    x_wide = widen(x, multiplier)
    dx = arrays.empty_like(x_wide)
    taps = _taps(weight)
    steps = _steps(x, geometry)

    # y = sum over taps of x * w, so each pixel of dx gathers dy * w from the windows it was in ...
    def tile_dx(tile):
        _gather(dy[tile.n0 : tile.n1], taps, tile.of(dx), tile.h0, *steps)

    # ... and dw = x * dy, summed over positions
    def tile_dweight(tile, out):
        _products(x_wide[tile.n0 : tile.n1], tile.of(dy), out, tile.h0, *steps)

    threads.for_tiles(tile_dx, threads.image_tiles(dx.shape))
    groups = threads.tile_groups(dy.shape, dy.shape[3], taps.size)
    dweight = threads.sum_tiles(tile_dweight, groups, taps.shape, x.dtype)
    if multiplier > 1:
        dx = dx.reshape(*x.shape, multiplier).sum(axis=-1)
    return dx, dweight.reshape(weight.shape)


def forward_tile(x, weight, geometry, tile, y_tile):
    """The rows of y that belong to a tile, into y_tile (images, rows, OW, C*M); x has C*M channels."""
    _correlate(x[tile.n0 : tile.n1], _taps(weight), y_tile, tile.h0, *_steps(x, geometry))


def widen(x, multiplier):
    """x with every channel repeated M times, (N, H, W, C*M)."""
    return x if multiplier == 1 else np.repeat(x, multiplier, axis=3)


def _taps(weight):
    """(kh, kw, C, M) as (kh, kw, C*M)."""
    return weight.reshape(*weight.shape[:2], -1)


def _steps(x, geometry):
    return geometry.stride, geometry.dilation, geometry.origin(*x.shape[1:3])


@compiled
def _correlate(x, taps, y, h0, stride, dilation, origin):
    """y[n, r, ow, c] = sum over i, j of x[n, (h0 + r)*sh + i*dh - top, ow*sw + j*dw - left, c] * taps[i, j, c]"""
    for n in range(y.shape[0]):
        for r in range(y.shape[1]):
            for ow in range(y.shape[2]):
                out = y[n, r, ow]
                for c in range(out.size):
                    out[c] = 0
                for i in range(taps.shape[0]):
                    h = (h0 + r) * stride[0] + i * dilation[0] - origin[0]
                    if h < 0 or h >= x.shape[1]:
                        continue
                    for j in range(taps.shape[1]):
                        w = ow * stride[1] + j * dilation[1] - origin[1]
                        if w < 0 or w >= x.shape[2]:
                            continue
                        pixel, tap = x[n, h, w], taps[i, j]
                        for c in range(out.size):
                            out[c] += pixel[c] * tap[c]


@compiled
def _gather(dy, taps, dx, h0, stride, dilation, origin):
    """dx[n, r, w, c] = sum of dy[n, oh, ow, c] * taps[i, j, c] over the windows that saw pixel (h0 + r, w) at tap (i, j)"""
    for n in range(dx.shape[0]):
        for r in range(dx.shape[1]):
            for w in range(dx.shape[2]):
                out = dx[n, r, w]
                for c in range(out.size):
                    out[c] = 0
                for i in range(taps.shape[0]):
                    oh, skip = divmod(h0 + r + origin[0] - i * dilation[0], stride[0])
                    if skip != 0 or oh < 0 or oh >= dy.shape[1]:
                        continue
                    for j in range(taps.shape[1]):
                        ow, skip = divmod(w + origin[1] - j * dilation[1], stride[1])
                        if skip != 0 or ow < 0 or ow >= dy.shape[2]:
                            continue
                        upstream, tap = dy[n, oh, ow], taps[i, j]
                        for c in range(out.size):
                            out[c] += upstream[c] * tap[c]


@compiled
def _products(x, dy, dtaps, h0, stride, dilation, origin):
    """dtaps[i, j, c] = sum over n, r, ow of x[n, (h0 + r)*sh + i*dh - top, ow*sw + j*dw - left, c] * dy[n, r, ow, c]"""
    dtaps[:] = 0
    for n in range(dy.shape[0]):
        for r in range(dy.shape[1]):
            for i in range(dtaps.shape[0]):
                h = (h0 + r) * stride[0] + i * dilation[0] - origin[0]
                if h < 0 or h >= x.shape[1]:
                    continue
                for j in range(dtaps.shape[1]):
                    out = dtaps[i, j]
                    for ow in range(dy.shape[2]):
                        w = ow * stride[1] + j * dilation[1] - origin[1]
                        if w < 0 or w >= x.shape[2]:
                            continue
                        pixel, upstream = x[n, h, w], dy[n, r, ow]
                        for c in range(out.size):
                            out[c] += pixel[c] * upstream[c]
