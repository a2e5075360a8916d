"""Addition in NumPy."""

from xception_np.ops.add import Cache


def forward(a, b):
    return a + b, Cache(a.shape, a.dtype)


def backward(dy, cache):
    # y = a + b: the gradient fans out unchanged
    return dy, dy
