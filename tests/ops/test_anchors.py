"""Numbers worked out by hand."""

import numpy as np
import pytest

from xception_np import check, implementations, ops
from xception_np.check.anchors import ANCHORS
from xception_np.geometry import Geometry
from xception_np.random import Purpose, Stream

every_implementation = pytest.mark.parametrize("implementation", implementations.ON_NUMPY)


def test_every_operation_has_numbers_worked_out_by_hand():
    assert set(ANCHORS) == set(ops.__all__)


@every_implementation
@pytest.mark.parametrize("operation", ops.__all__)
def test_by_hand(operation, implementation):
    check.require_all(list(check.check_anchors(operation, implementation)))


def test_costs_by_hand():
    x, geometry = (2, 5, 5, 8), Geometry(3, 2)  # 3x3 positions of 2 images
    assert ops.conv.cost(x, (3, 3, 8, 4), geometry)[:2] == (288, 2 * 9 * 4 * 72)
    assert ops.grouped_conv.cost(x, (3, 3, 4, 4), geometry)[:2] == (144, 2 * 9 * 4 * 36)
    assert ops.depthwise_conv.cost(x, (3, 3, 8, 2), geometry)[:2] == (144, 2 * 9 * 16 * 9)
    assert ops.pointwise_conv.cost(x, (8, 4))[:2] == (32, 2 * 25 * 4 * 8)
    assert ops.dense.cost((2, 8), (8, 4))[:2] == (36, 2 * 8 * 4)
    separable = ops.separable_conv.cost(x, (3, 3, 8, 1), (8, 4), geometry)
    assert separable == (72 + 32, 2 * 9 * 8 * 9 + 2 * 9 * 4 * 8, 4 * (400 + 72 + 32 + 72), 4 * 400)
    assert ops.max_pool.cost(x, geometry).bytes_cached == 2 * 9 * 8  # one byte names a tap


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # NumPy warns of infinity times 0, rightly
@every_implementation
class TestNotANumber:
    """NaN and infinity are results like others: they must not be lost on the way."""

    def test_relu(self, implementation):
        y, cache = ops.relu.forward(np.array([np.nan, np.inf, -np.inf]), implementation=implementation)
        np.testing.assert_array_equal(y, [np.nan, np.inf, 0])
        np.testing.assert_array_equal(
            ops.relu.backward(np.array([1.0, np.nan, np.nan]), cache, implementation=implementation), [1, np.nan, 0]
        )

    def test_elu(self, implementation):
        y, cache = ops.elu.forward(np.array([np.nan, np.inf, -np.inf]), implementation=implementation)
        np.testing.assert_array_equal(y, [np.nan, np.inf, -1])
        dx = ops.elu.backward(np.array([1.0, 2.0, 3.0]), cache, implementation=implementation)
        np.testing.assert_array_equal(dx, [np.nan, 2, 0])

    def test_in_max_pool_nan_wins_wherever_it_stands(self, implementation):
        geometry = Geometry((1, 3), padding="valid")
        for place in range(3):
            x = np.array([3.0, 5.0, 4.0])
            x[place] = np.nan
            y, cache = ops.max_pool.forward(x.reshape(1, 1, 3, 1), geometry, implementation=implementation)
            assert np.isnan(y).all()
            dx = ops.max_pool.backward(np.ones_like(y), cache, implementation=implementation)
            assert dx.ravel().tolist() == [float(k == place) for k in range(3)]

    def test_the_first_nan_takes_the_gradient(self, implementation):
        x = np.array([1.0, np.nan, np.nan]).reshape(1, 1, 3, 1)
        y, cache = ops.max_pool.forward(x, Geometry((1, 3), padding="valid"), implementation=implementation)
        assert ops.max_pool.backward(np.ones_like(y), cache, implementation=implementation).ravel().tolist() == [0, 1, 0]

    def test_max_pool_of_minus_infinity(self, implementation):
        x = np.full((1, 2, 2, 1), -np.inf)
        y, cache = ops.max_pool.forward(x, Geometry(3, 2), implementation=implementation)
        assert y.ravel().tolist() == [-np.inf]
        assert ops.max_pool.backward(np.ones_like(y), cache, implementation=implementation).ravel().tolist() == [1, 0, 0, 0]

    def test_infinity_times_zero_is_nan_in_convolutions(self, implementation):
        x = np.array([np.inf, 1.0]).reshape(1, 1, 1, 2)
        weight = np.array([[0.0, 1.0], [1.0, 1.0]])
        for y, _ in (
            ops.pointwise_conv.forward(x, weight, implementation=implementation),
            ops.conv.forward(x, weight[None, None], Geometry(1), implementation=implementation),
            ops.grouped_conv.forward(x, weight[None, None], Geometry(1), 1, implementation=implementation),
        ):
            np.testing.assert_array_equal(y.ravel(), [np.nan, np.inf])
        y, _ = ops.depthwise_conv.forward(x, np.array([[[[0.0], [2.0]]]]), Geometry(1), implementation=implementation)
        np.testing.assert_array_equal(y.ravel(), [np.nan, 2])

    def test_a_dropped_number_is_zero(self, implementation):
        x = np.full(4, np.inf)
        y, _ = ops.dropout.forward(x, 0.5, Stream(0, Purpose(0)), implementation=implementation)
        np.testing.assert_array_equal(y, [0, np.inf, np.inf, np.inf])

    def test_losses(self, implementation):
        logits = np.array([[0.0, np.nan], [1.0, 2.0]])
        loss, cache = ops.softmax_cross_entropy.forward(logits, np.array([0, 0]), implementation=implementation)
        assert np.isnan(loss)
        dlogits = ops.softmax_cross_entropy.backward(1.0, cache, implementation=implementation)
        assert np.isnan(dlogits).tolist() == [[True, True], [False, False]]
        loss, cache = ops.sigmoid_cross_entropy.forward(logits, np.zeros((2, 2)), implementation=implementation)
        assert np.isnan(loss)
        dlogits = ops.sigmoid_cross_entropy.backward(1.0, cache, implementation=implementation)
        assert np.isnan(dlogits).tolist() == [[False, True], [False, False]]

    def test_logits_far_apart_do_not_overflow(self, implementation):
        logits = np.array([[1e4, -1e4]])
        loss, cache = ops.softmax_cross_entropy.forward(logits, np.array([1]), implementation=implementation)
        assert loss == 2e4
        assert ops.softmax_cross_entropy.backward(1.0, cache, implementation=implementation).tolist() == [[1, -1]]
        loss, cache = ops.sigmoid_cross_entropy.forward(logits, np.array([[0.0, 1.0]]), implementation=implementation)
        assert loss == 1e4
        assert ops.sigmoid_cross_entropy.backward(1.0, cache, implementation=implementation).tolist() == [[0.5, -0.5]]
