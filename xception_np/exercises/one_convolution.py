"""Exercises of the notebook about one convolution."""

import numpy as np

from xception_np.exercises import Exercise


def bias_gradient(dy):
    """The gradient of b in y[n, h, w, f] = x[n, h, w, f] + b[f]: dy (N, H, W, F) -> (F,)."""
    return dy.sum(axis=(0, 1, 2))


def _upstream_gradients():
    random = np.random.default_rng(0)
    return [(random.standard_normal(shape),) for shape in [(1, 2, 2, 3), (2, 3, 4, 5), (2, 3, 3, 3)]]


def weight_gradient(x, dy, kernel):
    """Without padding, stride 1: x (N, H, W, C), dy (N, OH, OW, F), kernel (kh, kw) -> dweight (kh, kw, C, F)."""
    dweight = np.zeros((*kernel, x.shape[3], dy.shape[3]))
    for i, j in np.ndindex(*kernel):
        seen = x[:, i : i + dy.shape[1], j : j + dy.shape[2]]  # by this tap, at every position
        dweight[i, j] = np.tensordot(seen, dy, axes=([0, 1, 2], [0, 1, 2]))
    return dweight


def _images_and_gradients():
    random = np.random.default_rng(0)
    for (n, oh, ow), (c, f), (kh, kw) in [((1, 2, 2), (1, 1), (2, 2)), ((2, 3, 4), (2, 3), (3, 3)), ((2, 4, 3), (3, 2), (1, 3))]:
        x, dy = random.standard_normal((n, oh + kh - 1, ow + kw - 1, c)), random.standard_normal((n, oh, ow, f))
        yield x, dy, (kh, kw)


def same_pads(size, kernel, stride):
    """How many positions padding "same" adds to an axis: (before, after)."""
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


def _axes():
    return [(147, 3, 2), (74, 3, 2), (5, 3, 1), (6, 1, 2), (10, 5, 3), (7, 2, 1)]


EXERCISES = (
    Exercise(bias_gradient, _upstream_gradients, ("dbias",), lines=1),
    Exercise(weight_gradient, _images_and_gradients, ("dweight",), lines=5),
    Exercise(same_pads, _axes, ("before", "after"), lines=2),
)
