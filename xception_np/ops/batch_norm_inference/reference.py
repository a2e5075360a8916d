"""Batch normalisation with given statistics, in NumPy."""

import numpy as np

from xception_np.ops.batch_norm_inference import Cache
from xception_np.ops.relu import Cache as ReluCache
from xception_np.ops.relu import reference as relu


def forward(x, gamma, beta, mean, variance, epsilon, activation):
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
    # y = activation(gamma * (x - mean) / std + beta), with mean and std constant
    if activation == "relu":
        dy = relu.backward(dy, ReluCache(gamma * xhat + beta))
    return gamma / std * dy, (dy * xhat).sum(axis=positions), dy.sum(axis=positions)
