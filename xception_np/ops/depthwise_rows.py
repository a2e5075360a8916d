"""3x3 depthwise convolutions at stride 1 in vector registers, row by row: all that Xception has.

A pixel of x is in three windows of a row. So it is loaded once, and meets three taps, for three sums that wait in registers:

    pixels of a row     w   w+1 w+2 ...           column w + 2 of three rows comes in:
    window w            0   1   2                     y[w]     += x * taps[:, 2]     and is done
    window w + 1            0   1   2                 y[w + 1] += x * taps[:, 1]
    window w + 2                0   1   2             y[w + 2]  = x * taps[:, 0]

The nine taps of as many channels as a vector holds stay in registers, too: nine multiply-adds for three loads and a store. For the
taps' gradient the nine sums stay, and three neighbouring pixels of dy.

As in `ops/register_block.py`, this is written in LLVM's vectors: a compiler's loop over channels loads every pixel and every tap
for every window.
"""

from typing import Any

import numpy as np
from numba.core import types
from numba.extending import intrinsic

from xception_np.ops import register_block
from xception_np.ops.compile import compiled_with
from xception_np.ops.register_block import Code, arrays_of, integer, lanes

_THREE = range(3)


@compiled_with(register_block)
def fits(y):
    """Whether rows of y (N, H, W, C) are for these functions, which do not ask: a whole vector of channels, and three windows."""
    return y.shape[3] >= lanes(y) and y.shape[2] >= 3


@compiled_with(register_block)
def correlate(frame, taps, y):
    """y[n, h, w, c] = sum over i, j of frame[n, h + i, w + j, c] * taps[i, j, c], where y `fits`; all C-contiguous"""
    images, rows, columns, channels = y.shape
    height, width = frame.shape[1:3]
    if frame.shape != (images, rows + 2, columns + 2, channels) or taps.shape != (3, 3, channels):
        raise ValueError("shapes do not fit: frame (N, H + 2, W + 2, C), taps (3, 3, C), y (N, H, W, C)")
    x, weights, results, lane_count = frame.reshape(-1), taps.reshape(-1), y.reshape(-1), lanes(y)
    for n in range(images):
        for h in range(rows):
            place, target = (n * height + h) * width * channels, (n * rows + h) * columns * channels
            for start in range(0, channels, lane_count):
                c = min(start, channels - lane_count)  # the last vector may overlap with the one before: the same numbers again
                _correlate_row(x, place + c, width * channels, weights, c, channels, results, target + c, columns)


@compiled_with(register_block)
def correlate_padded(x, first, taps, y):
    """The same for x as it is, of y's width: its padding is one pixel of 0 on every side. Row h of y is row first + h of x."""
    images, rows, columns, channels = y.shape
    height, length = x.shape[1], columns * channels
    if x.shape != (images, height, columns, channels) or first + rows > height or taps.shape != (3, 3, channels):
        raise ValueError("shapes do not fit: x (N, H, W, C), taps (3, 3, C), y (N, rows of those, W, C)")
    pixels, weights, results, lane_count = x.reshape(-1), taps.reshape(-1), y.reshape(-1), lanes(y)
    padding = np.zeros(length, x.dtype)
    for n in range(images):
        for h in range(rows):
            place, target = (n * height + first + h - 1) * length, (n * rows + h) * length
            above, below = first + h > 0, first + h + 1 < height
            for start in range(0, channels, lane_count):
                c = min(start, channels - lane_count)
                _correlate_padded_row(
                    pixels, place + c, length, weights, c, channels, results, target + c, columns, padding, above, below
                )


@compiled_with(register_block)
def add_products(frame, dy, dtaps):
    """dtaps[i, j, c] += sum over n, h, w of frame[n, h + i, w + j, c] * dy[n, h, w, c], where dy `fits`; all C-contiguous"""
    images, rows, columns, channels = dy.shape
    height, width = frame.shape[1:3]
    if frame.shape != (images, rows + 2, columns + 2, channels) or dtaps.shape != (3, 3, channels):
        raise ValueError("shapes do not fit: frame (N, H + 2, W + 2, C), dy (N, H, W, C), dtaps (3, 3, C)")
    x, upstream, sums, lane_count = frame.reshape(-1), dy.reshape(-1), dtaps.reshape(-1), lanes(dy)
    for n in range(images):
        for h in range(rows):
            place, source = (n * height + h) * width * channels, (n * rows + h) * columns * channels
            for start in range(0, channels, lane_count):
                c = min(start, channels - lane_count)  # of the last vector, the first start - c channels have had their sums
                _add_row(x, place + c, width * channels, sums, c, channels, upstream, source + c, columns, start - c)


