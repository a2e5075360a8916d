"""Softmax cross-entropy in NumPy."""

import numpy as np

from xception_np.ops.softmax_cross_entropy import Cache


def forward(logits, labels, label_smoothing):
    shifted = logits - logits.max(axis=1, keepdims=True)  # the same probabilities, and no overflow
    log_sum = np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    log_p = shifted - log_sum
    loss = -(_target(log_p, labels, label_smoothing) * log_p).sum(axis=1).mean()
    return float(loss), Cache(np.exp(log_p), labels, label_smoothing)


def backward(dloss, cache):
    probabilities, labels, label_smoothing = cache
    # loss = mean of (log sum exp - target . logits), so dlogits = (p - target) / N
    target = _target(probabilities, labels, label_smoothing)
    return (probabilities - target) * probabilities.dtype.type(dloss / len(labels))


def _target(like, labels, label_smoothing):
    classes = like.shape[1]
    share = (labels[:, None] == np.arange(classes)).astype(like.dtype) if labels.ndim == 1 else labels
    return (1 - label_smoothing) * share + label_smoothing / classes
