import numpy as np
import pytest

from xception_np.data import Draws, mixup, mixup_weights
from xception_np.data.draws import MIXUP


def test_mixup_by_hand():
    x = np.zeros((3, 1, 1, 3), np.float32)
    x[:, 0, 0, 0] = 4, 8, 0
    mixed, targets = mixup(x, np.array([2, 0, 0]), np.float32([0.25, 0.5]), 3)
    assert mixed[:, 0, 0, 0].tolist() == [7, 4] and mixed[..., 1:].max() == 0
    assert targets.tolist() == [[0.75, 0, 0.25], [1, 0, 0]]
    assert mixed.dtype == targets.dtype == np.float32
    assert x[:, 0, 0, 0].tolist() == [4, 8, 0]


def test_weights_are_the_picture_s_own():
    whole = mixup_weights(0.3, Draws(2, 5, np.arange(20)))
    np.testing.assert_array_equal(mixup_weights(0.3, Draws(2, 5, np.array([7, 3]))), whole[[7, 3]])
    assert whole.dtype == np.float32 and len(np.unique(whole)) == 20


def test_weights_are_uniform_for_alpha_1():
    draws = Draws(0, 0, np.arange(50))
    np.testing.assert_allclose(mixup_weights(1.0, draws), draws.uniform(MIXUP)[:, 0], rtol=1e-6)


@pytest.mark.parametrize("alpha", [0.2, 1.0, 3.0])
def test_weights_have_the_moments_of_beta(alpha):
    weights = mixup_weights(alpha, Draws(0, 0, np.arange(20_000))).astype(np.float64)
    variance = 1 / (4 * (2 * alpha + 1))
    assert abs(weights.mean() - 0.5) < 4 * (variance / 20_000) ** 0.5
    assert abs(weights.var() / variance - 1) < 0.04
    assert weights.min() >= 0 and weights.max() <= 1
