"""Fully connected layer on the CPU: a pointwise convolution of images of one pixel, and a bias."""

from xception_np import arrays
from xception_np.ops.dense import Cache, output_shape
from xception_np.ops.pointwise_conv import cpu as pointwise


def forward(x, weight, bias):
    y = arrays.empty(output_shape(x.shape, weight.shape), x.dtype)
    pointwise.product(x, weight, y)
    y += bias
    return y, Cache(x, weight)


def backward(dy, cache):
    x, weight = cache
    dx = arrays.empty_like(x)
    # y = x @ w + b, so dx = dy @ w.T, dw = x.T @ dy and db = sum of dy
    pointwise.product(dy, weight.T, dx)
    return dx, pointwise.product_over_positions(x, dy), dy.sum(axis=0)
