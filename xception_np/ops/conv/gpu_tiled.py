"""Regular convolution on a GPU, tiled: a block of threads 96 x 128 numbers of y, of dx and of dweight."""

from pathlib import Path

from xception_np import arrays, kernels
from xception_np.ops.conv import Cache, gpu, output_shape

FILE = Path(__file__).with_name("gpu_tiled.cu")
BLOCK = (32, 8)
HEIGHT, WIDTH = 96, 128  # of a block's tile
NARROW = 8  # channels: of a tile of dx for fewer, as those of a picture, most would be computed for nothing


def forward(x, weight, geometry):
    y = arrays.empty(output_shape(x.shape, weight.shape, geometry), x.dtype, like=x)
    positions, filters = y.size // y.shape[3], y.shape[3]
    args = (x, weight, y, positions, *gpu.sizes(x, weight, geometry))
    kernels.launch(FILE, "forward", x.dtype, _tiles(positions, filters), BLOCK, args)
    return y, Cache(x, weight, geometry)


def backward(dy, cache):
    dx = gpu.backward_x(dy, cache) if cache.x.shape[3] < NARROW else _backward_x(dy, cache)
    return dx, weight_gradient(dy, cache)


def _backward_x(dy, cache):
    x, weight, geometry = cache
    dx = arrays.empty_like(x)
    pixels, channels = x.size // x.shape[3], x.shape[3]
    args = (dy, weight, dx, pixels, *gpu.sizes(x, weight, geometry))
    kernels.launch(FILE, "backward_x", x.dtype, _tiles(pixels, channels), BLOCK, args)
    return dx


def weight_gradient(dy, cache):
    x, weight, geometry = cache
    dweight, sizes = arrays.empty_like(weight), gpu.sizes(x, weight, geometry)
    positions, filters = dy.size // dy.shape[3], dy.shape[3]
    chunk, chunks = kernels.large_chunks(positions)
    sums = arrays.empty((chunks, *weight.shape), x.dtype, like=x)
    grid = (*_tiles(weight.size // filters, filters), chunks)
    kernels.launch(FILE, "backward_weight", x.dtype, grid, BLOCK, (dy, x, sums, positions, *sizes, chunk))
    kernels.launch(FILE, "add_chunks", x.dtype, *kernels.over(dweight.size), (sums, dweight, dweight.size, chunks))
    return dweight


def _tiles(rows, columns):
    """The grid of a matrix's tiles."""
    return (-(-rows // HEIGHT) * -(-columns // WIDTH),)
