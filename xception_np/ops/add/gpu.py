"""Addition on a GPU: one thread a number."""

from pathlib import Path

from xception_np import arrays, kernels
from xception_np.ops.add import Cache

FILE = Path(__file__).with_name("gpu.cu")


def forward(a, b):
    y = arrays.empty_like(a)
    kernels.launch(FILE, "forward", a.dtype, *kernels.over(y.size), (a, b, y, y.size))
    return y, Cache(a.shape, a.dtype)


def backward(dy, cache):
    # y = a + b: the gradient fans out unchanged
    return dy, dy
