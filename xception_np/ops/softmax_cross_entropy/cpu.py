"""Softmax cross-entropy on the CPU: a row at a time."""

import math

import numpy as np

from xception_np import arrays, threads, tiling
from xception_np.ops.compile import compiled
from xception_np.ops.softmax_cross_entropy import Cache


def forward(logits, labels, label_smoothing):
    probabilities, losses = arrays.empty_like(logits), arrays.empty((len(labels),), logits.dtype)
    shares = _shares(logits, labels)

    def rows_forward(span):
        _forward(logits[span], shares[span], label_smoothing, probabilities[span], losses[span])

    threads.for_tiles(rows_forward, tiling.spans(*logits.shape))
    return float(losses.mean()), Cache(probabilities, labels, label_smoothing)


def backward(dloss, cache):
    probabilities, labels, label_smoothing = cache
    dlogits, shares = arrays.empty_like(probabilities), _shares(probabilities, labels)

    def rows_backward(span):
        _backward(probabilities[span], shares[span], label_smoothing, dloss / len(labels), dlogits[span])

    threads.for_tiles(rows_backward, tiling.spans(*probabilities.shape))
    return dlogits


def _shares(like, labels):
    """What each class has of each image: all of it for its label."""
    if labels.ndim == 1:
        shares = arrays.empty_like(like)
        shares.fill(0)
        shares[np.arange(len(labels)), labels] = 1
        return shares
    return labels


@compiled
def _forward(logits, shares, smoothing, probabilities, losses):
    for n in range(logits.shape[0]):
        row, p = logits[n], probabilities[n]
        largest = row[0]
        for k in range(row.size):
            if row[k] > largest or row[k] != row[k]:
                largest = row[k]
        total = largest * 0
        for k in range(row.size):
            p[k] = math.exp(row[k] - largest)  # the same probabilities, and no overflow
            total += p[k]
        log_total = math.log(total)
        losses[n] = 0
        for k in range(row.size):
            p[k] /= total
            target = (1 - smoothing) * shares[n, k] + smoothing / row.size
            losses[n] += target * (log_total - (row[k] - largest))


# loss = mean of (log sum exp - target . logits), so dlogits = (p - target) / N
@compiled
def _backward(probabilities, shares, smoothing, scale, dlogits):
    for n in range(probabilities.shape[0]):
        p, out = probabilities[n], dlogits[n]
        for k in range(out.size):
            target = (1 - smoothing) * shares[n, k] + smoothing / out.size
            out[k] = (p[k] - target) * scale
