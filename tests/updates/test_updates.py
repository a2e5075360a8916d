"""Updates: numbers that can be followed on paper, and the three implementations against each other."""

import numpy as np
import pytest

from xception_np import emulator, updates
from xception_np.check import require_all
from xception_np.check.updates import BUDGET, SIZES, UPDATES, check_muon, check_sum_of_squares, check_update
from xception_np.errors import InputError
from xception_np.updates.muon import reference

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


@both_dtypes
@pytest.mark.parametrize("nesterov", [False, True])
@pytest.mark.parametrize("implementation", ["cpu", "emulated"])
def test_muon(implementation, nesterov, dtype, request):
    if implementation == "emulated":
        request.getfixturevalue("needs_compiler")
    require_all(list(check_muon(implementation, dtype, nesterov)))


def turned(value, velocity, gradient, angle=0.75, momentum=0.5, nesterov=False):
    """Value and velocity after a step."""
    value, velocity, gradient = (np.array(matrix, np.float64) for matrix in (value, velocity, gradient))
    updates.muon.step([value], [velocity], [gradient], angle, momentum, nesterov)
    return value, velocity


def test_muon_by_hand():
    """A row is a direction already: (3, 4) at right angles to (4, -3), tan(angle) 3/4, so it comes to lie on an axis."""
    value, velocity = turned([[3.0, 4.0]], [[0.0, 0.0]], [[8.0, -6.0]])  # (0.6, 0.8) - 0.75 * (0.8, -0.6) = (0, 1.25)
    np.testing.assert_allclose(value, [[0.0, 5.0]], atol=1e-14)
    np.testing.assert_array_equal(velocity, [[8.0, -6.0]])
    value, velocity = turned(value, velocity, [[0.0, 3.0]])  # slope 0.5 * (8, -6) + (0, 3) = (4, 0)
    np.testing.assert_allclose(value, [[-3.0, 4.0]])  # (0, 1) - 0.75 * (1, 0), of length 1.25
    np.testing.assert_array_equal(velocity, [[4.0, 0.0]])
    value, velocity = turned(value, velocity, [[2.0, -3.0]], nesterov=True)  # velocity (4, -3), slope (2, -3) + (2, -1.5)
    np.testing.assert_allclose(velocity, [[4.0, -3.0]])
    slope = np.array([[4.0, -4.5]])
    moved = np.array([[-0.6, 0.8]]) - 0.75 * slope / np.linalg.norm(slope)
    np.testing.assert_allclose(value, 5 * moved / np.linalg.norm(moved))


@pytest.mark.parametrize("shape", [(6, 6), (40, 6), (6, 40)])
def test_a_direction_has_the_singular_vectors_of_its_slope_and_values_of_about_one(shape):
    x = np.random.default_rng(0).standard_normal(shape)
    found = reference.orthogonal(x)
    left, singular, right = np.linalg.svd(x, full_matrices=False)
    assert singular.min() > 0.017 * np.linalg.norm(x)
    middle = left.T @ found @ right.T
    np.testing.assert_allclose(middle, np.diag(np.diag(middle)), atol=1e-12)
    assert 0.65 < np.diag(middle).min() <= np.diag(middle).max() < 1.21


def test_a_gradient_of_nothing_moves_nothing():
    value, velocity = turned([[3.0, 4.0]], [[0.0, 0.0]], [[0.0, 0.0]])
    np.testing.assert_allclose(value, [[3.0, 4.0]])
    np.testing.assert_array_equal(velocity, 0)


@pytest.mark.parametrize("implementation", ["reference", "cpu"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("scale", [1e-45, 1e-38, 1e-30, 1e-25, 1e-20, 1e-15, 1e15])
def test_a_gradient_of_any_size_leaves_finite_numbers_and_lengths(implementation, dtype, scale):
    rng = np.random.default_rng(0)
    value, gradient = rng.standard_normal((2, 16, 8)).astype(dtype)
    before, velocity = value.copy(), np.zeros_like(value)
    gradient *= dtype(scale)
    updates.muon.step([value], [velocity], [gradient], 0.1, 0.6, True, implementation=implementation)
    assert np.linalg.norm(value) == pytest.approx(np.linalg.norm(before), rel=1e-5)
    cosine = np.vdot(value, before) / np.vdot(before, before)
    assert 0.99 < cosine <= 1 + 1e-6


def test_muon_of_what_is_not_finite_is_not():
    assert not np.isfinite(turned([[3.0, 4.0]], [[0.0, 0.0]], [[np.nan, 0.0]])[0]).any()


def test_matrices_that_do_not_fit():
    two, three = np.zeros((2, 2)), np.zeros((3, 3))
    with pytest.raises(InputError, match="velocities and gradients are 1 and 2 matrices; expected 1, as of values"):
        updates.muon.step([two], [two], [two, two], 0.1, 0.9, True)
    with pytest.raises(InputError, match=r"gradient is float64 of shape \(3, 3\); expected float64 of shape \(2, 2\), as value is"):
        updates.muon.step([two], [two], [three], 0.1, 0.9, True)
    with pytest.raises(InputError, match="value"):
        updates.muon.step([two[0]], [two[0]], [two[0]], 0.1, 0.9, True)


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
