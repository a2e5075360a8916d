"""For every exercise of the notebook, answers that look right and are not; at least three each."""

import numpy as np


def _intensities(itemsize=4, weights=True, written=True, operations=1):
    def attempt(positions, channels, filters):
        moved = positions * channels * (1 + written) + 9 * channels * weights
        mixed = positions * channels + positions * filters * written + channels * filters * weights
        counted = operations * positions * channels
        return 9 * counted / (itemsize * moved), counted * filters / (itemsize * mixed)

    return attempt


WRONG = {
    "intensities": [
        _intensities(itemsize=1),  # per number
        _intensities(weights=False),
        _intensities(written=False),
        _intensities(operations=2),  # a multiply-add is one
        lambda positions, channels, filters: _intensities()(positions, channels, filters)[::-1],
    ],
    "roof": [
        lambda intensity, peak, bandwidth: np.maximum(peak, bandwidth * intensity),
        lambda intensity, peak, bandwidth: bandwidth * intensity,
        lambda intensity, peak, bandwidth: 1 / (1 / peak + 1 / (bandwidth * intensity)),  # taking turns
        lambda intensity, peak, bandwidth: np.where(intensity < 1, bandwidth * intensity, peak),
        lambda intensity, peak, bandwidth: np.minimum(peak, bandwidth / intensity),
    ],
}
