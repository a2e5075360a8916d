"""What stands in front of a convolution and is done while it reads x: z = (x - mean) * scale + beta, or x itself, cut off at 0.

Forward, a frame holds z and its padding, and z is never written to memory. Backward, the convolution leaves dz, the gradient of z.
Where the entry cut it becomes 0, and it is summed up as batch normalisation needs it, while it is in the cache.
"""

from typing import NamedTuple

import numpy as np

from xception_np import threads, tiling
from xception_np.ops import frames
from xception_np.ops.compile import compiled, compiled_apart, compiled_with, taken


class Entry(NamedTuple):
    """What stands in front of a convolution, done while x is read: z = (x - mean) * scale + beta, cut off at 0 if relu.

    mean, scale, beta : (C,) arrays, or of no size for z = x
    relu : bool
    """

    mean: np.ndarray
    scale: np.ndarray
    beta: np.ndarray
    relu: bool

    def repeated(self, multiplier):
        """For x with every channel repeated M times."""
        if multiplier == 1:
            return self
        mean, scale, beta = (np.repeat(vector, multiplier) for vector in self[:3])
        return Entry(mean, scale, beta, self.relu)


def as_it_is(dtype, relu=False):
    """The entry of x that is not normalised."""
    none = np.empty(0, dtype)
    return Entry(none, none, none, relu)


def cut_and_sum(x, entry, dz):
    """`cut_and_sum_rows` for all positions: the two sums, one after the other."""
    if entry.mean.size == 0:
        if entry.relu:
            threads.for_spans(cut_gradient, x, dz)
        return entry.mean
    x_rows, dz_rows = threads.rows(x), threads.rows(dz)
    spans = tiling.span_table(*x_rows.shape)

    def work(queue, partials):
        _cut_and_sum_spans(queue, spans, x_rows, entry, dz_rows, partials)

    return threads.sum_groups(work, len(spans), (2 * x.shape[-1],), x.dtype)


@compiled_with(frames, how=compiled)
def fill(x, tile, columns, windows, entry, memory):
    """The frame of a tile, as x enters, in `memory`."""
    if entry.mean.size:
        frame = frames.empty(tile[1] - tile[0], tile[3] - tile[2], columns, windows, x.shape[3], memory)
        _normalise(x, tile, windows, entry, frame)
        return frame
    frame = frames.fill(x, tile, columns, windows, (1, 1), memory)
    if entry.relu:
        cut(frame.reshape(-1))
    return frame


# In place. The loop of the ReLU takes x and y, which may overlap for all that the compiler knows: it makes no vectors of them
@compiled_apart
def cut(z):
    """z = 0 where it is not above, (n,)"""
    for k in range(z.size):
        z[k] = 0 if z[k] <= 0 else z[k]


@compiled_apart
def _normalise(x, tile, windows, entry, frame):
    """The frame of a tile: z = (x - mean) * scale + beta, cut off at 0 if relu, and its padding, which is 0."""
    n0, _, h0, _ = tile
    mean, scale, beta, relu = entry
    top, left = h0 * windows.stride[0] - windows.origin[0], -windows.origin[1]
    for n in range(len(frame)):
        for r in range(frame.shape[1]):
            h = top + r
            for q in range(frame.shape[2]):
                w, pixel = left + q, frame[n, r, q]
                if h < 0 or h >= x.shape[1] or w < 0 or w >= x.shape[2]:
                    for c in range(mean.size):
                        pixel[c] = 0
                else:
                    seen = x[n0 + n, h, w]
                    for c in range(mean.size):
                        z = (seen[c] - mean[c]) * scale[c] + beta[c]
                        pixel[c] = 0 if relu and z <= 0 else z


@compiled_apart
def cut_and_sum_rows(x, entry, dz, sums):
    """dz = 0 where the entry cut; sums[0] += sum of dz * (x - mean), sums[1] += sum of dz, if it normalised"""
    if entry.mean.size:
        _cut_and_sum_normalised(x, entry, dz, sums)
    elif entry.relu:
        cut_gradient(x.reshape(-1), dz.reshape(-1))


@compiled_apart
def cut_gradient(x, dz):
    """dz = 0 where x is not above, (n,) both"""
    for k in range(dz.size):
        dz[k] = 0 if x[k] <= 0 else dz[k]


@compiled_apart
def _cut_and_sum_normalised(x, entry, dz, sums):
    """The same where the entry normalised"""
    mean, products, upstream = entry.mean, sums[0], sums[1]
    rows = len(x)
    for start in range(0, rows, 4):  # an accumulator is loaded and stored once for four rows
        if entry.relu:
            for p in range(start, min(start + 4, rows)):
                for c in range(mean.size):
                    dz[p, c] = 0 if (x[p, c] - mean[c]) * entry.scale[c] + entry.beta[c] <= 0 else dz[p, c]
        if start + 4 <= rows:
            for c in range(mean.size):
                d0, d1, d2, d3 = dz[start, c], dz[start + 1, c], dz[start + 2, c], dz[start + 3, c]
                products[c] += (d0 * (x[start, c] - mean[c]) + d1 * (x[start + 1, c] - mean[c])) + (
                    d2 * (x[start + 2, c] - mean[c]) + d3 * (x[start + 3, c] - mean[c])
                )
                upstream[c] += (d0 + d1) + (d2 + d3)
    for p in range(rows - rows % 4, rows):
        for c in range(mean.size):
            products[c] += dz[p, c] * (x[p, c] - mean[c])
            upstream[c] += dz[p, c]


@compiled_apart
def _cut_and_sum_spans(queue, spans, x, entry, dz, partials):
    """partials[k] = the two sums of a span"""
    for k in taken(queue, len(spans)):
        partials[k] = 0
        start, stop = spans[k]
        cut_and_sum_rows(x[start:stop], entry, dz[start:stop], partials[k].reshape(2, -1))
