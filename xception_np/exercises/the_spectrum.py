"""Exercises of the notebook about the spectrum."""

import numpy as np

from xception_np.exercises import Exercise


def segment_cost(positions, channels, segments):
    """(parameters, multiply-adds) of a 3x3 convolution in S segments and a 1x1 after it, C filters each."""
    parameters = 9 * (channels // segments) * channels + channels * channels
    return parameters, positions * parameters


def _modules():
    return [(1, 4, 2), (361, 728, 728), (8 * 19 * 19, 728, 4), (100, 12, 1)]


def block_diagonal(weight, segments):
    """The regular kernel that does what S segments do: weight (kh, kw, C/S, F) -> (kh, kw, C, F)."""
    kh, kw, channels, filters = weight.shape  # of one segment; of all
    dense = np.zeros((kh, kw, channels * segments, filters))
    for s in range(segments):
        f = slice(s * filters // segments, (s + 1) * filters // segments)
        dense[:, :, s * channels : (s + 1) * channels, f] = weight[..., f]
    return dense


def _kernels():
    random = np.random.default_rng(0)
    cases = [((1, 1, 2, 4), 2), ((3, 3, 2, 6), 3), ((3, 2, 1, 8), 4), ((2, 3, 4, 5), 1)]
    return [(random.standard_normal(shape), segments) for shape, segments in cases]


EXERCISES = (
    Exercise(segment_cost, _modules, ("parameters", "multiply-adds"), lines=2),
    Exercise(block_diagonal, _kernels, ("dense",), lines=6),
)
