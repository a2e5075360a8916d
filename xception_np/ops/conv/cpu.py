"""Regular convolution on the CPU: products of windows, which are read where they are (`ops/window_products.py`)."""

from xception_np import arrays
from xception_np.ops import window_products
from xception_np.ops.conv import Cache, output_shape


def forward(x, weight, geometry):
    y = arrays.empty(output_shape(x.shape, weight.shape, geometry), x.dtype)
    window_products.convolve(x, weight, geometry.windows(*x.shape[1:3]), 1, y)
    return y, Cache(x, weight, geometry)


def backward(dy, cache):
    x, weight, geometry = cache
    # y = windows @ weight, so what a window gets is dy @ weight.T, and dweight = windows.T @ dy
    dx = arrays.empty_like(x)
    window_products.input_gradient(dy, weight, geometry.windows(*x.shape[1:3]), 1, dx)
    return dx, weight_gradient(dy, cache)


def weight_gradient(dy, cache):
    return window_products.weight_gradient(cache.x, dy, cache.geometry.windows(*cache.x.shape[1:3]), 1)
