"""Dropout in NumPy."""

import numpy as np

from xception_np import random
from xception_np.ops.dropout import Cache, threshold


def forward(x, rate, stream):
    return _apply(x, rate, stream), Cache(x.shape, x.dtype, rate, stream)


def backward(dy, cache):
    # y = x * mask / (1 - rate), so dx = dy * mask / (1 - rate), with the same mask
    return _apply(dy, cache.rate, cache.stream)


def _apply(x, rate, stream):
    keep = random.words(stream, x.size).reshape(x.shape) >= threshold(rate)
    return np.where(keep, x * x.dtype.type(1 / (1 - rate)), x.dtype.type(0))
