"""Grouped convolution on the CPU: a matrix product a segment where they are wide, many at once where they are narrow.

Vectors are filled along what there is more of: the filters of a segment, in products like a regular convolution's (`wide.py`), or
the segments, in products of which each lane computes another (`narrow.py`). One segment is a regular convolution, and segments of
one channel are a depthwise one.

The gradient of x is a convolution too, of dy: its pixels `stride` apart, the taps flipped, filters and channels exchanged.
With a stride, the zeros between are multiplied, too.
"""

import numpy as np

from xception_np import arrays
from xception_np.ops.conv import Cache as ConvCache
from xception_np.ops.conv import cpu as conv
from xception_np.ops.depthwise_conv import Cache as DepthwiseCache
from xception_np.ops.depthwise_conv import cpu as depthwise
from xception_np.ops.grouped_conv import Cache, narrow, output_shape, wide

_NARROW = 15  # channels and filters of a segment: with more, products fill their vectors well enough, as measured


def forward(x, weight, geometry, segments):
    if segments == 1:
        y, _ = conv.forward(x, weight, geometry)
    elif weight.shape[2] == 1:
        y, _ = depthwise.forward(x, _depthwise(weight, segments), geometry)
    else:
        y = arrays.empty(output_shape(x.shape, weight.shape, geometry), x.dtype)
        _way(weight, segments).convolve(x, weight, geometry.windows(*x.shape[1:3]), (1, 1), segments, y)
    return y, Cache(x, weight, geometry, segments)


def backward(dy, cache):
    x, weight, geometry, segments = cache
    if segments == 1:
        return conv.backward(dy, ConvCache(x, weight, geometry))
    if weight.shape[2] == 1:
        dx, dweight = depthwise.backward(dy, DepthwiseCache(x, _depthwise(weight, segments), geometry))
        return dx, dweight.reshape(weight.shape)
    dx, windows, way = arrays.empty_like(x), geometry.windows(*x.shape[1:3]), _way(weight, segments)
    way.convolve(dy, _backwards(weight, segments), windows.transposed(), windows.stride, segments, dx)
    return dx, way.weight_gradient(x, dy, windows, segments)


def _depthwise(weight, segments):
    """(kh, kw, 1, C*M) as (kh, kw, C, M)."""
    return weight.reshape(*weight.shape[:2], segments, -1)


def _way(weight, segments):
    return wide if min(weight.shape[2], weight.shape[3] // segments) > min(segments, _NARROW) else narrow


def _backwards(weight, segments):
    """The kernel of the convolution that gives dx: back[i, j, f, s*C/S + c] = weight[kh-1-i, kw-1-j, c, s*F/S + f]"""
    kh, kw, width, filters = weight.shape
    split = weight[::-1, ::-1].reshape(kh, kw, width, segments, filters // segments)
    return np.ascontiguousarray(split.transpose(0, 1, 4, 3, 2)).reshape(kh, kw, filters // segments, -1)
