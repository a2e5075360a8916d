"""Exercises of the notebook about time: the roofline."""

import numpy as np

from xception_np.exercises import Exercise


def intensities(positions, channels, filters):
    """MACs a byte of the two halves of a 3x3 separable convolution, in float32: two numbers."""
    depthwise = 9 * positions * channels / (4 * (2 * positions * channels + 9 * channels))
    pointwise = positions * channels * filters / (4 * (positions * channels + positions * filters + channels * filters))
    return depthwise, pointwise


def roof(intensity, peak, bandwidth):
    """The most MACs a second: intensity in MACs a byte, a number or an array; peak in MACs, bandwidth in bytes a second."""
    return np.minimum(peak, bandwidth * intensity)


EXERCISES = (
    Exercise(
        intensities,
        lambda: [(1, 1, 1), (361, 728, 728), (21609, 64, 128)],
        ("depthwise", "pointwise"),
        lines=3,
    ),
    Exercise(
        roof,
        lambda: [(2.0, 70e9, 16e9), (np.array([0.5, 1.0, 8.0, 64.0]), 70e9, 16e9), (np.geomspace(0.1, 100, 7), 2e12, 3e11)],
        ("MACs a second",),
        lines=1,
    ),
)
