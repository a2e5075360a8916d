"""Exercises of the notebook about one operation, written three times."""

import numpy as np

from xception_np.exercises import Exercise


def place_of_thread(k, channels, width, height):
    """Which number (n, h, w, c) of y (N, height, width, channels) thread k computes: neighbours have neighbouring channels."""
    position = k // channels
    return position // width // height, position // width % height, position % width, k % channels


def depthwise_input_gradient(dy, weight):
    """dx (N, OH + kh - 1, OW + kw - 1, C) of a valid depthwise convolution, stride 1: dy (N, OH, OW, C), weight (kh, kw, C)."""
    (n, oh, ow, c), (kh, kw, _) = dy.shape, weight.shape
    dx = np.zeros((n, oh + kh - 1, ow + kw - 1, c), dy.dtype)
    for i in range(kh):
        for j in range(kw):
            dx[:, i : i + oh, j : j + ow] += dy * weight[i, j]
    return dx


def _threads():
    return [(7, 4, 3, 2), (0, 3, 5, 2), (119, 5, 4, 3), (np.arange(60), 2, 5, 3)]


def _upstream_gradients():
    random = np.random.default_rng(0)
    shapes = [((1, 1, 1, 1), (2, 2, 1)), ((1, 3, 4, 2), (3, 3, 2)), ((2, 4, 2, 3), (1, 3, 3))]
    return [(random.standard_normal(dy), random.standard_normal(weight)) for dy, weight in shapes]


EXERCISES = (
    Exercise(place_of_thread, _threads, ("n", "h", "w", "c"), lines=2),
    Exercise(depthwise_input_gradient, _upstream_gradients, ("dx",), lines=6),
)
