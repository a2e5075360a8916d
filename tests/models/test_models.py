"""Networks: the paper's table to the last digit, Keras's names, and gradients of a whole network."""

import copy
import pickle

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from xception_np import arrays, implementations, models, ops, threads, tiling
from xception_np.check import compare_along
from xception_np.errors import InputError
from xception_np.layers import Chain, Step
from xception_np.models import summary
from xception_np.models.table import Conv, Flatten, Full, GlobalPool, Plain, Pool, Relu, Residual, Sep, Towers
from xception_np.updates import vector


def chain(name):
    table = models.TABLES[name]
    return Chain(name, models.layers_of(table, table.classes))


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("xception", 22_855_952),  # the paper's Table 3
        ("xception_small", 479_354),
        ("xception_large", 1_486_058),
    ],
)
def test_trainable_parameters(name, parameters):
    assert sum(p.size for p in chain(name).parameters) == parameters
    assert summary.total(chain(name), models.TABLES[name].input_shape).parameters == parameters


def test_xception_has_kerass_statistics_and_multiply_adds():
    net = chain("xception")
    assert sum(p.size for p in net.moving) == 54_528
    assert summary.total(net, (1, 299, 299, 3)).macs == 8_357_403_496


def test_where_xceptions_multiply_adds_and_parameters_are():
    rows = chain("xception").rows((1, 299, 299, 3))
    macs = {row.name: row.cost.macs for row in rows}
    assert macs["block1_conv2"] == 147 * 147 * 9 * 32 * 64  # 398.3 million, most of the stem's
    assert macs["block7_sepconv2"] == 19 * 19 * 728 * (9 + 728)  # 193.7 million, 24 times
    assert sum(value for name, value in macs.items() if "shortcut" in name) == 231_544_832
    assert macs["predictions"] == 2048 * 1000
    arrays = chain("xception").parameters
    assert sum(p.size for p in arrays if p.name.endswith("depthwise_kernel")) == 207_432
    assert sum(p.size for p in arrays if p.name.endswith("pointwise_kernel")) == 19_552_896
    for size, total in ((224, 4.553e9), (71, 0.553e9)):
        assert summary.total(chain("xception"), (1, size, size, 3)).macs == pytest.approx(total, rel=1e-3)


def test_xception_is_36_convolutions_in_14_modules():
    names = [row.name for row in chain("xception").rows((1, 299, 299, 3)) if row.kind in ("Conv", "SeparableConv")]
    assert len([name for name in names if "shortcut" not in name]) == 36
    assert len([name for name in names if "shortcut" in name]) == 4
    assert len(chain("xception").layers) == 14 + 2  # modules, pooling, last layer


def test_xceptions_shapes_are_those_of_figure_5():
    shapes = {row.name: row.output_shape for row in chain("xception").rows((1, 299, 299, 3))}
    assert shapes["block1_conv1"] == (1, 149, 149, 32)
    assert shapes["block1_conv2"] == (1, 147, 147, 64)
    assert shapes["block2_add"] == (1, 74, 74, 128)
    assert shapes["block3_add"] == (1, 37, 37, 256)
    assert all(shapes[f"block{k}_add"] == (1, 19, 19, 728) for k in range(4, 13))
    assert shapes["block13_add"] == (1, 10, 10, 1024)
    assert shapes["block14_sepconv2"] == (1, 10, 10, 2048)
    assert shapes["avg_pool"] == (1, 2048)
    assert shapes["predictions"] == (1, 1000)


@pytest.mark.parametrize("size", [71, 150, 224, 32])
def test_both_paths_of_every_module_agree_at_other_sizes(size):
    for row_shape in (row.output_shape for row in chain("xception").rows((1, size, size, 3))):
        assert min(row_shape) >= 1
    net = chain("xception")
    shape = (1, size, size, 3)
    for layer in net.layers:
        if hasattr(layer, "shortcut"):
            assert layer.main.output_shape(shape) == layer.shortcut.output_shape(shape)
        shape = layer.output_shape(shape)


