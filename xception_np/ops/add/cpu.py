"""Addition on the CPU: flat loops over spans of numbers."""

from xception_np import arrays, threads
from xception_np.ops.add import Cache
from xception_np.ops.compile import compiled


def forward(a, b):
    y = arrays.empty_like(a)
    threads.for_spans(_add, a, b, y)
    return y, Cache(a.shape, a.dtype)


def backward(dy, cache):
    # y = a + b: the gradient fans out unchanged
    return dy, dy


@compiled
def _add(a, b, y):
    for k in range(y.size):
        y[k] = a[k] + b[k]
