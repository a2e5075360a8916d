"""Depthwise convolution on a GPU, tiled: a block of threads 32 channels of a tile, whose windows it reads once.

A window so large that none fits into a block's shared memory has no tile: then `gpu.py`'s kernels run.
"""

from pathlib import Path

from xception_np import arrays, kernels
from xception_np.ops.depthwise_conv import Cache, gpu, output_shape

FILE = Path(__file__).with_name("gpu_tiled.cu")
LANES = 32  # channels of a block
COLUMNS = 8  # of a tile
ROWS = (8, 4, 2, 1)  # of a tile: as many as fit


def forward(x, weight, geometry):
    rows = _rows(_forward_patch, geometry, x.itemsize)
    if rows is None:
        return gpu.forward(x, weight, geometry)
    y = arrays.empty(output_shape(x.shape, weight.shape, geometry), x.dtype, like=x)
    shared = _forward_patch(rows, geometry) * LANES * x.itemsize
    grid = (_tiles(y.shape, rows) * _groups(y.shape[3]),)
    kernels.launch(FILE, "forward", x.dtype, grid, (LANES, rows), (x, weight, y, *gpu.sizes(x, weight, geometry)), shared)
    return y, Cache(x, weight, geometry)


def backward(dy, cache):
    x, weight, geometry = cache
    x_rows, weight_rows = (_rows(patch, geometry, x.itemsize) for patch in (_backward_patch, _weight_patches))
    if x_rows is None or weight_rows is None:
        return gpu.backward(dy, cache)
    sizes = gpu.sizes(x, weight, geometry)

    dx = arrays.empty_like(x)
    shared = _backward_patch(x_rows, geometry) * LANES * x.itemsize
    grid = (_tiles(x.shape, x_rows) * _groups(x.shape[3]),)
    kernels.launch(FILE, "backward_x", x.dtype, grid, (LANES, x_rows), (dy, weight, dx, *sizes), shared)

    dweight, tiles = arrays.empty_like(weight), _tiles(dy.shape, weight_rows)
    chunk, chunks = kernels.chunks(tiles)
    sums = arrays.empty((chunks, *weight.shape), x.dtype, like=x)
    shared = _weight_patches(weight_rows, geometry) * LANES * x.itemsize
    args = (dy, x, sums, tiles, *sizes, chunk)
    kernels.launch(FILE, "backward_weight", x.dtype, (_groups(dy.shape[3]), chunks), (LANES, weight_rows), args, shared)
    kernels.launch(FILE, "add_chunks", x.dtype, *kernels.over(dweight.size), (sums, dweight, dweight.size, chunks))
    return dx, dweight


def _rows(patch, geometry, itemsize):
    """Rows of the largest tile whose patch fits into shared memory; None where not even one row does."""
    return next((rows for rows in ROWS if patch(rows, geometry) * LANES * itemsize <= kernels.SHARED_BYTES), None)


def _forward_patch(rows, geometry):
    """Pixels that a tile's windows see, from the first to the last."""
    (sh, sw), (height, width) = geometry.stride, geometry.extent
    return ((rows - 1) * sh + height) * ((COLUMNS - 1) * sw + width)


def _backward_patch(rows, geometry):
    """Windows that may see a tile's pixels."""
    (sh, sw), (height, width) = geometry.stride, geometry.extent
    return ((rows + height + sh - 3) // sh + 1) * ((COLUMNS + width + sw - 3) // sw + 1)


def _weight_patches(rows, geometry):
    """The pixels, and for each row of the tile a total for each tap."""
    kh, kw = geometry.kernel
    return _forward_patch(rows, geometry) + rows * kh * kw


def _tiles(shape, rows):
    images, height, width, _ = shape
    return images * -(-height // rows) * -(-width // COLUMNS)


def _groups(channels):
    return -(-channels // LANES)
