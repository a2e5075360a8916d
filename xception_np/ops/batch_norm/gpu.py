"""Batch normalisation on a GPU: means over positions in two steps, then one thread a number."""

from pathlib import Path

from xception_np import arrays, kernels
from xception_np.ops.batch_norm import Cache

FILE = Path(__file__).with_name("gpu.cu")


def forward(x, gamma, beta, epsilon, activation):
    positions = x.size // x.shape[-1]
    mean = _over_positions("sum_chunks", (x,), (), positions)
    variance = _over_positions("square_chunks", (x, mean), (), positions)
    y = normalise(x, gamma, beta, mean, variance, epsilon, activation)
    return y, Cache(x, gamma, beta, mean, variance, epsilon, activation)


def backward(dy, cache):
    x, gamma, _, mean, variance, epsilon, _ = cache
    dy, dgamma, dbeta = backward_scale(dy, cache)
    dx, channels = arrays.empty_like(x), x.shape[-1]
    args = (dy, x, gamma, mean, variance, dgamma, dbeta, dx, dx.size, x.size // channels, channels, epsilon)
    kernels.launch(FILE, "backward_x", x.dtype, *kernels.over(dx.size), args)
    return dx, dgamma, dbeta


def normalise(x, gamma, beta, mean, variance, epsilon, activation):
    """activation(gamma * xhat + beta) with statistics that are known."""
    y = arrays.empty_like(x)
    args = (x, gamma, beta, mean, variance, y, y.size, x.shape[-1], epsilon, int(activation == "relu"))
    kernels.launch(FILE, "forward", x.dtype, *kernels.over(y.size), args)
    return y


def backward_scale(dy, cache):
    """(dy where the activation let pass, dgamma, dbeta)."""
    x, gamma, beta, mean, variance, epsilon, activation = cache
    if activation == "relu":
        dsum = arrays.empty_like(dy)
        args = (dy, x, gamma, beta, mean, variance, dsum, dy.size, x.shape[-1], epsilon)
        kernels.launch(FILE, "backward_activation", x.dtype, *kernels.over(dy.size), args)
        dy = dsum
    return dy, _over_positions("dgamma_chunks", (dy, x, mean, variance), (epsilon,), 1), _over_positions("sum_chunks", (dy,), (), 1)


def _over_positions(kernel, inputs, settings, divisor):
    """A sum over positions, divided: chunk by chunk, then of the chunks."""
    first, channels = inputs[0], inputs[0].shape[-1]
    positions = first.size // channels
    chunk, chunks = kernels.chunks(positions)
    sums = arrays.empty((chunks, channels), first.dtype, like=first)
    total = arrays.empty((channels,), first.dtype, like=first)
    args = (*inputs, sums, positions, channels, *settings, chunk)
    kernels.launch(FILE, kernel, first.dtype, *kernels.over(sums.size), args)
    kernels.launch(FILE, "add_chunks", first.dtype, *kernels.over(channels), (sums, total, chunks, channels, divisor))
    return total
