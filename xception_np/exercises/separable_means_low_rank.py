"""Exercises of the notebook about what separable kernels can be."""

import numpy as np

from xception_np.exercises import Exercise


def product_kernel(depthwise, pointwise):
    """The kernel of a separable convolution: depthwise (kh, kw, C, M), pointwise (C*M, F) -> kernel (kh, kw, C, F)."""
    channels, multiplier = depthwise.shape[2:]
    return np.einsum("ijcm,cmf->ijcf", depthwise, pointwise.reshape(channels, multiplier, -1))


def _factors():
    random = np.random.default_rng(0)
    sizes = [(1, 2, 2, 1, 3), (3, 3, 4, 1, 4), (3, 2, 3, 2, 5), (2, 2, 3, 3, 2)]
    return [(random.standard_normal((kh, kw, c, m)), random.standard_normal((c * m, f))) for kh, kw, c, m, f in sizes]


def largest_multiplier(taps, filters):
    """The largest M for which M·(taps·C + C·F) parameters are fewer than the taps·C·F of a regular convolution."""
    return (taps * filters - 1) // (taps + filters)


def _sizes():
    return [(9, 728), (9, 32), (9, 18), (9, 72), (25, 64), (9, 4)]


EXERCISES = (
    Exercise(product_kernel, _factors, ("kernel",), lines=2),
    Exercise(largest_multiplier, _sizes, ("multiplier",), lines=1),
)