class _Row(Code):
    """Code for a row of windows, in as many channels as a vector holds; pixels of an array are so many `channels` apart."""

    def __init__(self, context, builder, kind, channels):
        super().__init__(context, builder, kind)
        self.channels = channels

    def rows(self, x, place, row):
        """Where three rows begin, the first at number `place`."""
        return [self.element(x, self.builder.add(place, self.builder.mul(row, integer(i)))) for i in _THREE]

    def column(self, rows, w):
        """Pixel w of each."""
        return [self.vector_from(self.pixel(row, w)) for row in rows]

    def pixel(self, row, w):
        """The address of pixel w."""
        return self.builder.gep(row, [self.builder.mul(w, self.channels)])

    def taps(self, array, c):
        """The addresses of the nine taps, [i][j]."""
        first = self.element(array, c)
        return [[self.as_vector(self.pixel(first, integer(3 * i + j))) for j in _THREE] for i in _THREE]

    def correlate(self, rows, taps, y, columns, padding=0):
        """One row of results, with so many columns of 0 at either end, which are not there."""
        weights = [[self.loaded(address) for address in line] for line in taps]

        def plus(total, pixels, j):
            for i in _THREE:
                product = pixels[i], weights[i][j]
                total = self.times(*product) if total is None else self.plus(total, *product)
            return total

        def store(w, result):
            self.store(result, self.as_vector(self.pixel(y, w)))

        def step(w, sums):
            pixels = self.column(rows, self.builder.add(w, integer(2 - padding)))
            store(w, plus(sums[0], pixels, 2))
            return [plus(sums[1], pixels, 1), plus(None, pixels, 0)]

        one = self.column(rows, integer(1 - padding))  # the column in the middle of window 0, and before it the first
        start = None if padding else plus(None, self.column(rows, integer(0)), 0)
        last = self.builder.sub(columns, integer(padding))
        result, _ = self.loop(0, last, [plus(start, one, 1), plus(None, one, 0)], step)
        if padding:
            store(last, result)


def _correlate_row_typed(_, x, place, row, taps, c, channels, y, target, columns):
    if not x.dtype == taps.dtype == y.dtype:
        return None  # not for these arguments: a TypingError

    def generate(context, builder, signature, arguments):
        x, taps, y = arrays_of(context, builder, signature, arguments, (0, 3, 6))
        _, place, row, _, c, channels, _, target, columns = arguments
        code = _Row(context, builder, signature.args[0].dtype, channels)
        code.correlate(code.rows(x, place, row), code.taps(taps, c), code.element(y, target), columns)
        return context.get_dummy_value()

    return types.void(x, place, row, taps, c, channels, y, target, columns), generate


# One row of windows: y[target + w*channels] = sum over i, j of x[place + i*row + (w + j)*channels] * taps[c + (3*i + j)*channels],
# for as many channels as a vector holds
_correlate_row: Any = intrinsic(_correlate_row_typed)


def _correlate_padded_row_typed(_, x, place, row, taps, c, channels, y, target, columns, padding, above, below):
    if not x.dtype == taps.dtype == y.dtype == padding.dtype:
        return None

    def generate(context, builder, signature, arguments):
        x, taps, y, padding = arrays_of(context, builder, signature, arguments, (0, 3, 6, 9))
        _, place, row, _, c, channels, _, target, columns, _, above, below = arguments
        code = _Row(context, builder, signature.args[0].dtype, channels)
        top, middle, bottom = code.rows(x, place, row)
        rows = builder.select(above, top, padding.data), middle, builder.select(below, bottom, padding.data)
        code.correlate(rows, code.taps(taps, c), code.element(y, target), columns, padding=1)
        return context.get_dummy_value()

    return types.void(x, place, row, taps, c, channels, y, target, columns, padding, above, below), generate


# The same of pixels w + j - 1, of which those outside the row are 0; so is the row above or below, where there is none
_correlate_padded_row: Any = intrinsic(_correlate_padded_row_typed)


def _add_row_typed(_, x, place, row, dtaps, c, channels, dy, source, columns, done):
    if not x.dtype == dtaps.dtype == dy.dtype:
        return None

    def generate(context, builder, signature, arguments):
        x, dtaps, dy = arrays_of(context, builder, signature, arguments, (0, 3, 6))
        _, place, row, _, c, channels, _, source, columns, done = arguments
        code = _Row(context, builder, signature.args[0].dtype, channels)
        rows, upstream = code.rows(x, place, row), code.element(dy, source)
        addresses = [address for line in code.taps(dtaps, c) for address in line]
        before = [code.loaded(address) for address in addresses]

        def plus(sums, w, pixels_of_dy):
            """Column w meets the pixel of dy whose tap j it is, for each j that has one."""
            column = code.column(rows, w)
            pairs = ((column[k // 3], pixels_of_dy.get(k % 3)) for k in range(9))
            return [total if d is None else code.plus(total, x, d) for total, (x, d) in zip(sums, pairs, strict=True)]

        def pixel_of_dy(w):
            return code.vector_from(code.pixel(upstream, w))

        def step(k, values):
            w, (*sums, last, one_before) = builder.add(k, integer(2)), values
            this = pixel_of_dy(w)
            return [*plus(sums, w, {0: this, 1: last, 2: one_before}), this, last]

        d0, d1 = pixel_of_dy(integer(0)), pixel_of_dy(integer(1))
        sums = plus(plus(before, integer(0), {0: d0}), integer(1), {0: d1, 1: d0})
        *sums, last, one_before = code.loop(0, builder.sub(columns, integer(2)), [*sums, d1, d0], step)
        sums = plus(sums, columns, {1: last, 2: one_before})
        sums = plus(sums, builder.add(columns, integer(1)), {2: last})
        for address, old, new in zip(addresses, before, sums, strict=True):
            code.store(builder.select(code.lanes_from(done), new, old), address)
        return context.get_dummy_value()

    return types.void(x, place, row, dtaps, c, channels, dy, source, columns, done), generate


# One row of windows: dtaps[c + (3*i + j)*channels] += sum over w of x[place + i*row + (w + j)*channels] * dy[source + w*channels],
# for as many channels as a vector holds, but for the first `done`
_add_row: Any = intrinsic(_add_row_typed)
