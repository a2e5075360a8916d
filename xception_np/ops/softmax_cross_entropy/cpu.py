"""Softmax cross-entropy on the CPU: a row at a time."""

import math

from xception_np import arrays, threads
from xception_np.ops.compile import compiled
from xception_np.ops.softmax_cross_entropy import Cache


def forward(logits, labels, label_smoothing):
    probabilities, losses = arrays.empty_like(logits), arrays.empty(labels.shape, logits.dtype)

    def rows_forward(span):
        _forward(logits[span], labels[span], label_smoothing, probabilities[span], losses[span])

    threads.for_tiles(rows_forward, threads.spans(*logits.shape))
    return float(losses.mean()), Cache(probabilities, labels, label_smoothing)


def backward(dloss, cache):
    probabilities, labels, label_smoothing = cache
    dlogits = arrays.empty_like(probabilities)

    def rows_backward(span):
        _backward(probabilities[span], labels[span], label_smoothing, dloss / len(labels), dlogits[span])

    threads.for_tiles(rows_backward, threads.spans(*probabilities.shape))
    return dlogits


@compiled
def _forward(logits, labels, smoothing, probabilities, losses):
    for n in range(logits.shape[0]):
        row, p = logits[n], probabilities[n]
        largest = row[0]
        for k in range(row.size):
            if row[k] > largest or row[k] != row[k]:
                largest = row[k]
        total = largest * 0
        mean = largest * 0
        for k in range(row.size):
            p[k] = math.exp(row[k] - largest)  # the same probabilities, and no overflow
            total += p[k]
            mean += (row[k] - largest) / row.size
        for k in range(row.size):
            p[k] /= total
        losses[n] = math.log(total) - (1 - smoothing) * (row[labels[n]] - largest) - smoothing * mean


# loss = mean of (log sum exp - target . logits), so dlogits = (p - target) / N
@compiled
def _backward(probabilities, labels, smoothing, scale, dlogits):
    for n in range(probabilities.shape[0]):
        p, out = probabilities[n], dlogits[n]
        for k in range(out.size):
            target = smoothing / out.size
            if k == labels[n]:
                target += 1 - smoothing
            out[k] = (p[k] - target) * scale
