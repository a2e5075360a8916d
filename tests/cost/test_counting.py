"""Counting: by hand, to the last digit of what is published, and as the rest of the package counts."""

import math

import numpy as np
import pytest

from xception_np import arrays, cost, layers, models
from xception_np.cost.kinds import kind_of
from xception_np.errors import InputError
from xception_np.geometry import Geometry
from xception_np.layers import Step
from xception_np.models import summary
from xception_np.ops.spec import Cost

PRODUCTS = ("regular", "grouped", "depthwise", "pointwise", "pointwise, strided", "dense")


def counted(name, size=None, batch=1):
    table = models.find(name)
    return cost.count(models.outline(table), cost.pictures_shape(table, size, batch))


def by_kind(lines):
    return {row.name: row.cost for row in cost.rows(lines, "kind")}


def test_by_hand():
    net = layers.Chain(
        "net",
        [
            layers.SeparableConv("sep", 4, 6, Geometry(3)),
            layers.BatchNorm("bn", 6, relu_name="act"),
            layers.MaxPool("pool", Geometry(2, stride=2)),
            layers.GlobalAvgPool("mean"),
            layers.Dense("dense", 6, 3),
        ],
    )
    lines = cost.count(net, (2, 6, 6, 4))
    x, y, small = 2 * 36 * 4, 2 * 36 * 6, 2 * 9 * 6  # numbers
    assert [(line.name, line.kind, line.output_shape) for line in lines] == [
        ("sep_depthwise", "depthwise", (2, 6, 6, 4)),
        ("sep_pointwise", "pointwise", (2, 6, 6, 6)),
        ("bn", "batch norm", (2, 6, 6, 6)),
        ("pool", "pooling", (2, 3, 3, 6)),
        ("mean", "pooling", (2, 6)),
        ("dense", "dense", (2, 3)),
    ]
    assert [line.cost for line in lines] == [
        Cost(9 * 4, 2 * 36 * 4 * 9, 4 * (x + x + 36), 4 * x),
        Cost(4 * 6, 2 * 36 * 6 * 4, 4 * (x + y + 24), 0),  # the middle is computed again
        Cost(6 + 6, 0, 4 * (y + y + 12), 4 * y),
        Cost(0, 0, 4 * (y + small) + small, small),  # a byte a window says which pixel won
        Cost(0, 0, 4 * (small + 12), 0),
        Cost(6 * 3 + 3, 2 * 6 * 3, 4 * (12 + 6 + 21), 4 * 12),
    ]
    assert lines[0].cost.intensity == 2592 / (4 * 612)


def test_a_module_by_hand():
    main = layers.Chain("main", [layers.ReLU("act"), layers.Conv("conv", 2, 4, Geometry(3, stride=2))])
    shortcut = layers.Chain("shortcut", [layers.Conv("shortcut", 2, 4, Geometry(1, stride=2))])
    lines = cost.count(layers.Chain("net", [layers.Residual("block1", main, shortcut)]), (1, 4, 4, 2))
    assert [(line.name, line.module, line.kind) for line in lines] == [
        ("act", "block1", "activation"),
        ("conv", "block1", "regular"),
        ("shortcut", "block1", "pointwise, strided"),
        ("block1_add", "block1", "addition"),
    ]
    assert lines[-1].cost == Cost(bytes_moved=3 * 4 * 16)
    assert lines[-1].training == (Cost(bytes_moved=3 * 4 * 16), Cost(bytes_moved=3 * 4 * 32))  # y of 2x2x4 numbers, dx of 4x4x2
    assert [line.cost.bytes_cached for line in lines] == [4 * 32, 0, 4 * 32, 0]  # what the ReLU makes, once; x, for the shortcut


def test_branches_by_hand():
    towers = [layers.Conv(f"conv{k}", 2, 3, Geometry(1)) for k in range(3)]
    *_, line = cost.count(layers.Chain("net", [layers.Branches("mixed", towers)]), (1, 2, 2, 2))
    concatenation, addition = 4 * (36 + 36), 4 * 3 * 8
    assert (line.name, line.kind, line.output_shape, line.cost) == (
        "mixed_concat",
        "concatenation",
        (1, 2, 2, 9),
        Cost(bytes_moved=concatenation),
    )
    assert [each.bytes_moved for each in line.training] == [concatenation, concatenation, addition, addition]


def test_xceptions_multiply_adds_and_parameters_to_the_last_digit():
    lines = counted("xception")
    kinds = by_kind(lines)
    assert (cost.total(lines).parameters, cost.total(lines).macs) == (22_855_952, 8_357_403_496)
    assert {kind: kinds[kind].macs for kind in PRODUCTS if kind in kinds} == {
        "regular": 417_478_752,  # the stem: 417.5 million
        "depthwise": 132_190_344,  # 132.2 million
        "pointwise": 7_574_141_568,  # 7,574.1 million
        "pointwise, strided": 231_544_832,  # the shortcuts: 231.5 million
        "dense": 2_048_000,
    }
    assert (kinds["depthwise"].parameters, kinds["pointwise"].parameters) == (207_432, 19_552_896)
    assert 2 * kinds["depthwise"].intensity == pytest.approx(2.2, abs=0.05)  # operations per byte
    middle = [line for line in lines if line.module in {f"block{k}" for k in range(5, 13)}]
    convolutions = [line.cost.macs for line in middle if line.kind in ("depthwise", "pointwise")]
    assert len(convolutions) == 2 * 24
    assert sum(convolutions[:2]) == 19 * 19 * 728 * (9 + 728)  # 193.7 million
    assert sum(convolutions) == pytest.approx(4.65e9, rel=1e-3)


