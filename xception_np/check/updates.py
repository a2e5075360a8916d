"""Updates (`xception_np.updates`) of an implementation against the reference, at sizes of less than a block and of many.

for comparison in check_update("sgd", "emulated"):
    print(comparison)
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from xception_np import arrays, implementations, updates
from xception_np.check.comparison import Comparison, compare


class Update(NamedTuple):
    """How a function is called: with vectors that it writes to, vectors that it reads, and numbers."""

    function: Callable
    written: int
    read: int
    numbers: tuple

    @property
    def module(self) -> str:
        """The name of its folder."""
        return self.function.__module__.rpartition(".")[2]


UPDATES = {
    "sgd": Update(updates.sgd.step, 2, 2, (0.1, 0.9, False)),
    "sgd with Nesterov's momentum": Update(updates.sgd.step, 2, 2, (0.1, 0.9, True)),
    "rmsprop": Update(updates.rmsprop.step, 3, 2, (0.1, 0.9, 0.8, 1e-3)),
    "average": Update(updates.average.follow, 1, 1, (0.7,)),
    "fill": Update(updates.vector.fill, 1, 0, (0.3,)),
    "add": Update(updates.vector.add, 1, 1, ()),
    "scale": Update(updates.vector.scale, 1, 0, (1.7,)),
}
SIZES = (1, 31, 257, 5003)
BUDGET = {np.dtype(np.float32): 1e-6, np.dtype(np.float64): 1e-14}  # a few roundings of each number
# Three rounds make 3.4^3 = 41 of an error where a singular value is next to 0; a step of 0.1 leaves a tenth of that in the value.
MUON_BUDGET = {dtype: 4 * budget for dtype, budget in BUDGET.items()}
MATRICES = ((1, 1), (5, 3), (4, 7), (1, 9), (33, 65), (130, 40))
_MANY_PARTS = 300**2  # numbers whose squares are summed in more parts than a block has threads


def check_update(name: str, implementation: str, dtype=np.float64, sizes=SIZES) -> Iterator[Comparison]:
    """One comparison for every vector that an update writes to, at every size."""
    for size in sizes:
        pairs = zip(updated(name, size, dtype, implementation), updated(name, size, dtype, "reference"), strict=True)
        for k, (actual, expected) in enumerate(pairs):
            yield compare(
                actual, expected, BUDGET[np.dtype(dtype)], f"{name}.{implementation}, vector {k} of {size} like reference"
            )


def check_sum_of_squares(implementation: str, dtype=np.float64) -> Iterator[Comparison]:
    """One comparison for every size; a sum of n squares is wrong by a few more roundings than each number."""
    for size in (*SIZES, _MANY_PARTS):
        (x,) = vectors(1, size, dtype)
        exact = updates.vector.sum_of_squares(x.astype(np.float64), implementation="reference")
        found = updates.vector.sum_of_squares(arrays.moved(x, implementations.place(implementation)), implementation=implementation)
        yield compare(found, exact, 10 * BUDGET[np.dtype(dtype)], f"sum_of_squares.{implementation} of {size}")


def check_muon(implementation: str, dtype=np.float64, nesterov: bool = True) -> Iterator[Comparison]:
    """One comparison for every matrix and velocity that a step of Muon writes to."""
    found, expected = (_turned(name, dtype, nesterov) for name in (implementation, "reference"))
    budget = MUON_BUDGET[np.dtype(dtype)]
    for shape, actual, right in zip([*MATRICES, *MATRICES], found, expected, strict=True):
        yield compare(actual, right, budget, f"muon.{implementation}, matrix of {shape} like reference")


def _turned(implementation: str, dtype, nesterov: bool) -> list[np.ndarray]:
    """What a step makes of random matrices, then of their velocities; AssertionError if it writes to their gradients."""
    rng = np.random.default_rng(7)
    given = [[rng.standard_normal(shape).astype(dtype) for shape in MATRICES] for _ in range(3)]
    values, velocities, gradients = arrays.moved(
        [[matrix.copy() for matrix in matrices] for matrices in given], implementations.place(implementation)
    )
    updates.muon.step(values, velocities, gradients, 0.1, 0.7, nesterov, implementation=implementation)
    for before, after in zip(given[2], gradients, strict=True):
        np.testing.assert_array_equal(before, arrays.to_host(after))
    return [arrays.to_host(matrix) for matrix in (*values, *velocities)]


def vectors(count: int, size: int, dtype) -> list[np.ndarray]:
    """Random vectors; a mean square is none if it is below 0, so none is."""
    return [np.abs(vector) for vector in np.random.default_rng(size).standard_normal((count, size)).astype(dtype)]


def updated(name: str, size: int, dtype, implementation: str) -> list[np.ndarray]:
    """What an update makes of the vectors that it writes to; AssertionError if it writes to the others."""
    function, written, read, numbers = UPDATES[name]
    given = vectors(written + read, size, dtype)
    there = arrays.moved([vector.copy() for vector in given], implementations.place(implementation))
    function(*there, *numbers, implementation=implementation)
    for before, after in zip(given[written:], there[written:], strict=True):
        np.testing.assert_array_equal(before, arrays.to_host(after))
    return [arrays.to_host(vector) for vector in there[:written]]
