"""ReLU in NumPy. Written with <= so that NaN, which is not <= 0, passes."""

import numpy as np

from xception_np.ops.relu import Cache


def forward(x):
    y = np.where(x <= 0, x.dtype.type(0), x)
    return y, Cache(y)


def backward(dy, cache):
    # y = x where x > 0 else 0, and y > 0 exactly where x > 0
    return np.where(cache.y <= 0, dy.dtype.type(0), dy)
