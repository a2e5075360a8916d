"""Batch normalisation with given statistics on the CPU: the loops of training, without the statistics."""

import numpy as np

from xception_np.ops.batch_norm import cpu as batch_norm
from xception_np.ops.batch_norm_inference import Cache


def forward(x, gamma, beta, mean, variance, epsilon):
    scale = gamma / np.sqrt(variance + x.dtype.type(epsilon))
    return batch_norm.normalise(x, mean, scale, beta), Cache(x, gamma, mean, variance, epsilon)


def backward(dy, cache):
    x, gamma, mean, variance, epsilon = cache
    inverse = 1 / np.sqrt(variance + x.dtype.type(epsilon))
    # y = (x - mean) * scale + beta, so dx = dy * scale
    zero = np.zeros_like(mean)
    dx = batch_norm.normalise(dy, zero, gamma * inverse, zero)
    return dx, *batch_norm.channel_sums(dy, x, mean, inverse)