def test_names_are_kerass():
    names = [row.name for row in chain("xception").rows((1, 299, 299, 3))]
    assert names[:6] == [
        "block1_conv1",
        "block1_conv1_bn",
        "block1_conv1_act",
        "block1_conv2",
        "block1_conv2_bn",
        "block1_conv2_act",
    ]
    block2 = [name for name in names if name.startswith("block2_") and "shortcut" not in name]
    assert block2 == [
        "block2_sepconv1",
        "block2_sepconv1_bn",
        "block2_sepconv2_act",  # no activation before the first: the module before ends with one
        "block2_sepconv2",
        "block2_sepconv2_bn",
        "block2_pool",
        "block2_add",
    ]
    assert [name for name in names if name.startswith("block5_")] == [
        f"block5_sepconv{k}{suffix}" for k in (1, 2, 3) for suffix in ("_act", "", "_bn")
    ] + ["block5_add"]
    assert names[-8:] == [
        "block14_sepconv1",
        "block14_sepconv1_bn",
        "block14_sepconv1_act",
        "block14_sepconv2",
        "block14_sepconv2_bn",
        "block14_sepconv2_act",
        "avg_pool",
        "predictions",
    ]
    arrays = [p.name for p in chain("xception").parameters]
    assert len(set(arrays)) == len(arrays) == 156
    assert "block2_sepconv1/depthwise_kernel" in arrays


def test_small_family_maps():
    shapes = {row.name: row.output_shape for row in chain("xception_small").rows((1, 32, 32, 3))}
    assert [shapes[f"block{k}_add"][1:] for k in range(2, 9)] == [
        (16, 16, 64),
        *[(8, 8, 128)] * 5,
        (4, 4, 256),
    ]


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("xception_small", (2, 32, 32, 3)),
        ("xception", (1, 150, 150, 3)),
        ("inception_v3", (1, 150, 150, 3)),
        ("vgg16", (1, 224, 224, 3)),
    ],
)
def test_activation_memory_is_what_the_caches_hold(name, shape):
    """To the byte, but for the statistics of batches."""
    table = models.find(name)
    if name == "vgg16":  # with small layers at the end: to draw 120 million numbers for them takes half a minute
        table = table._replace(head=(Flatten(), Full(8), Relu(), Full(8), Relu()))
    model = models.from_table(table)
    _, cache = model.forward(np.zeros(shape, np.float32), Step())
    statistics = sum(parameter.value.nbytes for parameter in model.moving)
    if model.table.norm and not model.table.norm.scale:
        statistics += statistics // 2  # a scale of 1 for each channel
    counted = summary.activation_bytes(model, shape) + statistics
    parameters = {p.name: p.value.nbytes for p in model.parameters}
    in_caches = sum(size for name, size in parameters.items() if not name.endswith("/bias"))
    assert arrays.nbytes(cache) - in_caches == counted


def test_gradient_of_the_small_network_along_random_directions():
    model = models.build("xception_small", classes=4, seed=3, dtype=np.float64)
    rng = np.random.default_rng(0)
    x, labels = rng.standard_normal((3, 32, 32, 3)), np.array([1, 0, 3])
    step = Step(0, 5)

    def loss():
        return ops.softmax_cross_entropy.forward(model.forward(x, step)[0], labels)[0]

    logits, cache = model.forward(x, step)
    _, loss_cache = ops.softmax_cross_entropy.forward(logits, labels)
    model.zero_gradients()
    dx = model.backward(ops.softmax_cross_entropy.backward(1.0, loss_cache), cache)
    for seed in range(2):
        directions = [np.random.default_rng(seed).standard_normal(a.shape) for a in (x, model.buffers.values)]
        compare_along(loss, [x, model.buffers.values], [dx, model.buffers.gradients], directions, step=1e-8, budget=1e-6).require()


