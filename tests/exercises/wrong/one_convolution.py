"""For every exercise of the notebook, answers that look right and are not; at least three each."""

import numpy as np


def taps(x, dy, kernel, seen):
    dweight = np.zeros((*kernel, x.shape[3], dy.shape[3]))
    for i, j in np.ndindex(*kernel):
        dweight[i, j] = np.tensordot(seen(i, j), dy, axes=([0, 1, 2], [0, 1, 2]))
    return dweight


def flipped(x, dy, kernel):
    kh, kw = kernel
    _, oh, ow, _ = dy.shape
    return taps(x, dy, kernel, lambda i, j: x[:, kh - 1 - i : kh - 1 - i + oh, kw - 1 - j : kw - 1 - j + ow])


def always_the_first_window(x, dy, kernel):
    return taps(x, dy, kernel, lambda i, j: x[:, : dy.shape[1], : dy.shape[2]])


def mean_over_images(x, dy, kernel):
    return taps(x, dy, kernel, lambda i, j: x[:, i : i + dy.shape[1], j : j + dy.shape[2]] / len(x))


def pad_goes_before(size, kernel, stride):
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return total - total // 2, total // 2


WRONG = {
    "bias_gradient": [
        lambda dy: dy.sum(axis=(1, 2)),
        lambda dy: dy.mean(axis=(0, 1, 2)),
        lambda dy: dy.sum(axis=(1, 2, 3)),
        lambda dy: dy.reshape(-1, dy.shape[-1]).sum(axis=0, dtype="float32"),
    ],
    "weight_gradient": [flipped, always_the_first_window, mean_over_images],
    "same_pads": [
        pad_goes_before,
        lambda size, kernel, stride: ((kernel - 1) // 2, (kernel - 1) // 2),  # PyTorch's usual padding
        lambda size, kernel, stride: ((kernel - 1) // 2, kernel // 2),  # as if the stride were 1
    ],
}
