"""Regular convolution on the CPU: matrix products of what windows see.

Windows are read where they are (`ops/window_products.py`), or squares of neighbouring ones share multiplications
(`ops/winograd.py`).
"""

from xception_np import arrays
from xception_np.ops import convolutions
from xception_np.ops.conv import Cache, output_shape


def forward(x, weight, geometry):
    y, windows = arrays.empty(output_shape(x.shape, weight.shape, geometry), x.dtype), geometry.windows(*x.shape[1:3])
    convolutions.way(weight, windows).convolve(x, weight, windows, 1, y)
    return y, Cache(x, weight, geometry)


def backward(dy, cache):
    x, weight, geometry = cache
    # y = windows @ weight, so what a window gets is dy @ weight.T, and dweight = windows.T @ dy
    dx, windows = arrays.empty_like(x), geometry.windows(*x.shape[1:3])
    convolutions.way(weight, windows).input_gradient(dy, weight, windows, 1, dx)
    return dx, weight_gradient(dy, cache)


def weight_gradient(dy, cache):
    x, weight, geometry = cache
    windows = geometry.windows(*x.shape[1:3])
    return convolutions.way(weight, windows).weight_gradient(x, dy, windows, 1)
