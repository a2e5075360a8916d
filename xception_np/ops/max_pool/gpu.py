"""Max pooling on a GPU: one thread a window and channel, and one a number of dx."""

from pathlib import Path

from xception_np import arrays, kernels
from xception_np.ops.max_pool import Cache, output_shape, winners_dtype

FILE = Path(__file__).with_name("gpu.cu")


def forward(x, geometry):
    y = arrays.empty(output_shape(x.shape, geometry), x.dtype, like=x)
    winners = arrays.empty(y.shape, winners_dtype(geometry), like=x)
    args = (x, y, winners, y.size, *_sizes(x.shape, geometry))
    kernels.launch(FILE, "forward", x.dtype, *kernels.over(y.size), args, types={"WINNER": winners.dtype})
    return y, Cache(winners, x.shape, geometry, x.dtype)


def backward(dy, cache):
    winners, x_shape, geometry, dtype = cache
    dx = arrays.empty(x_shape, dtype, like=dy)
    args = (dy, winners, dx, dx.size, *_sizes(x_shape, geometry))
    kernels.launch(FILE, "backward", dtype, *kernels.over(dx.size), args, types={"WINNER": winners.dtype})
    return dx


def _sizes(x_shape, geometry):
    """H, W, C, OH, OW and the numbers of the windows."""
    _, height, width, channels = x_shape
    return height, width, channels, *geometry.output_size(height, width), *geometry.windows(height, width).numbers
