"""Sigmoid cross-entropy in NumPy. exp is only taken of numbers <= 0, so it cannot overflow."""

import numpy as np

from xception_np.ops.sigmoid_cross_entropy import Cache


def forward(logits, targets):
    small = np.exp(-np.abs(logits))
    probabilities = np.where(logits < 0, small, 1) / (1 + small)
    losses = np.maximum(logits, 0) - logits * targets + np.log1p(small)
    return float(losses.mean()), Cache(probabilities.astype(logits.dtype), targets)


def backward(dloss, cache):
    probabilities, targets = cache
    # loss = mean of (log(1 + exp(logits)) - target * logits), so dlogits = (p - target) / (N * K)
    return (probabilities - targets) * probabilities.dtype.type(dloss / targets.size)