@pytest.mark.parametrize(("size", "macs"), [(224, 4.553e9), (71, 0.553e9)])
def test_other_sizes(size, macs):
    assert cost.total(counted("xception", size)).macs == pytest.approx(macs, rel=1e-3)


@pytest.mark.parametrize(
    ("name", "macs", "millions"),  # of results of convolutions and dense layers, as timm's tables count "activations"
    [("xception", 8_357_403_496, 35.83), ("inception_v3", 5_713_216_096, 8.97), ("vgg16", 15_470_264_320, 13.56)],
)
def test_published_activations(name, macs, millions):
    lines = counted(name)
    assert cost.total(lines).macs == macs
    results = sum(math.prod(line.output_shape) for line in lines if line.kind in PRODUCTS)
    assert round(results / 1e6, 2) == millions


@pytest.mark.parametrize("name", [*models.TABLES, "xception_small:segments=4", "xception_small:relu", "xception_small:no-residual"])
@pytest.mark.parametrize("batch", [1, 3])
def test_totals_are_the_summarys(name, batch):
    table = models.find(name)
    chain, shape = models.outline(table), cost.pictures_shape(table, batch=batch)
    lines = cost.count(chain, shape)
    total, expected = cost.total(lines), summary.total(chain, shape)
    assert (total.parameters, total.macs) == (expected.parameters, expected.macs)
    assert total.bytes_cached == summary.activation_bytes(chain, shape)
    assert total.parameters == sum(parameter.size for parameter in chain.parameters)
    names = [line.name for line in lines]
    assert len(set(names)) == len(names)
    assert all(line.kind[0].islower() for line in lines)  # a class's own name would not


def test_what_is_kept_is_what_caches_hold():
    """To the byte, but for parameters and the statistics of batches."""
    model, shape = models.build("xception_small"), (2, 32, 32, 3)
    _, cache = model.forward(np.zeros(shape, np.float32), Step())
    others = [p.value.nbytes for p in model.parameters + model.moving if not p.name.endswith("/bias")]
    assert cost.total(cost.count(model, shape)).bytes_cached == arrays.nbytes(cache) - sum(others)


def test_everything_but_parameters_grows_with_the_batch():
    one, eight = cost.total(counted("xception")), cost.total(counted("xception", batch=8))
    weights = 4 * one.parameters
    assert eight == Cost(one.parameters, 8 * one.macs, 8 * (one.bytes_moved - weights) + weights, 8 * one.bytes_cached)


def test_a_training_step_multiplies_three_times():
    lines = counted("xception_small")
    assert [sum(each.macs for each in line.training) / (line.cost.macs or 1) for line in lines if line.cost.macs] == [
        2,  # of the pictures nobody asks for the gradient
        *[3] * (sum(line.cost.macs > 0 for line in lines) - 1),
    ]
    (norm,) = [line for line in lines if line.name == "block2_sepconv1_bn"]
    x = norm.cost.bytes_cached
    assert [each.bytes_moved for each in norm.training] == [x, norm.cost.bytes_moved, 2 * x, 3 * x]
    assert norm.passes(training=False) == (norm.cost,)


def test_dropout_moves_memory_in_training_alone():
    (line,) = cost.count(layers.Chain("net", [layers.Dropout("dropout", 0.5)]), (2, 8))
    assert (line.cost.bytes_moved, line.training) == (0, (Cost(bytes_moved=2 * 4 * 16),) * 2)


def test_every_layer_has_a_kind():
    joined = layers.Joined, layers.NormSeparable, layers.ReluSeparable, layers.Biased
    containers = (layers.Layer, layers.Chain, *joined, layers.Rectifiable, layers.SeparableConv, layers.Conv)
    classes = [value for value in map(layers.__dict__.get, layers.__all__) if isinstance(value, type)]
    leaves = {value for value in classes if issubclass(value, layers.Layer)} - set(containers)
    assert leaves
    for value in leaves:
        assert kind_of(value.__new__(value)) != value.__name__


def test_a_layer_of_somebody_elses_is_called_by_its_class():
    class Swish(layers.ReLU):
        pass

    assert kind_of(Swish("act")) == "Swish"


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: counted("xcepton"), "model is 'xcepton'; expected one of xception"),
        (lambda: counted("xception", size=0), "size is 0; expected an integer, 1 or more"),
        (lambda: counted("xception", size=299.0), r"size is 299\.0; expected an integer"),
        (lambda: counted("xception", batch=0), "batch is 0; expected an integer, 1 or more"),
        (lambda: counted("xception", size=4), "the kernel spans 3"),
        (
            lambda: counted("vgg16", size=160),
            "size is 160, which vgg16 does not take: x has 12800 numbers for each image; expected 25088",
        ),
        (lambda: cost.count(models.outline(models.find("xception")), (1, 299, 0, 3)), r"x_shape\[2\] is 0; expected an integer"),
        (lambda: cost.rows(counted("xception_small"), "block"), "by is 'block'; expected one of 'layer', 'kind', 'module'"),
    ],
)
def test_wrong_arguments(call, sentence):
    with pytest.raises(InputError, match=sentence):
        call()
