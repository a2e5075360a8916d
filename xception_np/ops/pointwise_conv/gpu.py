"""Pointwise convolution on a GPU: one thread a number of y, of dx and of dweight."""

from pathlib import Path

from xception_np import arrays, kernels
from xception_np.ops.pointwise_conv import Cache, output_shape

FILE = Path(__file__).with_name("gpu.cu")


def forward(x, weight):
    y = arrays.empty(output_shape(x.shape, weight.shape), x.dtype, like=x)
    kernels.launch(FILE, "forward", x.dtype, *kernels.over(y.size), (x, weight, y, y.size, *weight.shape))
    return y, Cache(x, weight)


def backward(dy, cache):
    x, weight = cache
    dx, dweight = arrays.empty_like(x), arrays.empty_like(weight)
    # y = x @ w, so dx = dy @ w.T and dw = x.T @ dy
    kernels.launch(FILE, "backward_x", x.dtype, *kernels.over(dx.size), (dy, weight, dx, dx.size, *weight.shape))
    args = (dy, x, dweight, dweight.size, x.size // x.shape[3], *weight.shape)
    kernels.launch(FILE, "backward_weight", x.dtype, *kernels.over(dweight.size), args)
    return dx, dweight