def test_the_same_bits_for_any_number_of_threads():
    results = []
    for count in (1, 2, 2, 3):
        with threads.use(count):
            model = models.build("xception_small", seed=1)
            x = np.random.default_rng(0).standard_normal((8, 32, 32, 3)).astype(np.float32)
            y, cache = model.forward(x, Step())
            model.backward(np.ones_like(y), cache)
            results.append((y, model.buffers.gradients.copy(), model.buffers.moving.copy()))
    for other in results[1:]:
        for a, b in zip(results[0], other, strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("images", [1, 3])
def test_the_same_bits_of_few_images_that_are_cut_differently(images):
    model = models.build("xception_small", seed=1)
    x, results = np.random.default_rng(0).standard_normal((images, 32, 32, 3)).astype(np.float32), []
    for count in (1, 2, 3, 5):
        with threads.use(count), tiling.tiny_tiles():
            results.append(model.predict(x).tobytes())
    assert results[1:] == results[:1] * 3


def test_the_cpu_computes_what_the_reference_computes():
    x = np.random.default_rng(0).standard_normal((2, 32, 32, 3))
    gradients = []
    for name in ("reference", "cpu"):
        with implementations.use(name):
            model = models.build("xception_small", seed=1, dtype=np.float64)
            y, cache = model.forward(x, Step())
            model.backward(np.cos(np.arange(y.size)).reshape(y.shape), cache)
            gradients.append(model.buffers.gradients)
    np.testing.assert_allclose(gradients[1], gradients[0], rtol=0, atol=1e-10 * np.abs(gradients[0]).max())


def test_predict_asks_blas_for_one_thread_once(monkeypatch):
    """Between the passes, too: its threads would wait awake for more, and ours for them."""
    model, held = models.build("xception_small", classes=2), []
    apply = model.apply

    def look(x):
        held.extend(pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas")
        return apply(x)

    monkeypatch.setattr(model, "apply", look)
    model.predict(np.zeros((2, 32, 32, 3), np.float32), batch=1)
    assert held and set(held) == {1}


def test_a_model_is_where_it_is_computed_only_inside():
    model = models.build("xception_small", seed=0)
    before = model.buffers
    with pytest.raises(KeyboardInterrupt), model.computed_by("reference"):
        assert (model.place, implementations.default()) == ("numpy", "reference")
        raise KeyboardInterrupt
    assert model.buffers is before and implementations.default() == "cpu"


@pytest.mark.usefixtures("needs_compiler")
def test_a_model_comes_back_from_the_device():
    model = models.build("xception_small", seed=0)
    before = model.buffers
    with model.computed_by("emulated"):
        assert model.place == "emulated"
        model.buffers.values.set(np.ones(before.values.shape, np.float32))
    assert model.place == "numpy" and model.buffers is before
    assert (model.parameters[0].value == 1).all() and not (before.gradients == 1).any()


def test_predict_in_batches_is_predict_at_once():
    model = models.build("xception_small")
    x = np.random.default_rng(0).standard_normal((5, 32, 32, 3)).astype(np.float32)
    # products of another number of rows may be summed in another order: rounding of float32
    np.testing.assert_allclose(model.predict(x, batch=2), model.predict(x), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))], ids=["copy", "pickle"])
def test_a_copy_is_a_model_of_its_own(copied):
    model = models.build("xception_small")
    other = copied(model)
    for name, array in other.arrays.items():
        np.testing.assert_array_equal(array, model.arrays[name])
        assert not np.shares_memory(array, model.arrays[name])
    other.buffers.values[...] = other.buffers.moving[...] = 3
    assert all((array == 3).all() for array in other.arrays.values())
    logits, cache = other.forward(np.ones((2, 32, 32, 3), np.float32), Step())
    other.backward(np.ones_like(logits), cache)
    assert other.buffers.gradients.any()
    assert not model.buffers.gradients.any()


def test_summary_has_a_line_a_layer_and_the_total():
    text = models.build("xception_small").summary()
    assert "block2_sepconv1  " in text
    assert "479,354" in text.splitlines()[-3]


