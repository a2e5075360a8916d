"""Layers add to gradients, pass them on, and use their caches up."""

import numpy as np
import pytest
from layer_arrays import allocated, random

from xception_np import layers
from xception_np.check import compare, compare_along
from xception_np.errors import InputError
from xception_np.geometry import Geometry
from xception_np.layers import Step


def module():
    """Like a pooled module of the paper, with a branch inside: every container and most layers."""
    main = layers.Chain(
        "main",
        [
            layers.ReLU("act"),
            layers.SeparableConv("sep", 4, 6, Geometry(3)),
            layers.BatchNorm("sep_bn", 6),
            layers.Branches(
                "towers",
                [
                    layers.GroupedConv("grouped", 6, 4, Geometry((1, 3)), segments=2),
                    layers.Chain("tower", [layers.Conv("conv", 6, 3, Geometry(3)), layers.ELU("elu")]),
                    layers.AvgPool("average", Geometry(3)),
                ],
            ),
            layers.MaxPool("pool", Geometry(3, stride=2)),
        ],
    )
    shortcut = layers.Chain("shortcut", [layers.Conv("shortcut", 4, 13, Geometry(1, stride=2))])
    head = [layers.GlobalAvgPool("gap"), layers.Dropout("dropout", 0.3), layers.Dense("dense", 13, 5)]
    return allocated(layers.Chain("net", [layers.Residual("module", main, shortcut), *head]))


@pytest.mark.parametrize("training", [Step(3, 7), Step(3, 7, frozen=True), None], ids=["training", "frozen", "inference"])
def test_gradient_of_a_module_along_random_directions(training):
    net, x = module(), random(0, 2, 6, 5, 4)
    y, cache = net.forward(x, training)
    dy = random(1, *y.shape)
    dx = net.backward(dy, cache)
    arrays = [x, *(p.value for p in net.parameters)]
    gradients = [dx, *(p.gradient.copy() for p in net.parameters)]
    for seed in range(3):
        directions = [random(10 + seed, *array.shape) for array in arrays]
        compare_along(lambda: float(np.sum(net.forward(x, training)[0] * dy)), arrays, gradients, directions, budget=1e-7).require()


@pytest.mark.parametrize(
    "first",
    [
        [layers.Conv("conv", 3, 4, Geometry(3))],
        [layers.Chain("block", [layers.Conv("conv", 3, 4, Geometry(3)), layers.ReLU("relu")])],
        [layers.Biased(layers.Conv("conv", 3, 4, Geometry(3)), layers.Bias("bias", 4))],
        [layers.NormSeparable(layers.BatchNorm("norm", 3), layers.SeparableConv("sep", 3, 4, Geometry(3)))],
        [layers.ReluSeparable(layers.ReLU("act"), layers.SeparableConv("sep", 3, 4, Geometry(3)))],
        [],
    ],
    ids=["convolution", "chain", "biased", "normalised", "rectified", "nothing"],
)
def test_a_chain_learns_what_it_learns_backwards(first):
    net, x = (
        allocated(layers.Chain("net", [*first, layers.GlobalAvgPool("gap"), layers.Dense("dense", 4 if first else 3, 5)])),
        random(0, 2, 6, 5, 3),
    )
    found = []
    for method in (net.learn, net.backward):
        y, cache = net.forward(x, Step())
        for parameter in net.parameters:
            parameter.gradient[...] = 0
        method(random(1, *y.shape), cache)
        assert cache == []
        found.append([parameter.gradient.copy() for parameter in net.parameters])
    for learnt, wanted in zip(*found, strict=True):
        np.testing.assert_array_equal(learnt, wanted)


def test_a_convolution_of_pictures_does_not_ask_for_their_gradient(monkeypatch):
    net = allocated(layers.Chain("net", [layers.Conv("conv", 3, 4, Geometry(3)), layers.Conv("other", 4, 4, Geometry(3))]))
    y, cache = net.forward(random(0, 2, 6, 5, 3), Step())
    asked, backward = [], layers.conv.ops.conv.backward
    monkeypatch.setattr(layers.conv.ops.conv, "backward", lambda dy, cache: asked.append(cache.weight.shape) or backward(dy, cache))
    net.learn(y, cache)
    assert asked == [(3, 3, 4, 4)]


