"""What follows a convolution and is done while its result is in the cache: y = z + bias, cut off at 0."""

from typing import NamedTuple

import numpy as np

from xception_np.ops.compile import compiled_apart


class Exit(NamedTuple):
    """What follows a convolution, done tile by tile: y = z + bias, cut off at 0 if relu.

    bias : (F,) array, or of no size for nothing
    relu : bool
    """

    bias: np.ndarray
    relu: bool


def nothing(dtype):
    """The exit of z as it is."""
    return Exit(np.empty(0, dtype), False)


@compiled_apart
def leave(y, starts, exit):
    """A row of bias.size numbers of y, which is flat, from each of the starts on, as it leaves"""
    bias, relu = exit
    if bias.size:
        for start in starts:
            row = y[start : start + bias.size]
            for f in range(bias.size):
                z = row[f] + bias[f]
                row[f] = 0 if relu and z <= 0 else z
