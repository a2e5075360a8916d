"""Exercises of the notebook about training along the spectrum."""

import numpy as np
from scipy import stats

from xception_np.exercises import Exercise


def paired_interval(first, second):
    """Mean of first - second, seed by seed, and half the width of its 95% interval by Student's t: two numbers."""
    difference = first - second
    error = difference.std(ddof=1) / np.sqrt(len(difference))
    return difference.mean(), stats.t.ppf(0.975, len(difference) - 1) * error


def _accuracies():
    """Two settings, in percent, whose seeds have much in common: what a comparison of means alone would miss."""
    random = np.random.default_rng(0)
    for seeds in (3, 5):
        common = random.normal(70, 3, seeds)
        yield common + random.normal(0, 0.5, seeds), common - 1 + random.normal(0, 0.5, seeds)


EXERCISES = (Exercise(paired_interval, _accuracies, ("mean", "half width"), lines=3),)
