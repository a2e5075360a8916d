"""Regular convolution on a GPU: one thread a number of y, of dx and of dweight."""

from pathlib import Path

from xception_np import arrays, kernels
from xception_np.ops.conv import Cache, output_shape

FILE = Path(__file__).with_name("gpu.cu")


def forward(x, weight, geometry):
    y = arrays.empty(output_shape(x.shape, weight.shape, geometry), x.dtype, like=x)
    args = (x, weight, y, y.size, *sizes(x, weight, geometry))
    kernels.launch(FILE, "forward", x.dtype, *kernels.over(y.size), args)
    return y, Cache(x, weight, geometry)


def backward(dy, cache):
    return backward_x(dy, cache), weight_gradient(dy, cache)


def backward_x(dy, cache):
    x, weight, geometry = cache
    dx = arrays.empty_like(x)
    args = (dy, weight, dx, dx.size, *sizes(x, weight, geometry))
    kernels.launch(FILE, "backward_x", x.dtype, *kernels.over(dx.size), args)
    return dx


def weight_gradient(dy, cache):
    x, weight, geometry = cache
    dweight = arrays.empty_like(weight)
    args = (dy, x, dweight, dweight.size, x.shape[0], *sizes(x, weight, geometry))
    kernels.launch(FILE, "backward_weight", x.dtype, *kernels.over(dweight.size), args)
    return dweight


def sizes(x, weight, geometry):
    """H, W, C, F, OH, OW and the numbers of the windows."""
    _, height, width, channels = x.shape
    out = geometry.output_size(height, width)
    return height, width, channels, weight.shape[3], *out, *geometry.windows(height, width).numbers
