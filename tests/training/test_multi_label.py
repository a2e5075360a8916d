"""Pictures with any number of classes: a network finds most of them."""

import numpy as np
import pytest
from small_runs import TINY

from xception_np import models
from xception_np.errors import InputError
from xception_np.training import Settings, map_at_k
from xception_np.training.multi_label import COLOURS, fit, synthetic


def test_synthetic_pictures_show_their_classes():
    x, targets = synthetic(200, classes=5, seed=1)
    assert x.dtype == targets.dtype == np.float32
    assert 0.2 < targets.mean() < 0.4
    squares = x.reshape(200, 4, 8, 4, 8, 3).mean(axis=(2, 4)).reshape(200, 16, 3) + 0.5  # noise averages to 0
    for colour, has_it in zip(COLOURS, targets.T, strict=False):
        found = (np.abs(squares - colour).max(axis=2) < 0.25).sum(axis=1)
        np.testing.assert_array_equal(found, has_it)
    np.testing.assert_array_equal(synthetic(200, 5, seed=1)[0], x)


def test_a_network_learns_many_labels():
    classes, settings = 6, Settings(epochs=30, batch=32, rate=0.1, seed=0)
    x, targets = synthetic(256, classes, seed=0)
    held_out, answers = synthetic(128, classes, seed=1)
    model = models.from_table(TINY, classes, seed=0)
    before = map_at_k(model.predict(held_out), answers, k=classes)
    losses = fit(model, x, targets, settings)
    assert len(losses) == 30 * 8
    after = map_at_k(model.predict(held_out), answers, k=classes)
    assert before < 0.6
    assert after > 0.95


@pytest.mark.parametrize("changes", [{"frozen_norm": True}, {"backbone_rate": 0.0}, {}])
def test_statistics_that_stay(changes):
    x, targets = synthetic(8, 2)
    model = models.from_table(TINY, 2)
    before = model.buffers.moving.copy()
    fit(model, x, targets, Settings(epochs=1, batch=4, **changes))
    assert (model.buffers.moving == before).all() == bool(changes)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (Settings(batch=9), "batch is 9; expected at most 8"),
        (Settings(batch=4, save_steps=5), "save_steps is 5; expected none"),
        (Settings(batch=4, averaging=0.5), r"averaging is 0\.5; expected none"),
        (Settings(batch=4, grow_from=0.5, grow_until=0.7), r"grow_until is 0\.7; expected none"),
    ],
)
def test_what_is_not_done(settings, message):
    x, targets = synthetic(8, 2)
    with pytest.raises(InputError, match=message):
        fit(models.from_table(TINY, 2), x, targets, settings)


def test_classes_without_a_colour():
    with pytest.raises(InputError, match="classes is 8"):
        synthetic(1, 8)


def test_a_target_for_every_picture():
    x, targets = synthetic(8, 2)
    with pytest.raises(InputError, match=r"targets has shape \(7, 2\); expected \(8, 2\)"):
        fit(models.from_table(TINY, 2), x, targets[:7], Settings(batch=4))
