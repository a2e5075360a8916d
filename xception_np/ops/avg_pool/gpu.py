"""Average pooling on a GPU: one thread a window and channel, and one a number of dx."""

from pathlib import Path

from xception_np import arrays, kernels
from xception_np.ops.avg_pool import Cache, output_shape

FILE = Path(__file__).with_name("gpu.cu")


def forward(x, geometry):
    y = arrays.empty(output_shape(x.shape, geometry), x.dtype, like=x)
    kernels.launch(FILE, "forward", x.dtype, *kernels.over(y.size), (x, y, y.size, *_sizes(x.shape, geometry)))
    return y, Cache(x.shape, geometry, x.dtype)


def backward(dy, cache):
    x_shape, geometry, dtype = cache
    dx = arrays.empty(x_shape, dtype, like=dy)
    kernels.launch(FILE, "backward", dtype, *kernels.over(dx.size), (dy, dx, dx.size, *_sizes(x_shape, geometry)))
    return dx


def _sizes(x_shape, geometry):
    """H, W, C, OH, OW and the numbers of the windows."""
    _, height, width, channels = x_shape
    return height, width, channels, *geometry.output_size(height, width), *geometry.windows(height, width).numbers
