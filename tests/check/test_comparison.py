import numpy as np
import pytest

from xception_np import check
from xception_np.errors import InputError


def test_the_line_says_what_how_much_and_where():
    expected = np.full((2, 3), 2.0)
    actual = expected.copy()
    actual[1, 2] += 6e-11
    assert str(check.compare(actual, expected, 1e-10, "conv dweight")) == (
        "conv dweight: worst error 3.0e-11 of the largest, 30% of the budget 1e-10, at (1, 2)"
    )


def test_a_failure_names_both_values():
    comparison = check.compare(np.array([1.0, 3.0]), np.array([1.0, 2.0]), 0.25, "y")
    assert not comparison.ok
    assert (comparison.error, comparison.used, comparison.index) == (0.5, 2.0, (1,))
    with pytest.raises(AssertionError, match=r"y: worst error 5\.0e-01 of the largest, 200% of .* at \(1,\): 3\.0 instead of 2\.0"):
        comparison.require()


def test_an_error_of_the_whole_budget_passes():
    check.compare(np.array([3.0]), np.array([2.0]), 0.5).require()


def test_errors_are_parts_of_the_largest_value_not_of_each():
    assert check.compare(np.array([100.0, 0.001]), np.array([100.0, 0.0]), 1e-4).ok


def test_where_all_is_zero_the_error_is_absolute():
    assert check.compare(np.array([1e-3]), np.array([0.0]), 1.0).error == 1e-3


@pytest.mark.parametrize(
    ("actual", "expected", "problem"),
    [
        (np.zeros((2, 3)), np.zeros((3, 2)), "y: shape (2, 3) instead of (3, 2)"),
        (np.zeros(3), np.zeros((1, 3)), "y: shape (3,) instead of (1, 3)"),
        (np.zeros(3, np.float32), np.zeros(3), "y: dtype float32 instead of float64"),
        (np.array([0.0, np.nan]), np.zeros(2), "y: nan in the result at (1,)"),
        (np.zeros(2), np.array([0.0, np.nan]), "y: nan in what is expected at (1,)"),
        (np.array([np.inf]), np.array([np.inf]), "y: inf in the result at (0,)"),
    ],
)
def test_no_budget_excuses_shape_dtype_or_nan(actual, expected, problem):
    comparison = check.compare(actual, expected, 1e9, "y")
    assert not comparison.ok
    assert str(comparison) == problem
    with pytest.raises(AssertionError):
        comparison.require()


def test_integers_do_not_wrap_around():
    assert check.compare(np.array([1], np.uint8), np.array([2], np.uint8), 0.1).error == 0.5


def test_numbers_and_empty_arrays():
    assert check.compare(1.0, 1.0, 1e-9).ok
    assert check.compare(np.zeros((0, 3)), np.zeros((0, 3)), 1e-9).ok


@pytest.mark.parametrize("budget", [0, -1.0, float("nan")])
def test_a_budget_of_nothing_is_an_error(budget):
    with pytest.raises(InputError, match="budget is"):
        check.compare(1.0, 1.0, budget)


def test_require_all_lists_every_failure():
    good, bad = check.compare(1.0, 1.0, 0.1, "good"), check.compare(1.0, 2.0, 0.1, "bad")
    check.require_all([good, good])
    with pytest.raises(AssertionError) as caught:
        check.require_all([good, bad, bad])
    assert str(caught.value).count("bad: worst error") == 2
    assert "good" not in str(caught.value)
