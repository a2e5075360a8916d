"""Averaged weights, and batch-norm statistics that belong to them."""

import numpy as np
import pytest
from small_runs import stripes, tiny_model, trainer

from xception_np.data import Loader, Preprocessing
from xception_np.errors import InputError
from xception_np.layers import Buffers, Step
from xception_np.training import Average
from xception_np.training.averaging import averaged, estimate_statistics


def test_the_average_by_hand():
    buffers = Buffers(np.array([0.0]), np.zeros(1), np.empty(0))
    average = Average(buffers, decay=0.25)
    buffers.values[:] = 11.0
    average.update(1)  # keep min(0.25, 2 / 11) = 2 / 11
    np.testing.assert_allclose(average.values, 9.0)
    buffers.values[:] = 1.0
    average.update(100)  # keep 0.25
    np.testing.assert_allclose(average.values, 3.0)


@pytest.fixture
def loader():
    data = stripes()
    return Loader(data, 16, Preprocessing.of(data), seed=3)


def test_statistics_are_the_means_over_the_batches(loader):
    model = tiny_model()
    convolution, batch_norm = model.layers[0].layers[:2]
    caches = [batch_norm.forward(convolution.forward(x, Step())[0], Step())[1] for x, _ in loader.epoch(0)]
    assert len(caches) == 3
    model.buffers.moving.fill(123)
    estimate_statistics(model, loader)
    for name in ("mean", "variance"):
        expected = np.mean([getattr(cache, name) for cache in caches], axis=0, dtype=np.float64)
        # Times (1 - momentum), and divided by it again, in float32.
        np.testing.assert_allclose(model.arrays[f"block1_conv1_bn/moving_{name}"], expected, rtol=1e-6)


def test_averaged_weights_are_lent(loader):
    model = tiny_model()
    average = Average(model.buffers, 0.5)
    average.values[...] *= 0.5
    values, moving = model.buffers.values.copy(), model.buffers.moving.copy()
    with averaged(model, average, loader):
        np.testing.assert_array_equal(model.buffers.values, 0.5 * values)
        assert not np.array_equal(model.buffers.moving, moving)
    np.testing.assert_array_equal(model.buffers.values, values)
    np.testing.assert_array_equal(model.buffers.moving, moving)


def test_after_a_run_the_model_has_its_averaged_weights(tmp_path):
    run = trainer(tmp_path, averaging=0.9)
    run.run()
    assert run.outcome == tmp_path / "averaged.safetensors"
    np.testing.assert_array_equal(run.model.buffers.values, run.average.values)
    assert run.evaluate(stripes(seed=1)).accuracy > 0.9


@pytest.mark.parametrize("decay", [-3.0, 1.0, float("nan")])
def test_a_decay_that_is_none(decay):
    with pytest.raises(InputError, match=r"decay is .*; expected a number, 0 <= decay < 1"):
        Average(tiny_model().buffers, decay)
