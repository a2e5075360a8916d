"""A number that is not finite stops a run, and the layer that made it is named."""

import itertools

import numpy as np
import pytest
from small_runs import restored, tiny_model, trainer

from xception_np import layers, models
from xception_np.errors import InputError
from xception_np.training.diagnosis import first_not_finite
from xception_np.training.parallel import Alone, Lost

LAYERS = ["block1_conv1_bn", "block2_sepconv1", "block2_sepconv2_bn", "block2_shortcut", "block2_pool", "avg_pool"]


def find(layer_list, name):
    for layer in layer_list:
        if layer.name == name and not isinstance(layer, layers.Chain):
            return layer
        parts = [part for value in vars(layer).values() for part in (value if isinstance(value, list) else [value])]
        found = find([part for part in parts if isinstance(part, layers.Layer)], name)
        if found:
            return found
    return None


def spoil(monkeypatch, layer, direction, step):
    """Let a layer return one number that is not finite, in one direction and one step only."""

    class Spoilt(type(layer)):  # on the class, so that what the diagnosis sets on instances lies over it
        def forward(self, x, training=None):
            y, cache = super().forward(x, training)
            self.number = training.number
            return (with_one(y, np.inf) if direction == "forward" and self.number == step else y), cache

        def backward(self, dy, cache):
            dx = super().backward(dy, cache)
            return with_one(dx, np.nan) if direction == "backward" and self.number == step else dx

    monkeypatch.setattr(layer, "__class__", Spoilt)


def with_one(array, value):
    changed = array.copy()
    changed.flat[-1] = value
    return changed


@pytest.mark.parametrize(
    ("name", "direction"),
    # What the first layer sends back, the gradient of the pictures, is used by nothing.
    [("block1_conv1", "forward"), *itertools.product(LAYERS, ["forward", "backward"])],
)
def test_the_layer_is_named(tmp_path, monkeypatch, name, direction):
    run = trainer(tmp_path, save_steps=1)
    spoil(monkeypatch, find(run.model.layers, name), direction, step=2)
    with np.errstate(invalid="ignore"), pytest.raises(InputError) as error:
        run.run()
    assert "at step 3: training was stopped" in str(error.value)
    assert f"first not finite in the {direction} pass of {name};" in str(error.value)
    assert len(run.history) == 2
    again = restored(tmp_path, save_steps=1)  # the last checkpoint is whole
    assert again.step == 2
    assert np.isfinite(again.model.buffers.values).all()


class Silent(Alone):
    """The others, of whom one is lost while they look for the layer."""

    def words(self, sentence):
        if "layer" in sentence or "pass" in sentence:
            raise Lost("the others did not answer")
        return super().words(sentence)


def test_who_is_lost_meanwhile_leaves_no_checkpoint_of_what_is_not_finite(tmp_path, monkeypatch):
    run = trainer(tmp_path, save_steps=1)
    run.processes = Silent()
    spoil(monkeypatch, find(run.model.layers, "block2_sepconv1"), "forward", step=2)
    with np.errstate(invalid="ignore"), pytest.raises(InputError, match="at step 3: training was stopped; try") as error:
        run.run()
    assert type(error.value) is InputError  # which others do not share, and nobody waits for them
    again = restored(tmp_path, save_steps=1)
    assert again.step == 2 and np.isfinite(again.model.buffers.moving).all()


def test_pictures_and_parameters_are_looked_at_first():
    model = tiny_model()
    x, labels = np.ones((2, 32, 32, 3), np.float32), np.array([0, 1])
    model.arrays["block2_sepconv1/pointwise_kernel"][0, 0] = np.nan
    assert first_not_finite(model, x, labels, layers.Step(), 0.0) == "in the parameter block2_sepconv1/pointwise_kernel"
    x[0, 0, 0, 0] = np.inf
    assert first_not_finite(model, x, labels, layers.Step(), 0.0) == "in the pictures"


def test_a_layer_that_is_used_twice(monkeypatch):
    model, relu = tiny_model(), layers.ReLU("relu")
    model.layers[1:1] = [relu, relu]
    x, labels = np.ones((2, 32, 32, 3), np.float32), np.array([0, 1])
    assert first_not_finite(model, x, labels, layers.Step(), 0.0) == ""
    spoil(monkeypatch, find(model.layers, "avg_pool"), "forward", step=0)
    assert first_not_finite(model, x, labels, layers.Step(), 0.0) == "in the forward pass of avg_pool"


def test_a_model_is_as_before_after_a_diagnosis():
    model = models.build("xception_small", 2)
    before = {id(layer): dict(vars(layer)) for layer in model.layers}
    x, labels = np.ones((2, 32, 32, 3), np.float32), np.array([0, 1])
    assert first_not_finite(model, x, labels, layers.Step(), 0.0) == ""
    assert all(vars(layer) == before[id(layer)] for layer in model.layers)
