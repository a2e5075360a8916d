"""Max pooling on the CPU: loops over pixels and taps, vectors along the channels.

The winners of a pixel are found as int32, as wide as the numbers that are compared, and are made bytes at its end: a vector of
comparisons then chooses from both at once.

Backward is a gather: every pixel asks the windows that saw it whether it won.
"""

import numpy as np

from xception_np import arrays, threads, tiling
from xception_np.ops.compile import compiled_apart, fetch, taken
from xception_np.ops.max_pool import Cache, output_shape, winners_dtype


def forward(x, geometry):
    y = arrays.empty(output_shape(x.shape, geometry), x.dtype)
    winners = arrays.empty(y.shape, winners_dtype(geometry))
    tiles, windows = tiling.image_table(y.shape), geometry.windows(*x.shape[1:3])
    threads.together(lambda queue: _forward(queue, tiles, x, windows, y, winners), len(tiles))
    return y, Cache(winners, x.shape, geometry, x.dtype)


def backward(dy, cache):
    winners, x_shape, geometry, dtype = cache
    dx = arrays.empty(x_shape, dtype)
    tiles, windows = tiling.image_table(x_shape), geometry.windows(*x_shape[1:3])
    threads.together(lambda queue: _backward(queue, tiles, dy, winners, windows, dx), len(tiles))
    return dx


@compiled_apart
def _forward(queue, tiles, x, windows, y, winners):
    """y[n, oh, ow, c] = max over i, j of x[n, oh*sh + i*dh - top, ow*sw + j*dw - left, c]; winners = i*kw + j of it"""
    winner = np.empty(x.shape[3], np.int32)
    for k in taken(queue, len(tiles)):
        n0, n1, h0, h1 = tiles[k]
        for n in range(n0, n1):
            for oh in range(h0, h1):
                for ow in range(y.shape[2]):
                    _largest(x[n], oh, ow, windows, y[n, oh, ow], winner)
                    for c in range(winner.size):
                        winners[n, oh, ow, c] = winner[c]


@compiled_apart
def _largest(image, oh, ow, windows, best, winner):
    """One window of an image: the largest of its pixels, and which it was."""
    (kh, kw), (sh, sw), (dh, dw), (top, left) = windows
    if (kh, kw, dh, dw) == (3, 3, 1, 1):
        h, w = oh * sh - top, ow * sw - left
        if 0 <= h < image.shape[0] - 2 and 0 <= w < image.shape[1] - 2:
            fetch(image[h + 3 : h + 3 + sh, w : w + sw])  # what the window below will see, and no window has seen
            _largest_of_nine(image, h, w, best, winner)
            return
    first = True
    for i in range(kh):
        h = oh * sh + i * dh - top
        if h < 0 or h >= image.shape[0]:
            continue
        for j in range(kw):
            w = ow * sw + j * dw - left
            if w < 0 or w >= image.shape[1]:
                continue
            pixel, tap = image[h, w], np.int32(i * kw + j)
            if first:
                for c in range(best.size):
                    best[c] = pixel[c]
                    winner[c] = tap
                first = False
            else:
                for c in range(best.size):
                    wins = not pixel[c] <= best[c] and best[c] == best[c]  # a NaN wins, and the first one stays
                    best[c] = pixel[c] if wins else best[c]
                    winner[c] = tap if wins else winner[c]


@compiled_apart
def _largest_of_nine(image, h, w, best, winner):
    """The same for a window of 3x3 that is inside the image: its pixels meet in registers."""
    for c in range(best.size):
        largest, tap = image[h, w, c], np.int32(0)
        for i in range(3):
            for j in range(3):
                value = image[h + i, w + j, c]
                wins = not value <= largest and largest == largest  # as above
                largest = value if wins else largest
                tap = np.int32(3 * i + j) if wins else tap
        best[c], winner[c] = largest, tap


# y = x at the winning tap, so dx = dy there and 0 elsewhere
@compiled_apart
def _backward(queue, tiles, dy, winners, windows, dx):
    """dx[n, h, w, c] = sum of dy[n, oh, ow, c] over the windows (oh, ow) that pixel (h, w) won"""
    (kh, kw), (sh, sw), (dh, dw), (top, left) = windows
    for k in taken(queue, len(tiles)):
        n0, n1, h0, h1 = tiles[k]
        for n in range(n0, n1):
            for h in range(h0, h1):
                for w in range(dx.shape[2]):
                    out = dx[n, h, w]
                    for c in range(out.size):
                        out[c] = 0
                    for i in range(kh):
                        oh, skip = divmod(h + top - i * dh, sh)
                        if skip != 0 or oh < 0 or oh >= dy.shape[1]:
                            continue
                        for j in range(kw):
                            ow, skip = divmod(w + left - j * dw, sw)
                            if skip != 0 or ow < 0 or ow >= dy.shape[2]:
                                continue
                            _add_where_won(dy[n, oh, ow], winners[n, oh, ow], i * kw + j, out)


@compiled_apart
def _add_where_won(upstream, winner, tap, out):
    for c in range(out.size):
        out[c] += upstream[c] if winner[c] == tap else 0
