"""Batch normalisation with given statistics, on a GPU: the kernels of `ops/batch_norm`, and a dx of its own."""

from pathlib import Path

from xception_np import arrays, kernels
from xception_np.ops.batch_norm import gpu as batch_norm
from xception_np.ops.batch_norm_inference import Cache

FILE = Path(__file__).with_name("gpu.cu")


def forward(x, gamma, beta, mean, variance, epsilon, activation):
    y = batch_norm.normalise(x, gamma, beta, mean, variance, epsilon, activation)
    return y, Cache(x, gamma, beta, mean, variance, epsilon, activation)


def backward(dy, cache):
    # y = activation(gamma * (x - mean) / std + beta), with mean and std constant
    dy, dgamma, dbeta = batch_norm.backward_scale(dy, cache)
    dx = arrays.empty_like(dy)
    args = (dy, cache.gamma, cache.variance, dx, dx.size, dx.shape[-1], cache.epsilon)
    kernels.launch(FILE, "backward_x", dx.dtype, *kernels.over(dx.size), args)
    return dx, dgamma, dbeta