def test_wrong_arguments():
    with pytest.raises(InputError, match=r"model is 'xcepton'; expected one of xception, "):
        models.build("xcepton")
    with pytest.raises(InputError, match="classes is 0"):
        models.build("xception_small", classes=0)
    with pytest.raises(InputError, match="seed is -1"):
        models.build("xception_small", seed=-1)
    with pytest.raises(InputError, match=r"dropout is 1\.0; expected a probability"):
        models.build("xception_small", dropout=1.0)
    with pytest.raises(InputError, match="dtype is None"):
        models.build("xception_small", dtype=None)
    for shape in ((32, 32, 3), (1, 32, 32, 1)):
        with pytest.raises(InputError, match=r"x_shape is \(.*; expected \(N, H, W, 3\)"):
            models.build("xception_small").summary(shape)
    with pytest.raises(InputError, match="at least 1 along N"):
        models.build("xception_small").predict(np.zeros((0, 32, 32, 3), np.float32))


def changed(**settings):
    return models.TABLES["xception_small"]._replace(name="mine", **settings)


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        (changed(modules=(Plain("block1", (Sep(8))),)), "a row of block1 is 8; expected Conv, Sep, .* or Towers, and a comma"),
        (changed(modules=(Plain("block1", (Sep(8), Full(3))),)), r"a row of block1 is Full\(units=3\); expected Conv"),
        (changed(modules=(Sep(8),)), r"a module of mine is Sep\(.*; expected Plain or Residual"),
        (changed(head=(GlobalPool(), Sep(8))), r"a row of the head is Sep\(.*; expected GlobalPool, Flatten, Full or Relu"),
        (changed(modules=(Plain("block1", (Towers(()),)),)), r"towers of block1 is \(\); expected one or more"),
        (changed(head=()), r"the head of mine leaves \(1, 4, 4, 384\); expected GlobalPool\(\) or Flatten\(\)"),
        (
            changed(modules=(Residual("block1", (Sep(8),)),)),
            r"block1 adds \(1, 32, 32, 8\), of its main path, and \(1, 32, 32, 3\)",
        ),
        (changed(modules=(Plain("block1", (Sep(8),)),) * 2), "two parameters of mine are called block1_sepconv1/depthwise_kernel"),
    ],
)
def test_a_table_that_makes_no_network(table, sentence):
    with pytest.raises(InputError, match=sentence):
        models.from_table(table)


def test_a_shortcut_of_two_convolutions():
    module = Residual("block1", (Sep(8), Pool()), shortcut=(Conv(8, 1, stride=2), Conv(8, 1)))
    model = models.from_table(changed(modules=(module,)))
    assert {"block1_shortcut/kernel", "block1_shortcut2/kernel"} <= model.arrays.keys()


def test_dropout_stands_before_the_last_layer():
    model = models.build("xception_small", dropout=0.5)
    assert [row.name for row in model.rows((1, 32, 32, 3))][-3:] == ["avg_pool", "dropout", "predictions"]
    assert models.build("xception_small").buffers.values.size == model.buffers.values.size
    with pytest.raises(InputError, match=r"dropout is 1\.5"):
        models.build("xception_small", dropout=1.5)


@pytest.mark.usefixtures("needs_compiler")
@pytest.mark.parametrize("copied", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))], ids=["copy", "pickle"])
def test_a_copy_on_the_emulated_device_has_memory_of_its_own(copied):
    model = models.from_table(models.find("xception_small")._replace(modules=()), 2)
    model.move("emulated")
    other = copied(model)
    values = model.buffers.values.get()
    np.testing.assert_array_equal(other.buffers.values.get(), values)
    vector.fill(other.buffers.values, 3)  # by a kernel
    assert (other.parameters[0].value.get() == 3).all()
    np.testing.assert_array_equal(model.buffers.values.get(), values)


def test_a_model_costs_what_its_layers_cost():
    model, shape = models.build("xception_small"), (2, 32, 32, 3)
    assert model.cost(shape) == summary.total(model, shape)
    assert Chain("nothing").cost(shape) == (0, 0, 0, 0)


def test_columns_of_a_summary_are_as_wide_as_their_numbers():
    lines = models.build("xception_small").summary((10_000, 32, 32, 3)).splitlines()[1:-2]
    assert len({len(line) for line in lines}) == 1
    assert lines[-1].split() == ["total", "479,354", "406,279,680,000", lines[-1].split()[-1]]
