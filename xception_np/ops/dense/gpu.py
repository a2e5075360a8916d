"""Fully connected layer on a GPU: a pointwise convolution of images of one pixel, and a bias."""

from xception_np.ops.bias import gpu as bias_of
from xception_np.ops.dense import Cache
from xception_np.ops.pointwise_conv import Cache as PointwiseCache
from xception_np.ops.pointwise_conv import gpu_tiled as pointwise


def forward(x, weight, bias):
    product, _ = pointwise.forward(_pixels(x), weight)
    y, _ = bias_of.forward(product, bias, None)
    return y.reshape(x.shape[0], weight.shape[1]), Cache(x, weight)


def backward(dy, cache):
    x, weight = cache
    # y = x @ w + b, so dx and dw are the product's, and db = sum of dy
    dx, dweight = pointwise.backward(_pixels(dy), PointwiseCache(_pixels(x), weight))
    return dx.reshape(x.shape), dweight, bias_of.sum_positions(dy)


def _pixels(rows):
    """A view of (N, C) as (N, 1, 1, C)."""
    return rows.reshape(rows.shape[0], 1, 1, rows.shape[1])
