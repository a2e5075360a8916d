"""For every exercise of the notebook, answers that look right and are not; at least three each."""

import numpy as np


def multipliers_first(depthwise, pointwise):
    """Reads the rows of the pointwise kernel as (M, C): right for M = 1 alone."""
    channels, multiplier = depthwise.shape[2:]
    return np.einsum("ijcm,mcf->ijcf", depthwise, pointwise.reshape(multiplier, channels, -1))


def one_for_all_channels(depthwise, pointwise):
    """Sums over the channels before they meet their own filters."""
    channels, multiplier = depthwise.shape[2:]
    return np.einsum("ijcm,dmf->ijcf", depthwise, pointwise.reshape(channels, multiplier, -1))


def first_multiplier_only(depthwise, pointwise):
    return depthwise[..., :1] * pointwise[:: depthwise.shape[3]]


WRONG = {
    "product_kernel": [multipliers_first, one_for_all_channels, first_multiplier_only],
    "largest_multiplier": [
        lambda taps, filters: taps - 1,  # below full rank
        lambda taps, filters: taps * filters // (taps + filters),  # equal is not fewer
        lambda taps, filters: round(taps * filters / (taps + filters)),
    ],
}
