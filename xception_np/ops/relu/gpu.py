"""ReLU on a GPU: one thread a number."""

from pathlib import Path

from xception_np import arrays, kernels
from xception_np.ops.relu import Cache

FILE = Path(__file__).with_name("gpu.cu")


def forward(x):
    y = arrays.empty_like(x)
    kernels.launch(FILE, "forward", x.dtype, *kernels.over(y.size), (x, y, y.size))
    return y, Cache(y)


def backward(dy, cache):
    dx = arrays.empty_like(dy)
    kernels.launch(FILE, "backward", dy.dtype, *kernels.over(dx.size), (cache.y, dy, dx, dx.size))
    return dx
