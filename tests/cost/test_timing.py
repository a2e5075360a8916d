"""Measuring: every operation once, and nothing changed."""

from types import SimpleNamespace

import numpy as np
import pytest

from xception_np import cost, layers, models, ops
from xception_np.cost import Machine
from xception_np.cost.timing import Clock
from xception_np.errors import InputError
from xception_np.geometry import Geometry

SHAPE = (2, 32, 32, 3)


@pytest.fixture(scope="module")
def model():
    return models.build("xception_small", classes=3)


@pytest.mark.parametrize("training", [False, True])
def test_every_operation_is_timed_and_the_model_is_as_it_was(model, training):
    model.buffers.gradients[...] = 1.5
    before = [buffer.copy() for buffer in model.buffers]
    seconds = cost.time_layers(model, SHAPE, training, rounds=2)
    assert seconds.keys() == {line.name for line in cost.count(model, SHAPE)}
    assert all(isinstance(value, float) and value > 0 for value in seconds.values())
    whole = cost.time_network(model, SHAPE, training, rounds=1)
    assert isinstance(whole, float) and whole > 0
    for buffer, old in zip(model.buffers, before, strict=True):
        np.testing.assert_array_equal(buffer, old)


def test_every_container_and_a_network_without_parameters():
    towers = layers.Branches(
        "mixed", [layers.MaxPool("max", Geometry(3)), layers.Chain("tower", [layers.AvgPool("mean", Geometry(3))])]
    )
    net = layers.Chain(
        "net", [layers.Residual("block", layers.Chain("main", [layers.ReLU("act")]), layers.Chain("identity")), towers]
    )
    seconds = cost.time_layers(net, (1, 4, 4, 2), training=True, rounds=1)
    assert seconds.keys() == {"act", "block_add", "max", "mean", "mixed_concat"}


def test_machine_and_network_in_turn_the_best_of_each(monkeypatch):
    machines = iter([Machine(1.0, 20.0, 3.0), Machine(2.0, 10.0, 4.0)])
    laps = iter([{"a": 5.0, "b": 1.0}, {"a": 4.0, "b": 2.0}])
    monkeypatch.setattr("xception_np.cost.timing.measure", lambda: next(machines))
    monkeypatch.setattr("xception_np.cost.timing.time_layers", lambda *arguments, **named: next(laps))
    found = cost.in_turn(layers.Chain("net"), (1, 2), turns=2)
    assert found == (Machine(2.0, 20.0, 3.0), {"a": 4.0, "b": 1.0})


def test_what_is_timed_inside_counts_for_itself(monkeypatch):
    times = iter([0, 1, 4, 5, 7, 10])
    monkeypatch.setattr("xception_np.cost.timing.time", SimpleNamespace(perf_counter=lambda: next(times)))
    clock = Clock()
    with clock.of("outer"):  # from 0 to 10
        with clock.of("inner"):  # from 1 to 4
            pass
        with clock.of("inner"):  # from 5 to 7
            pass
    assert clock.lap() == {"outer": 10 - 3 - 2, "inner": 3 + 2}
    assert clock.lap() == {}


def test_wrong_arguments(model):
    with pytest.raises(InputError, match="rounds is 0; expected an integer, 1 or more"):
        cost.time_layers(model, SHAPE, rounds=0)
    with pytest.raises(InputError, match="chain has no memory for block1_conv1/kernel; expected a network with memory"):
        cost.time_layers(models.outline(model.table), SHAPE)
    with pytest.raises(InputError, match=r"C=4 as in x"):
        cost.time_layers(model, (2, 32, 32, 4), rounds=1)


@pytest.mark.parametrize("biased", [False, True])
def test_nobody_asks_for_the_gradient_of_the_pictures(monkeypatch, biased):
    first = layers.Conv("conv", 3, 4, Geometry(3))
    net = layers.Chain("net", [layers.Biased.of(first, layers.Bias("bias", 4)) if biased else first, layers.GlobalAvgPool("mean")])
    layers.allocate(net.parameters, net.moving, np.float32, 0)
    monkeypatch.setattr(layers.Conv, "backward", None)
    monkeypatch.setattr(ops.conv, "backward", None)
    monkeypatch.setattr(ops.conv_bias, "backward", None)
    assert cost.time_network(net, (1, 4, 4, 3), training=True, rounds=1) > 0
    names = {"conv", "mean"} | ({"bias_bias"} if biased else set())
    assert cost.time_layers(net, (1, 4, 4, 3), training=True, rounds=1).keys() == names
