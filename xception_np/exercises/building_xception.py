"""Exercises of the notebook about the whole network."""

import numpy as np

from xception_np.exercises import Exercise


def module_parameters(channels, filters, shortcut):
    """Parameters of separable convolutions one after the other; with `shortcut`, of a 1x1 one, too."""
    total = (channels + 2) * filters[-1] if shortcut else 0
    for width in filters:
        total += 9 * channels + channels * width + 2 * width
        channels = width
    return total


def residual_backward(dy, main_backward, shortcut_backward):
    """dx for y = main(x) + shortcut(x), from functions that give the dx of each path for a dy."""
    return main_backward(dy) + shortcut_backward(dy)


def class_activation(a, da):
    """Grad-CAM of one picture: what a layer made of it, a, and da = dlogit/da, both (H, W, C) -> (H, W)."""
    weight = da.mean(axis=(0, 1))
    return np.maximum((weight * a).sum(axis=2), 0)


def _modules():
    return [(3, (5,), False), (64, (128, 128), True), (728, (728, 1024), True), (728, (728, 728, 728), False)]


def _paths():
    random = np.random.default_rng(0)
    for size in (2, 5):
        matrix, other = random.standard_normal((2, size, size))
        dy = random.standard_normal((3, size))
        yield dy, _product(matrix), lambda dy: dy  # an identity gives back the same memory
        yield dy, _product(matrix), _product(other)


def _product(matrix):
    return lambda dy: dy @ matrix


def _activations():
    random = np.random.default_rng(0)
    return [tuple(random.standard_normal((2, *shape))) for shape in [(2, 2, 3), (4, 6, 5), (10, 10, 32)]]


EXERCISES = (
    Exercise(module_parameters, _modules, ("parameters",), lines=5),
    Exercise(residual_backward, _paths, ("dx",), lines=1),
    Exercise(class_activation, _activations, ("map",), lines=2),
)