@pytest.mark.parametrize("training", [Step(), None], ids=["training", "inference"])
def test_gradient_of_biases_and_of_what_is_flattened(training):
    """As in VGG-16: convolutions with a bias and a ReLU, and a fully connected layer of all pixels."""
    biased = [layers.Conv("conv", 4, 3, Geometry(3)), layers.Bias("conv", 3, "act"), layers.MaxPool("pool", Geometry(2, stride=2))]
    net = allocated(layers.Chain("net", [*biased, layers.Flatten("flatten"), layers.Dense("dense", 3 * 3 * 2, 5)]))
    x = random(0, 2, 6, 4, 4)
    net.parameters[1].value[:] = random(1, 3)
    y, cache = net.forward(x, training)
    dy = random(2, *y.shape)
    dx = net.backward(dy, cache)
    arrays = [x, *(p.value for p in net.parameters)]
    gradients = [dx, *(p.gradient.copy() for p in net.parameters)]
    directions = [random(10, *array.shape) for array in arrays]
    compare_along(lambda: float(np.sum(net.forward(x, training)[0] * dy)), arrays, gradients, directions, budget=1e-7).require()
    assert [row.name for row in net.rows(x.shape)] == ["conv", "conv_bias", "act", "pool", "flatten", "dense"]


def test_gradients_add_up():
    net, x = module(), random(0, 2, 6, 5, 4)
    first = None
    for _ in range(2):
        y, cache = net.forward(x, Step())
        net.backward(np.ones_like(y), cache)
        if first is None:
            first = [p.gradient.copy() for p in net.parameters]
    for parameter, gradient in zip(net.parameters, first, strict=True):
        np.testing.assert_array_equal(parameter.gradient, 2 * gradient)


def test_backward_uses_the_cache_up():
    net, x = module(), random(0, 2, 6, 5, 4)
    y, cache = net.forward(x, Step())
    net.backward(np.ones_like(y), cache)
    assert cache == []


def test_residual_gradient_is_the_sum_of_both_paths():
    conv = layers.Conv("conv", 3, 3, Geometry(3))
    residual = allocated(layers.Residual("module", layers.Chain("main", [conv]), layers.Chain("shortcut")))
    x, dy = random(0, 1, 4, 4, 3), random(1, 1, 4, 4, 3)
    _, cache = residual.forward(x)
    dx = residual.backward(dy, cache)
    _, conv_cache = conv.forward(x)
    np.testing.assert_allclose(dx, conv.backward(dy, conv_cache) + dy, rtol=1e-15)


def test_batch_norm_follows_the_batches():
    layer = allocated(layers.BatchNorm("bn", 2, momentum=0.75))
    x = np.array([[1.0, 10.0], [3.0, 20.0]]).reshape(2, 1, 1, 2)
    layer.forward(x, Step())
    np.testing.assert_allclose(layer.moving_mean.value, [0.25 * 2, 0.25 * 15])
    np.testing.assert_allclose(layer.moving_variance.value, [0.75 + 0.25 * 1, 0.75 + 0.25 * 25])  # biased variance
    before = layer.moving_mean.value.copy()
    layer.forward(x)
    np.testing.assert_array_equal(layer.moving_mean.value, before)


@pytest.mark.parametrize("training", [Step(), None], ids=["training", "inference"])
def test_batch_norm_with_relu_is_the_two_in_turn(training):
    x, dy = random(0, 2, 3, 4, 5), random(1, 2, 3, 4, 5)
    both = allocated(layers.BatchNorm("bn", 5, relu_name="act"))
    apart = allocated(layers.Chain("apart", [layers.BatchNorm("bn", 5), layers.ReLU("act")]))
    for net in (both, apart):
        net.parameters[1].value[:] = random(2, 5)  # beta
    results = []
    for net in (both, apart):
        y, cache = net.forward(x, training)
        dx = net.backward(dy, cache)
        results.append([y, dx, *(p.gradient for p in net.parameters), *(p.value for p in net.moving)])
    for one, other in zip(*results, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-12)
    assert [row.name for row in both.rows(x.shape)] == [row.name for row in apart.rows(x.shape)]


def test_batch_norm_at_inference_uses_the_moving_statistics():
    layer = allocated(layers.BatchNorm("bn", 1, epsilon=1e-3))
    layer.moving_mean.value[:], layer.moving_variance.value[:] = 2.0, 4.0
    layer.gamma.value[:], layer.beta.value[:] = 3.0, 1.0
    y, _ = layer.forward(np.full((1, 1, 1, 1), 6.0))
    np.testing.assert_allclose(y, 3 * (6 - 2) / np.sqrt(4 + 1e-3) + 1, rtol=1e-15)


def test_frozen_statistics_are_used_and_stay():
    net, x = module(), random(0, 2, 6, 5, 4)
    net.layers.pop(-2)  # dropout
    for moving in net.moving:
        moving.value[:] = np.arange(1, 7)
    before = [moving.value.copy() for moving in net.moving]
    y, _ = net.forward(x, Step(frozen=True))
    np.testing.assert_array_equal(y, net.forward(x)[0])
    for moving, old in zip(net.moving, before, strict=True):
        np.testing.assert_array_equal(moving.value, old)


def test_dropout_is_the_identity_at_inference():
    layer, x = layers.Dropout("dropout", 0.5), random(0, 3, 4)
    y, cache = layer.forward(x)
    assert y is x
    assert layer.backward(x, cache) is x


