"""Updates: numbers that can be followed on paper, and the three implementations against each other."""

import math

import numpy as np
import pytest

from xception_np import arrays, emulator, implementations, updates
from xception_np.check import compare
from xception_np.emulator import MissingCompiler, toolchain
from xception_np.errors import InputError

# function, how many vectors it writes to, how many it reads, its numbers
UPDATES = {
    "sgd": (updates.sgd.step, 2, 2, (0.1, 0.9, False)),
    "sgd with Nesterov's momentum": (updates.sgd.step, 2, 2, (0.1, 0.9, True)),
    "rmsprop": (updates.rmsprop.step, 3, 2, (0.1, 0.9, 0.8, 1e-3)),
    "average": (updates.average.follow, 1, 1, (0.7,)),
    "fill": (updates.vector.fill, 1, 0, (0.3,)),
    "add": (updates.vector.add, 1, 1, ()),
    "scale": (updates.vector.scale, 1, 0, (1.7,)),
}
SIZES = [1, 31, 257, 5003]
BUDGET = {np.float32: 1e-6, np.float64: 1e-14}  # a few roundings of each number

every_update = pytest.mark.parametrize("update", UPDATES)
both_dtypes = pytest.mark.parametrize("dtype", BUDGET, ids=["float32", "float64"])


@pytest.fixture
def needs_compiler():
    try:
        toolchain.compiler()
    except MissingCompiler as error:
        pytest.skip(str(error))


def vectors(count, size, dtype):
    """Random vectors; a mean square is none if it is below 0, so none is."""
    return [np.abs(vector) for vector in np.random.default_rng(size).standard_normal((count, size)).astype(dtype)]


def updated(update, size, dtype, implementation, place=arrays.NUMPY):
    function, written, read, numbers = UPDATES[update]
    given = vectors(written + read, size, dtype)
    there = arrays.moved(given, place)
    function(*there, *numbers, implementation=implementation)
    for before, after in zip(given[written:], there[written:], strict=True):
        np.testing.assert_array_equal(before, arrays.to_host(after))
    return [arrays.to_host(vector) for vector in there[:written]]


@every_update
@both_dtypes
@pytest.mark.parametrize("size", SIZES)
def test_cpu_like_reference(update, size, dtype):
    pairs = zip(updated(update, size, dtype, "cpu"), updated(update, size, dtype, "reference"), strict=True)
    for actual, expected in pairs:
        assert actual.dtype == dtype
        compare(actual, expected, BUDGET[dtype], update).require()


@pytest.mark.usefixtures("needs_compiler")
@every_update
@both_dtypes
@pytest.mark.parametrize("size", SIZES[:-1])
@pytest.mark.parametrize("order", emulator.ORDERS)
def test_cuda_like_reference(update, size, dtype, order):
    with emulator.checking(order=order, seed=1) as reports:
        found = updated(update, size, dtype, None, "emulated")
    assert reports and not [str(finding) for report in reports for finding in report.findings]
    for actual, expected in zip(found, updated(update, size, dtype, "reference"), strict=True):
        assert actual.dtype == dtype
        compare(actual, expected, BUDGET[dtype], update).require()


@both_dtypes
@pytest.mark.parametrize("implementation", ["reference", "cpu", "emulated"])
def test_sum_of_squares(implementation, dtype, request):
    if implementation == "emulated":
        request.getfixturevalue("needs_compiler")
    for size in SIZES:
        (x,) = arrays.moved(vectors(1, size, dtype), implementations.place(implementation))
        found = updates.vector.sum_of_squares(x, implementation=implementation)
        assert found == pytest.approx(math.fsum(float(value) ** 2 for value in arrays.to_host(x)), rel=10 * BUDGET[dtype])


def test_an_average_by_hand():
    average = np.array([1.0, 2.0])
    updates.average.follow(average, np.array([3.0, -2.0]), 0.75)
    np.testing.assert_allclose(average, [1.5, 1.0])


@every_update
def test_nan_and_infinity_stay_what_they_are(update):
    function, written, read, numbers = UPDATES[update]
    if update == "fill":
        return
    for value in (np.nan, np.inf):
        given = [np.full(3, value, np.float32) for _ in range(written + read)]
        with np.errstate(all="ignore"):
            function(*given, *numbers)
        assert not np.isfinite(given[0]).any()


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.zeros(3), r"x is float64 of shape \(3,\); expected float64 of shape \(2,\), as y is"),
        (np.zeros(2, np.float32), r"x is float32 of shape \(2,\); expected float64"),
        ([0.0, 0.0], "x is a list"),
        (np.zeros(4)[::2], "x is not C-contiguous"),
    ],
)
def test_vectors_that_do_not_fit(x, message):
    y = np.zeros(2)
    with pytest.raises(InputError, match=message):
        updates.vector.add(y, x)
    np.testing.assert_array_equal(y, 0)
