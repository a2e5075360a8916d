"""Grouped convolution on the CPU: a matrix product a segment where they are wide, many at once where they are narrow.

Vectors are filled along what there is more of: the filters of a segment, in products like a regular convolution's
(`ops/convolutions.py`), or the segments, in products of which each lane computes another (`narrow.py`). Segments of one channel
are a depthwise convolution.
"""

from xception_np import arrays
from xception_np.ops import convolutions
from xception_np.ops.depthwise_conv import Cache as DepthwiseCache
from xception_np.ops.depthwise_conv import cpu as depthwise
from xception_np.ops.grouped_conv import Cache, narrow, output_shape
from xception_np.ops.register_block import BYTES

_NARROW = 12  # channels or filters of a segment: with more, products fill their vectors well enough, as measured


def forward(x, weight, geometry, segments):
    if weight.shape[2] == 1:
        y, _ = depthwise.forward(x, _depthwise(weight, segments), geometry)
    else:
        y, windows = arrays.empty(output_shape(x.shape, weight.shape, geometry), x.dtype), geometry.windows(*x.shape[1:3])
        _way(weight, windows, segments).convolve(x, weight, windows, segments, y)
    return y, Cache(x, weight, geometry, segments)


def backward(dy, cache):
    x, weight, geometry, segments = cache
    if weight.shape[2] == 1:
        dx, dweight = depthwise.backward(dy, DepthwiseCache(x, _depthwise(weight, segments), geometry))
        return dx, dweight.reshape(weight.shape)
    dx, windows = arrays.empty_like(x), geometry.windows(*x.shape[1:3])
    way = _way(weight, windows, segments)
    way.input_gradient(dy, weight, windows, segments, dx)
    return dx, way.weight_gradient(x, dy, windows, segments)


def _depthwise(weight, segments):
    """(kh, kw, 1, C*M) as (kh, kw, C, M)."""
    return weight.reshape(*weight.shape[:2], segments, -1)


def _way(weight, windows, segments):
    numbers, lanes = (weight.shape[2], weight.shape[3] // segments), BYTES // weight.itemsize
    wide = all(number % lanes == 0 or number > min(segments, _NARROW) for number in numbers)
    return convolutions.way(weight, windows, segments) if wide else narrow