def test_dropout_layers_steps_and_processes_differ():
    x = np.ones((1, 1000))
    drawn = [
        layers.Dropout(name, 0.5).forward(x, Step(*step))[0]
        for name, *step in (("a", 0, 0), ("b", 0, 0), ("a", 1, 0), ("a", 0, 1), ("a", 0, 0, 1))
    ]
    for k, one in enumerate(drawn):
        assert 400 < np.count_nonzero(one) < 600
        assert not any(np.array_equal(one, other) for other in drawn[:k])
    np.testing.assert_array_equal(layers.Dropout("a", 0.5).forward(x, Step(0, 0))[0], drawn[0])


def test_buffers_are_contiguous_and_shared():
    net = module()
    buffers = layers.allocate(net.parameters, net.moving, np.float32)
    assert buffers.values.size == sum(p.size for p in net.parameters)
    assert buffers.moving.size == 2 * 6
    buffers.values[:] = np.arange(buffers.values.size)
    flat = np.concatenate([p.value.ravel() for p in net.parameters])
    np.testing.assert_array_equal(flat, buffers.values)
    net.parameters[-1].gradient += 1
    assert buffers.gradients.sum() == net.parameters[-1].size


def test_starting_values_have_the_variance_of_their_fan_in():
    layer = allocated(layers.SeparableConv("sep", 256, 256, Geometry(3)))
    assert layer.depthwise.fan_in == 9  # not 9 * 256: a depthwise output sums over its own window only
    # the standard deviation of n normal numbers is off by 1/sqrt(2n): 1.5% for the 2,304 depthwise weights
    assert layer.depthwise.value.std() == pytest.approx(1 / 3, rel=0.06)
    assert layer.pointwise.value.std() == pytest.approx(1 / 16, rel=0.02)


def test_starting_values_depend_on_the_seed_alone():
    values = [layers.allocate(module().parameters, [], np.float64, seed).values for seed in (0, 0, 1)]
    np.testing.assert_array_equal(values[0], values[1])
    assert not np.array_equal(values[0], values[2])


def test_rows_and_shapes_agree_with_a_forward_pass():
    net, x = module(), random(0, 2, 6, 5, 4)
    assert net.forward(x)[0].shape == net.output_shape(x.shape) == (2, 5)
    names = [row.name for row in net.rows(x.shape)]
    assert names[-4:] == ["module_add", "gap", "dropout", "dense"]
    assert "towers_concat" in names


def test_wrong_arguments():
    with pytest.raises(InputError, match="segments is 3"):
        layers.GroupedConv("conv", 4, 4, Geometry(1), segments=3)
    with pytest.raises(InputError, match=r"rate is 1\.0"):
        layers.Dropout("dropout", 1.0)
    with pytest.raises(InputError, match="C=3 as in x"):
        module().forward(random(0, 2, 6, 5, 3))


def test_comparison_of_a_wrong_gradient_fails():
    net, x = module(), random(0, 2, 6, 5, 4)
    y, cache = net.forward(x)
    dx = net.backward(np.ones_like(y), cache)
    assert not compare(dx, dx * 1.001, 1e-7).ok


def test_apply_is_forward_at_inference():
    net, x = module(), random(0, 2, 6, 5, 4)
    np.testing.assert_array_equal(net.apply(x), net.forward(x)[0])


def test_the_cache_of_inference_outlives_the_moving_statistics():
    layer, x, dy = allocated(layers.BatchNorm("bn", 5)), random(0, 2, 3, 4, 5), random(1, 2, 3, 4, 5)
    _, cache = layer.forward(x)
    _, again = layer.forward(x)
    expected = layer.backward(dy, again)
    layer.forward(x + 3, Step())
    np.testing.assert_array_equal(layer.backward(dy, cache), expected)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: layers.Conv("conv", 0, 8, Geometry(3)), "a size of conv/kernel is 0"),
        (lambda: layers.BatchNorm("bn", 4, momentum=7), "momentum is 7"),
        (lambda: layers.Dropout("drop", "x"), "rate is 'x'"),
        (lambda: layers.SeparableConv("sep", 4, 4, Geometry(3), activation="gelu"), "activation is 'gelu'"),
        (lambda: layers.Dense("dense", 4, 2.5), r"a size of dense/kernel is 2\.5"),
    ],
)
def test_wrong_settings(build, message):
    with pytest.raises(InputError, match=message):
        build()


def test_visits_go_where_the_numbers_go():
    net, x_shape = module(), (2, 6, 5, 4)
    visited = list(layers.visits(net, x_shape))
    assert [layer.own_name for layer, _ in visited] == [row.name for row in net.rows(x_shape)]
    assert [layer.output_shape(shape) for layer, shape in visited] == [row.output_shape for row in net.rows(x_shape)]
    assert {layer.own_name: shape for layer, shape in visited}["shortcut"] == x_shape
