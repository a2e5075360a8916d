"""Exercises of the notebook about one convolution."""

import numpy as np

from xception_np.exercises import Exercise


def bias_gradient(dy):
    """The gradient of b in y[n, h, w, f] = x[n, h, w, f] + b[f]: dy (N, H, W, F) -> (F,)."""
    return dy.sum(axis=(0, 1, 2))


def _upstream_gradients():
    random = np.random.default_rng(0)
    return [(random.standard_normal(shape),) for shape in [(1, 2, 2, 3), (2, 3, 4, 5), (2, 3, 3, 3)]]


EXERCISES = (Exercise(bias_gradient, _upstream_gradients, ("dbias",), lines=1),)
