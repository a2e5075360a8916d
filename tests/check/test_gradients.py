import numpy as np
import pytest

from xception_np import check


def test_finite_differences_of_a_square():
    x, dy = np.array([1.0, 2.0, -3.0]), np.array([1.0, 10.0, 100.0])
    numeric = check.finite_differences(lambda: x**2, x, dy, 1e-5)
    check.compare(numeric, 2 * x * dy, 1e-9).require()
    assert x.tolist() == [1.0, 2.0, -3.0]


def test_any_step_is_exact_where_the_function_is_linear():
    matrix, x, dy = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([5.0, 6.0]), np.array([1.0, 10.0])
    for step in (1.0, 64.0):
        assert check.finite_differences(lambda: matrix @ x, x, dy, step).tolist() == [31.0, 42.0]
        assert check.finite_differences(lambda: matrix @ x, matrix, dy, step).tolist() == [[5.0, 6.0], [50.0, 60.0]]


def test_finite_differences_of_a_function_that_hands_its_argument_through():
    x = np.array([1.0, 2.0])
    assert check.finite_differences(lambda: x, x, np.array([3.0, 4.0]), 1.0).tolist() == [3.0, 4.0]


def test_finite_differences_of_a_number():
    x = np.array([[1.0, 2.0], [3.0, 4.0]])
    assert check.finite_differences(lambda: float(x.sum()), x, 2.0, 1.0).tolist() == [[2.0, 2.0], [2.0, 2.0]]


def test_adjoint_accepts_a_transpose_and_nothing_else():
    matrix, x, dy = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([5.0, 7.0]), np.array([1.0, 10.0])
    assert check.adjoint(matrix @ x, dy, [x], [matrix.T @ dy]).ok
    assert not check.adjoint(matrix @ x, dy, [x], [matrix @ dy]).ok


def test_adjoint_of_arguments_that_are_linear_together():
    a, b, dy = np.array([1.0, 2.0]), np.array([3.0, 4.0]), np.array([5.0, 6.0])
    assert check.adjoint(a + b, dy, [a, b], [dy, dy]).ok
    assert not check.adjoint(a + b, dy, [a], [dy]).ok


def test_adjoint_where_the_terms_cancel():
    y, dy = np.array([1.0, 1.0]), np.array([1.0, -1.0])
    assert check.adjoint(y, dy, [y], [dy]).ok
    assert not check.adjoint(y, dy, [y], [dy + 1e-6]).ok


def test_directional_derivative():
    x, w = np.array([1.0, 2.0]), np.array([[3.0]])
    moved = check.directional_derivative(lambda: float(w[0, 0] * (x**2).sum()), [x, w], [np.array([1.0, -1.0]), np.array([[2.0]])])
    assert moved == pytest.approx(3 * (2 - 4) + 2 * 5, abs=1e-8)
    assert (x.tolist(), w.tolist()) == ([1.0, 2.0], [[3.0]])


def test_compare_along():
    x = np.array([0.5, -1.0, 2.0])
    direction = np.array([0.3, 0.2, -0.7])

    def loss():
        return float(np.exp(x).sum())

    assert check.compare_along(loss, [x], [np.exp(x)], [direction], what="exp").ok
    wrong = check.compare_along(loss, [x], [np.exp(x) * 1.001], [direction], what="exp")
    assert not wrong.ok
    assert str(wrong).startswith("exp: worst error 1.0e-03")


def test_arrays_are_put_back_after_an_exception():
    x = np.ones(3)
    with pytest.raises(KeyError):
        check.directional_derivative(lambda: {}["loss"], [x], [np.ones(3)])
    assert (x == 1).all()
