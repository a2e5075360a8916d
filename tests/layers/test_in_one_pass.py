"""What runs as one is what its layers are in turn."""

import numpy as np
import pytest
from layer_arrays import allocated, random

from xception_np import layers
from xception_np.check import compare
from xception_np.geometry import Geometry
from xception_np.layers import Step


@pytest.mark.parametrize("training", [Step(), Step(frozen=True), None], ids=["training", "frozen", "inference"])
@pytest.mark.parametrize("scale", [True, False])
def test_two_layers_in_one_pass_are_two_layers(training, scale):
    norm = layers.BatchNorm("bn", 4, scale=scale).with_relu("act")
    together = layers.NormSeparable.of(norm, layers.SeparableConv("sep", 4, 6, Geometry(3, stride=2)))
    buffers = layers.allocate(together.parameters, together.moving, np.float64, seed=1)
    apart = layers.rebuilt(layers.Chain("net", [together]), lambda chain: chain)
    assert [layer.name for layer in apart.layers] == ["bn", "sep"]
    x = random(0, 3, 5, 4, 4)
    results = []
    for net in (together, apart):
        buffers.gradients[...] = 0
        buffers.moving[...] = random(2, buffers.moving.size) ** 2
        y, cache = net.forward(x, training)
        dx = net.backward(random(1, *y.shape), cache)
        results.append((y, dx, buffers.gradients.copy(), buffers.moving.copy()))
    for what, one, two in zip(("y", "dx", "gradients", "moving statistics"), *results, strict=True):
        compare(one, two, 1e-12, what).require()


def require_like_its_parts(together, names):
    """Forward, backward and at inference, a layer of several is what these are, one after the other."""
    buffers = layers.allocate(together.parameters, together.moving, np.float64, seed=1)
    buffers.values[...] = random(2, buffers.values.size)
    apart = layers.rebuilt(layers.Chain("net", [together]), lambda chain: chain)
    assert [layer.name for layer in apart.layers] == names
    x = random(0, 3, 5, 4, 4)
    results = []
    for net in (together, apart):
        buffers.gradients[...] = 0
        y, cache = net.forward(x, Step())
        dx = net.backward(random(1, *y.shape), cache)
        results.append((y, dx, buffers.gradients.copy(), net.apply(x)))
    for what, one, two in zip(("y", "dx", "gradients", "inference"), *results, strict=True):
        compare(one, two, 1e-12, what).require()


def with_relu(name, *settings):
    return layers.ReluSeparable(layers.ReLU("before"), layers.SeparableConv(name, *settings))


def test_a_relu_with_a_convolution_is_the_two():
    require_like_its_parts(with_relu("sep", 4, 6, Geometry(3, stride=2)), ["before", "sep"])


@pytest.mark.parametrize("kind", [layers.Conv, layers.SeparableConv, with_relu])
@pytest.mark.parametrize("relu", [None, "act"])
def test_a_convolution_with_its_bias_is_the_two(kind, relu):
    together = layers.Biased.of(kind("conv", 4, 6, Geometry(3, stride=2)), layers.Bias("conv", 6, relu))
    require_like_its_parts(together, ["before"] * (kind is with_relu) + ["conv", "conv_bias"])


@pytest.mark.parametrize("last", ["convolution", "convolution with a ReLU", "pool", "nothing"])
def test_what_a_path_adds_at_its_end(last):
    relu = "act" if last == "convolution with a ReLU" else None
    conv, bias = layers.Conv("conv", 4, 4, Geometry(3)), layers.Bias("conv", 4, relu)
    path = [] if last == "nothing" else [layers.ReLU("first"), layers.Biased(conv, bias)]
    path += [layers.MaxPool("pool", Geometry(3))] * (last == "pool")
    chain = layers.Chain("net", path)
    if path:
        allocated(chain)
        bias.bias.value[...] = random(2, 4)
    x, addend = random(0, 3, 5, 4, 4), random(1, 3, 5, 4, 4)
    assert chain.adds == (last == "convolution")
    compare(chain.apply_and_add(x, addend), chain.apply(x) + addend, 1e-12, "y").require()
    for main, shortcut in ((chain, layers.Chain("identity")), (layers.Chain("identity"), chain)):
        residual = layers.Residual("module", main, shortcut)
        compare(residual.apply(x), residual.forward(x)[0], 1e-12, "a module").require()


def test_only_layers_that_fit_are_put_together():
    norm, plain = layers.BatchNorm("bn", 4), layers.SeparableConv("sep", 4, 6, Geometry(3))
    assert layers.NormSeparable.of(norm, plain)
    assert not layers.NormSeparable.of(plain, norm)
    assert not layers.NormSeparable.of(norm, layers.SeparableConv("sep", 4, 6, Geometry(3), activation="relu"))
    relu = layers.ReLU("act")
    assert layers.ReluSeparable.of(relu, plain)
    assert not layers.ReluSeparable.of(plain, relu)
    assert not layers.ReluSeparable.of(layers.ELU("act"), plain)
    assert not layers.ReluSeparable.of(relu, layers.SeparableConv("sep", 4, 6, Geometry(3), activation="relu"))
    bias = layers.Bias("sep", 6)
    assert layers.Biased.of(plain, bias)
    assert not layers.Biased.of(bias, plain)
    assert not layers.Biased.of(layers.SeparableConv("sep", 4, 6, Geometry(3), activation="relu"), bias)
    assert not layers.Biased.of(layers.GroupedConv("grouped", 4, 6, Geometry(3), 2), bias)


@pytest.mark.parametrize("activation", [None, "relu", "elu"])
def test_the_halves_of_a_separable_convolution_are_the_whole(activation):
    whole = allocated(layers.SeparableConv("sep", 4, 6, Geometry(3, stride=2), depth_multiplier=2, activation=activation))
    halves = layers.Chain("halves", whole.halves)
    assert [parameter is other for parameter, other in zip(halves.parameters, whole.parameters, strict=True)] == [True, True]
    x, dy = random(0, 2, 6, 5, 4), random(1, 2, 3, 3, 6)
    found = []
    for layer in (whole, halves):
        y, cache = layer.forward(x)
        found.append([y, layer.backward(dy, cache), *(parameter.gradient.copy() for parameter in whole.parameters)])
        for parameter in whole.parameters:
            parameter.gradient[...] = 0
    for a, b in zip(*found, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)
    assert halves.output_shape(x.shape) == whole.output_shape(x.shape)
    macs = [layer.cost(x.shape).macs for layer in (whole, halves.layers[0])]
    assert macs[0] == macs[1] + halves.layers[-1].cost(halves.layers[0].output_shape(x.shape)).macs
