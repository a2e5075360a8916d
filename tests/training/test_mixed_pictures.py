"""Training on pictures that lie between two others, with what each class has of them for labels."""

import numpy as np
import pytest
from small_runs import restored, stripes, tiny_model, trainer

from xception_np import layers
from xception_np.data import Augmentation, PaddedCrop
from xception_np.errors import InputError
from xception_np.layers import Step
from xception_np.training import Settings
from xception_np.training.descent import descend
from xception_np.training.diagnosis import first_not_finite
from xception_np.training.metrics import accuracy
from xception_np.training.optimizers import SGD
from xception_np.training.parallel import Alone

MIXED = {"augmentation": Augmentation((PaddedCrop(2),), mixup=0.4), "label_smoothing": 0.1, "save_steps": 1, "epochs": 6}


def test_the_larger_share_is_the_class():
    scores = np.array([[3.0, 1.0], [3.0, 1.0], [-1.0, 2.0]])
    assert accuracy(scores, np.array([0, 1, 1])) == 2 / 3
    assert accuracy(scores, np.array([[0.6, 0.4], [0.4, 0.6], [0.1, 0.9]])) == 2 / 3


def test_a_run_on_mixed_pictures_learns_what_plain_ones_show(tmp_path):
    run = trainer(tmp_path, **MIXED | {"epochs": 12})
    run.run()
    assert run.evaluate(stripes(seed=1)).accuracy > 0.9
    shares = next(run.loader.epoch(11)).labels
    assert shares.shape == (16, 2) and 0 < np.sort(shares[:, 0])[8] < 1
    assert 0.5 < run.history[-1].accuracy <= 1


def test_a_run_on_mixed_pictures_is_gone_on_with_to_the_same_bits(tmp_path):
    whole = trainer(tmp_path / "whole", **MIXED)
    whole.run()

    def stop(progress):
        if progress.step == 7:  # in the middle of an epoch
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        trainer(tmp_path / "stopped", **MIXED).run(stop)
    again = restored(tmp_path / "stopped", **MIXED)
    assert again.step == 7
    again.run()
    np.testing.assert_array_equal(again.model.buffers.values, whole.model.buffers.values)
    assert [line[:5] for line in again.history] == [line[:5] for line in whole.history]


def test_shares_that_are_labels_take_the_same_step():
    """To the bit, and with the same accuracy."""
    x, labels = np.random.default_rng(0).standard_normal((8, 32, 32, 3)).astype(np.float32), np.arange(8) % 2
    found = []
    for given in (labels, np.eye(2, dtype=np.float32)[labels]):
        model = tiny_model()
        alone = Alone()
        alone.begin(model.buffers, lambda: 0.0, lambda: False)
        result = descend(model, SGD(model.buffers), Settings(batch=8, label_smoothing=0.1), x, given, Step(), 0.1, alone)
        found.append((result, model.buffers.values))
    assert found[0][0] == found[1][0]
    np.testing.assert_array_equal(found[0][1], found[1][1])


def test_a_number_that_is_not_finite_is_found_on_mixed_pictures(tmp_path):
    run = trainer(tmp_path, **MIXED | {"rate": 1e17, "warmup": 0.0})
    with np.errstate(all="ignore"), pytest.raises(InputError, match=r"training was stopped; a number is first not finite in"):
        run.run()
    x, shares = np.ones((2, 32, 32, 3), np.float32), np.float32([[0.3, 0.7], [1, 0]])
    assert not first_not_finite(tiny_model(), x, shares, layers.Step(), 0.0)
