"""Parameters, and the contiguous buffers that hold all of a model's."""

import math
from typing import NamedTuple

import numpy as np

from xception_np import random
from xception_np.ops import spec
from xception_np.updates import vector


class Parameter:
    """One array that is learnt (or, for moving statistics, followed), and its gradient.

    Parameters
    ----------
    name : str
        Layer and array as Keras names them, such as `block2_sepconv1/depthwise_kernel`.
    shape : tuple of int
    fan_in : int
        How many numbers one output sums over: starting values are normal with variance 1 / fan_in, so that an output's
        variance is its inputs'. 0 for what starts at `start`.
    start : float
        Starting value where fan_in is 0.
    groups : int
        Of a kernel's filters; those of different groups see different channels.

    Attributes
    ----------
    value, gradient : arrays
        Views of the model's buffers once `allocate` has been called. Moving statistics have no gradient.
    """

    def __init__(self, name: str, shape: tuple[int, ...], fan_in: int = 0, start: float = 0.0, groups: int = 1):
        for size in shape:
            spec.positive(f"a size of {name}", size)
        self.name, self.shape, self.fan_in, self.start, self.groups = name, shape, fan_in, start, groups
        self.value: np.ndarray = np.empty(0)
        self.gradient: np.ndarray = np.empty(0)

    @property
    def size(self) -> int:
        """Numbers in the array."""
        return math.prod(self.shape)

    def add_gradient(self, dvalue) -> None:
        """gradient = gradient + dvalue, for a parameter that is used more than once has the sum of what comes back."""
        vector.add(self.gradient, dvalue)

    def initialise(self, seed: int, index: int) -> None:
        """Set the starting value; `index` is the parameter's place in the model."""
        if self.fan_in:
            stream = random.Stream(seed, random.Purpose.INITIAL_VALUES, item=index)
            self.value[...] = random.normal(stream, self.shape, self.value.dtype) / math.sqrt(self.fan_in)
        else:
            self.value.fill(self.start)

    def __repr__(self) -> str:
        return f"Parameter({self.name!r}, {self.shape})"


class Buffers(NamedTuple):
    """All of a model in three vectors: one optimizer pass, one sum over processes, one file."""

    values: np.ndarray
    gradients: np.ndarray
    moving: np.ndarray


def allocate(parameters: list[Parameter], moving: list[Parameter], dtype=np.float32, seed: int = 0) -> Buffers:
    """Give parameters (with gradients) and moving statistics their places in contiguous buffers, and starting values."""
    buffers = Buffers(*(np.zeros(sum(p.size for p in group), dtype) for group in (parameters, parameters, moving)))
    bind(buffers, parameters, moving)
    for index, parameter in enumerate(parameters + moving):
        parameter.initialise(seed, index)
    return buffers


def bind(buffers: Buffers, parameters: list[Parameter], moving: list[Parameter]) -> None:
    """Make parameters and moving statistics views of these buffers, wherever they are."""
    for group, buffer, attribute in (
        (parameters, buffers.values, "value"),
        (parameters, buffers.gradients, "gradient"),
        (moving, buffers.moving, "value"),
    ):
        offset = 0
        for parameter in group:
            setattr(parameter, attribute, buffer[offset : offset + parameter.size].reshape(parameter.shape))
            offset += parameter.size
