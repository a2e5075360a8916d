"""Random arguments for the checks: the same numbers everywhere, from the package's own Philox streams."""

import zlib

import numpy as np

from xception_np import random
from xception_np.random import Purpose, Stream


class Draw:
    """Arrays of random numbers, each from a stream of its own; the name says which streams.

    The numbers are drawn in float64 and rounded to the dtype, so that float32 and float64 checks see the same values.
    """

    def __init__(self, name: str, dtype=np.float64):
        self._name = zlib.crc32(name.encode())
        self._dtype = dtype
        self._drawn = 0

    def stream(self) -> Stream:
        """A stream that nothing else uses."""
        self._drawn += 1
        return Stream(0, Purpose.CHECK, self._name, self._drawn)

    def normal(self, *shape: int) -> np.ndarray:
        """Standard normal numbers."""
        return random.normal(self.stream(), shape).astype(self._dtype)

    def uniform(self, *shape: int) -> np.ndarray:
        """Numbers between 0 and 1."""
        return random.uniform(self.stream(), shape).astype(self._dtype)

    def off_zero(self, *shape: int) -> np.ndarray:
        """Normal numbers moved away from 0 by a tenth, for functions with a kink there."""
        numbers = random.normal(self.stream(), shape)
        return (numbers + np.copysign(0.1, numbers)).astype(self._dtype)

    def distinct(self, *shape: int) -> np.ndarray:
        """Positive and negative numbers that are at least a tenth apart, for functions that compare them."""
        count = int(np.prod(shape))
        return ((random.permutation(self.stream(), count) - count // 2) / 10).reshape(shape).astype(self._dtype)

    def shares(self, count: int, classes: int) -> np.ndarray:
        """Rows of positive numbers that sum to 1."""
        numbers = random.uniform(self.stream(), (count, classes))
        return (numbers / numbers.sum(axis=1, keepdims=True)).astype(self._dtype)

    def labels(self, count: int, classes: int) -> np.ndarray:
        """Class numbers, int64."""
        return (random.words(self.stream(), count) % classes).astype(np.int64)
