"""For every exercise of the notebook, answers that look right and are not; at least three each."""

import numpy as np


def flipped(dy, weight):
    return _dx(dy, weight[::-1, ::-1])


def forgotten(dy, weight):
    (n, oh, ow, c), (kh, kw, _) = dy.shape, weight.shape
    dx = np.zeros((n, oh + kh - 1, ow + kw - 1, c))
    for i in range(kh):
        for j in range(kw):
            dx[:, i : i + oh, j : j + ow] = dy * weight[i, j]
    return dx


def same_size(dy, weight):
    return _dx(dy, weight)[:, : dy.shape[1], : dy.shape[2]]


def _dx(dy, weight):
    (n, oh, ow, c), (kh, kw, _) = dy.shape, weight.shape
    dx = np.zeros((n, oh + kh - 1, ow + kw - 1, c))
    for i in range(kh):
        for j in range(kw):
            dx[:, i : i + oh, j : j + ow] += dy * weight[i, j]
    return dx


WRONG = {
    "place_of_thread": [
        lambda k, channels, width, height: (
            k // channels // width // height,
            k // channels % height,
            k // channels % width,
            k % channels,
        ),
        lambda k, channels, width, height: (
            k // channels // height // width,
            k // channels // height % width,
            k // channels % height,
            k % channels,
        ),
        lambda k, channels, width, height: (
            k // width // height // channels,
            k // width % height,
            k % width,
            k // width // height % channels,
        ),
    ],
    "depthwise_input_gradient": [flipped, forgotten, same_size],
}
