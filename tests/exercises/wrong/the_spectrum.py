"""For every exercise of the notebook, answers that look right and are not; at least three each."""

import numpy as np


def parameters_of_a_square(positions, channels, segments):
    """Divides both sides of the block by S, as if there were one segment."""
    parameters = 9 * (channels // segments) ** 2 + channels**2
    return parameters, positions * parameters


def without_the_1x1(positions, channels, segments):
    parameters = 9 * (channels // segments) * channels
    return parameters, positions * parameters


def one_position(positions, channels, segments):
    parameters = 9 * (channels // segments) * channels + channels**2
    return parameters, parameters


def placed(weight, segments, rows, columns):
    kh, kw, channels, filters = weight.shape
    dense = np.zeros((kh, kw, channels * segments, filters))
    for s in range(segments):
        c, f = rows(s, channels, segments), columns(s, filters, segments)
        dense[:, :, c, f] = weight[..., f]
    return dense


def together(s, size, segments):
    return slice(s * size // segments, (s + 1) * size // segments)


def channels_interleaved(weight, segments):
    return placed(weight, segments, lambda s, size, segments: slice(s, None, segments), together)


def filters_interleaved(weight, segments):
    return placed(
        weight,
        segments,
        lambda s, size, segments: slice(s * size, (s + 1) * size),
        lambda s, size, segments: slice(s, None, segments),
    )


def without_zeros(weight, segments):
    return np.tile(weight, (1, 1, segments, 1))


WRONG = {
    "segment_cost": [parameters_of_a_square, without_the_1x1, one_position],
    "block_diagonal": [channels_interleaved, filters_interleaved, without_zeros],
}
