"""Fully connected layer in NumPy."""

from xception_np.ops.dense import Cache


def forward(x, weight, bias):
    return x @ weight + bias, Cache(x, weight)


def backward(dy, cache):
    x, weight = cache
    # y = x @ w + b, so dx = dy @ w.T, dw = x.T @ dy and db = sum of dy
    return dy @ weight.T, x.T @ dy, dy.sum(axis=0)
