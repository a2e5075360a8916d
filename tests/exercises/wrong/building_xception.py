"""For every exercise of the notebook, answers that look right and are not; at least three each."""

import numpy as np


def _module(normalisation=2, follows=True, shortcut_norm=2, taps=9):
    def attempt(channels, filters, shortcut):
        total = (channels + shortcut_norm) * filters[-1] if shortcut else 0
        for width in filters:
            total += taps * channels + channels * width + normalisation * width
            channels = width if follows else channels
        return total

    return attempt


def _into_the_shortcuts_memory(dy, main_backward, shortcut_backward):
    dx = shortcut_backward(dy)
    dx += main_backward(dy)
    return dx


WRONG = {
    "module_parameters": [
        _module(normalisation=4),  # with the moving statistics
        _module(normalisation=0, shortcut_norm=0),
        _module(follows=False),
        _module(shortcut_norm=0),
        _module(taps=3),
        lambda channels, filters, shortcut: _module()(channels, filters, True),
    ],
    "residual_backward": [
        lambda dy, main, shortcut: main(dy),
        lambda dy, main, shortcut: main(shortcut(dy)),
        lambda dy, main, shortcut: (main(dy) + shortcut(dy)) / 2,
        lambda dy, main, shortcut: main(dy) + dy,
        _into_the_shortcuts_memory,
    ],
    "class_activation": [
        lambda a, da: (da.mean(axis=(0, 1)) * a).sum(axis=2),
        lambda a, da: np.maximum((da * a).sum(axis=2), 0),
        lambda a, da: np.maximum((da.sum(axis=(0, 1)) * a).sum(axis=2), 0),
        lambda a, da: np.maximum((da.mean(axis=(0, 1)) * a).mean(axis=2), 0),
        lambda a, da: (np.maximum(da.mean(axis=(0, 1)), 0) * a).sum(axis=2),
        lambda a, da: np.maximum(da.mean(axis=(0, 1)) * a, 0).sum(axis=2),
    ],
}
