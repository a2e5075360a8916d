"""What follows a convolution and is done while its result is in the cache: y = z + addend + bias, cut off at 0."""

from typing import NamedTuple

import numpy as np

from xception_np import arrays
from xception_np.ops.compile import compiled_apart


class Exit(NamedTuple):
    """What follows a convolution, done tile by tile: y = z + addend + bias, cut off at 0 if relu.

    bias : (F,) array, or of no size: then y = z, and the others count for nothing
    relu : bool
    addend : flat array of all numbers of an array like y, or of no size for none
    """

    bias: np.ndarray
    relu: bool
    addend: np.ndarray


def nothing(dtype):
    """The exit of z as it is."""
    return Exit(arrays.read_only(np.empty(0, dtype)), False, np.empty(0, dtype))


def of(bias, activation, addend):
    """The exit with a bias, what is cut off, and an addend like y or None."""
    others = np.empty(0, bias.dtype) if addend is None else addend.reshape(-1)
    return Exit(arrays.read_only(bias), activation == "relu", others)


@compiled_apart
def leave(y, start, count, exit):
    """`count` rows of bias.size numbers, one behind the other from y[start] on, as they leave; y is flat"""
    bias, relu, addend = exit
    if bias.size:
        for place in range(start, start + count * bias.size, bias.size):
            row = y[place : place + bias.size]
            if addend.size:
                other = addend[place : place + bias.size]
                for f in range(bias.size):
                    row[f] += other[f]
            for f in range(bias.size):
                z = row[f] + bias[f]
                row[f] = 0 if relu and z <= 0 else z
