"""Sigmoid cross-entropy on the CPU. exp is only taken of numbers <= 0, so it cannot overflow."""

import math

from xception_np import arrays, threads
from xception_np.ops.compile import compiled
from xception_np.ops.sigmoid_cross_entropy import Cache


def forward(logits, targets):
    probabilities, losses = arrays.empty_like(logits), arrays.empty_like(logits)
    threads.for_spans(_forward, logits, targets, probabilities, losses)
    return float(losses.mean()), Cache(probabilities, targets)


def backward(dloss, cache):
    dlogits, scale = arrays.empty_like(cache.targets), dloss / cache.targets.size
    threads.for_spans(lambda p, t, out: _backward(p, t, scale, out), cache.probabilities, cache.targets, dlogits)
    return dlogits


@compiled
def _forward(logits, targets, probabilities, losses):
    for k in range(logits.size):
        small = math.exp(-abs(logits[k]))
        probabilities[k] = (small if logits[k] < 0 else 1) / (1 + small)
        losses[k] = (0 if logits[k] < 0 else logits[k]) - logits[k] * targets[k] + math.log1p(small)


# loss = mean of (log(1 + exp(logits)) - target * logits), so dlogits = (p - target) / (N * K)
@compiled
def _backward(probabilities, targets, scale, dlogits):
    for k in range(targets.size):
        dlogits[k] = (probabilities[k] - targets[k]) * scale
