"""Pointwise convolution on a GPU, tiled: a block of threads 96 x 128 numbers of y, of dx and of dweight."""

from pathlib import Path

from xception_np import arrays, kernels
from xception_np.ops.pointwise_conv import Cache, output_shape

FILE = Path(__file__).with_name("gpu_tiled.cu")
BLOCK = (32, 8)
HEIGHT, WIDTH = 96, 128  # of a block's tile


def forward(x, weight):
    y = arrays.empty(output_shape(x.shape, weight.shape), x.dtype, like=x)
    positions, (channels, filters) = x.size // x.shape[3], weight.shape
    kernels.launch(FILE, "forward", x.dtype, _tiles(positions, filters), BLOCK, (x, weight, y, positions, channels, filters))
    return y, Cache(x, weight)


def backward(dy, cache):
    x, weight = cache
    dx = arrays.empty_like(x)
    positions, (channels, filters) = x.size // x.shape[3], weight.shape
    # y = x @ w, so dx = dy @ w.T and dw = x.T @ dy
    kernels.launch(FILE, "backward_x", x.dtype, _tiles(positions, channels), BLOCK, (dy, weight, dx, positions, channels, filters))
    return dx, product_over_positions(x, dy)


def product_over_positions(x, dy):
    """x.T @ dy, (C, F), summed over all positions: in chunks of them, then over the chunks."""
    channels, filters = x.shape[-1], dy.shape[-1]
    positions = x.size // channels
    dweight = arrays.empty((channels, filters), x.dtype, like=x)
    chunk, chunks = kernels.large_chunks(positions)
    sums = arrays.empty((chunks, channels, filters), x.dtype, like=x)
    grid = (*_tiles(channels, filters), chunks)
    kernels.launch(FILE, "backward_weight", x.dtype, grid, BLOCK, (dy, x, sums, positions, channels, filters, chunk))
    kernels.launch(FILE, "add_chunks", x.dtype, *kernels.over(dweight.size), (sums, dweight, dweight.size, chunks))
    return dweight


def _tiles(rows, columns):
    """The grid of a matrix's tiles."""
    return (-(-rows // HEIGHT) * -(-columns // WIDTH),)
