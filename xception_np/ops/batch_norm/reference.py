"""Batch normalisation in NumPy, as the formulas read."""

import numpy as np

from xception_np.ops.batch_norm import Cache
from xception_np.ops.relu import Cache as ReluCache
from xception_np.ops.relu import reference as relu


def forward(x, gamma, beta, epsilon, activation):
    positions = tuple(range(x.ndim - 1))
    mean = x.mean(axis=positions, dtype=np.float64).astype(x.dtype)  # so that a sum of P numbers loses no digits
    variance = ((x - mean) ** 2).mean(axis=positions, dtype=np.float64).astype(x.dtype)
    xhat = (x - mean) / np.sqrt(variance + x.dtype.type(epsilon))
    y = gamma * xhat + beta
    if activation == "relu":
        y, _ = relu.forward(y)
    return y, Cache(x, gamma, beta, mean, variance, epsilon, activation)


def backward(dy, cache):
    x, gamma, beta, mean, variance, epsilon, activation = cache
    positions = tuple(range(x.ndim - 1))
    std = np.sqrt(variance + x.dtype.type(epsilon))
    xhat = (x - mean) / std
    # y = activation(gamma * xhat + beta)
    if activation == "relu":
        dy = relu.backward(dy, ReluCache(gamma * xhat + beta))
    dgamma, dbeta = (dy * xhat).sum(axis=positions), dy.sum(axis=positions)
    # xhat = (x - mean) / std, and both mean and std depend on every x: their terms are averages over the P positions
    count = x.size // x.shape[-1]
    return gamma / std * (dy - dbeta / count - xhat * dgamma / count), dgamma, dbeta
