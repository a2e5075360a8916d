"""Batch normalisation on a GPU, tiled: x is read twice forward, for its moments and to be normalised; x and dy twice backward."""

from pathlib import Path

from xception_np import arrays, kernels
from xception_np.ops.batch_norm import Cache

FILE = Path(__file__).with_name("gpu_tiled.cu")
BLOCK = (32, 8)
ROWS = 64  # of a block that does the same for every position


def forward(x, gamma, beta, epsilon, activation):
    positions, channels = x.size // x.shape[-1], x.shape[-1]
    chunk, chunks = kernels.chunks(positions)
    means, squares = (arrays.empty((chunks, channels), x.dtype, like=x) for _ in range(2))
    mean, variance = (arrays.empty((channels,), x.dtype, like=x) for _ in range(2))
    sizes = positions, channels, chunk
    kernels.launch(FILE, "moments_of_chunks", x.dtype, (_groups(channels), chunks), BLOCK, (x, means, squares, *sizes))
    kernels.launch(FILE, "moments", x.dtype, (_groups(channels),), BLOCK, (means, squares, mean, variance, *sizes))
    y = normalise(x, gamma, beta, mean, variance, epsilon, activation)
    return y, Cache(x, gamma, beta, mean, variance, epsilon, activation)


def backward(dy, cache):
    x, gamma, beta, mean, variance, epsilon, activation = cache
    positions, channels = x.size // x.shape[-1], x.shape[-1]
    known, settings = (gamma, beta, mean, variance), (positions, channels, epsilon, int(activation == "relu"))
    # y = activation(gamma * xhat + beta), so dgamma = sum of dy * xhat, dbeta = sum of dy
    chunk, chunks = kernels.chunks(positions)
    sums = arrays.empty((chunks, 2, channels), x.dtype, like=x)
    total = arrays.empty((2, channels), x.dtype, like=x)
    dgamma, dbeta = total[0], total[1]
    kernels.launch(FILE, "sums_of_chunks", x.dtype, (_groups(channels), chunks), BLOCK, (dy, x, *known, sums, *settings, chunk))
    kernels.launch(FILE, "add_chunks", x.dtype, (_groups(total.size),), BLOCK, (sums, total, chunks, total.size))
    # xhat = (x - mean) / std, and both mean and std depend on every x of the channel
    dx = arrays.empty_like(x)
    kernels.launch(FILE, "backward_x", x.dtype, _tiles(positions, channels), BLOCK, (dy, x, *known, dgamma, dbeta, dx, *settings))
    return dx, dgamma, dbeta


def normalise(x, gamma, beta, mean, variance, epsilon, activation):
    """activation(gamma * xhat + beta) with statistics that are known."""
    y, positions, channels = arrays.empty_like(x), x.size // x.shape[-1], x.shape[-1]
    args = (x, gamma, beta, mean, variance, y, positions, channels, epsilon, int(activation == "relu"))
    kernels.launch(FILE, "forward", x.dtype, _tiles(positions, channels), BLOCK, args)
    return y


def _tiles(positions, channels):
    return (-(-positions // ROWS) * _groups(channels),)


def _groups(channels):
    return -(-channels // BLOCK[0])
