"""Updates: numbers that can be followed on paper, and the three implementations against each other."""

import numpy as np
import pytest

from xception_np import emulator, updates
from xception_np.check import require_all
from xception_np.check.updates import BUDGET, SIZES, UPDATES, check_sum_of_squares, check_update
from xception_np.errors import InputError

every_update = pytest.mark.parametrize("update", UPDATES)
both_dtypes = pytest.mark.parametrize("dtype", BUDGET, ids=str)


@every_update
@both_dtypes
@pytest.mark.parametrize("size", SIZES)
def test_cpu_like_reference(update, size, dtype):
    require_all(list(check_update(update, "cpu", dtype, (size,))))


@pytest.mark.usefixtures("needs_compiler")
@every_update
@both_dtypes
@pytest.mark.parametrize("size", SIZES[:-1])
@pytest.mark.parametrize("order", emulator.ORDERS)
def test_cuda_like_reference(update, size, dtype, order):
    with emulator.checking(order=order, seed=1) as reports:
        require_all(list(check_update(update, "emulated", dtype, (size,))))
    assert reports and not [str(finding) for report in reports for finding in report.findings]


@both_dtypes
@pytest.mark.parametrize("implementation", ["reference", "cpu", "emulated"])
def test_sum_of_squares(implementation, dtype, request):
    if implementation == "emulated":
        request.getfixturevalue("needs_compiler")
    require_all(list(check_sum_of_squares(implementation, dtype)))


def test_a_sum_of_squares_by_hand():
    assert updates.vector.sum_of_squares(np.array([3.0, 4.0])) == 25


def test_an_average_by_hand():
    average = np.array([1.0, 2.0])
    updates.average.follow(average, np.array([3.0, -2.0]), 0.75)
    np.testing.assert_allclose(average, [1.5, 1.0])


@pytest.mark.parametrize("update", sorted(UPDATES.keys() - {"fill"}))  # which forgets what was there
def test_nan_and_infinity_stay_what_they_are(update):
    function, written, read, numbers = UPDATES[update]
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
