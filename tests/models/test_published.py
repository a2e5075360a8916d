"""The other networks: counts to the last digit, shapes, names."""

import numpy as np
import pytest

from xception_np import models
from xception_np.check import compare_along
from xception_np.errors import InputError
from xception_np.layers import Chain, Step
from xception_np.models import summary
from xception_np.models.table import Norm, Plain


def chain(name):
    table = models.find(name)
    return Chain(name, models.layers_of(table, table.classes))


@pytest.mark.parametrize(
    ("name", "trainable", "moving", "macs"),
    [
        ("inception_v3", 23_817_352, 34_432, 5_713_216_096),  # Keras: 23,851,784 in all
        ("inception_v3_paper", 23_626_728, None, None),  # the paper's Table 3
        ("vgg16", 138_357_544, 0, 15_470_264_320),
        ("legacy_xception", 22_855_952, 54_528, 8_357_403_496),
    ],
)
def test_counts_to_the_last_digit(name, trainable, moving, macs):
    net = chain(name)
    assert sum(p.size for p in net.parameters) == trainable
    total = summary.total(net, models.TABLES[name].input_shape)
    assert total.parameters == trainable
    assert moving is None or sum(p.size for p in net.moving) == moving
    assert macs is None or total.macs == macs


def test_fully_connected_layers_of_the_jft_runs():
    plain, full = chain("xception"), chain("xception_fc")
    added = 2048 * 4096 + 4096 + 4096 * 4096 + 4096
    last = (2048 * 1000 + 1000, 4096 * 17_000 + 17_000)
    assert sum(p.size for p in full.parameters) - sum(p.size for p in plain.parameters) == added + last[1] - last[0]
    assert [row.name for row in full.rows((1, 299, 299, 3))][-5:] == ["fc1", "fc1_act", "fc2", "fc2_act", "predictions"]


def test_inception_v3_is_94_convolutions_in_the_shapes_of_keras():
    rows = chain("inception_v3").rows((1, 299, 299, 3))
    assert len([row for row in rows if row.kind == "Conv"]) == 94
    shapes = {row.name: row.output_shape[1:] for row in rows}
    assert shapes["stem1_pool"] == (73, 73, 64)
    assert shapes["stem2_pool"] == (35, 35, 192)
    assert [shapes[f"mixed{k}_concat"] for k in range(11)] == [
        (35, 35, 256),
        (35, 35, 288),
        (35, 35, 288),
        *[(17, 17, 768)] * 5,
        (8, 8, 1280),
        *[(8, 8, 2048)] * 2,
    ]
    assert "mixed9_branch3x3_2_conv1" in shapes


def test_inception_v3_takes_pictures_down_to_75_pixels():
    assert chain("inception_v3").rows((1, 75, 75, 3))[-1].output_shape == (1, 1000)
    with pytest.raises(InputError, match="the kernel spans 3"):
        chain("inception_v3").rows((1, 74, 74, 3))


def test_vgg16_is_made_for_one_size():
    shapes = {row.name: row.output_shape for row in chain("vgg16").rows((1, 224, 224, 3))}
    assert shapes["block5_pool"] == (1, 7, 7, 512)
    assert shapes["flatten"] == (1, 25088)
    assert shapes["fc2"] == (1, 4096)
    with pytest.raises(InputError, match="25088"):
        chain("vgg16").rows((1, 160, 160, 3))


SMALL_INCEPTION = models.TABLES["inception_v3"]._replace(
    name="small_inception", input_size=75, norm=Norm(momentum=0.9, scale=False), classes=3
)


@pytest.mark.parametrize("frozen", [False, True], ids=["training", "frozen"])
@pytest.mark.parametrize("bias", [False, True], ids=["without bias", "with bias"])
def test_gradient_of_inception_modules_along_random_directions(bias, frozen):
    table = SMALL_INCEPTION._replace(modules=SMALL_INCEPTION.modules[-1:], bias=bias)
    table = table._replace(modules=(Plain("narrow", (models.table.Conv(6, 1),)), *map(narrowed, table.modules)))
    model = models.from_table(table, seed=3, dtype=np.float64)
    random = np.random.default_rng(0)
    x, dy = random.standard_normal((2, 5, 6, 3)), random.standard_normal((2, 3))
    model.buffers.values[...] += 0.1 * random.standard_normal(
        model.buffers.values.size
    )  # a beta of 0 would put dead channels at a kink
    step = Step(0, 5, frozen=frozen)
    _, cache = model.forward(x, step)
    dx = model.backward(dy, cache)
    arrays, gradients = [x, model.buffers.values], [dx, model.buffers.gradients.copy()]
    for seed in range(3):
        directions = [np.random.default_rng(seed).standard_normal(a.shape) for a in arrays]
        compare_along(lambda: float(np.sum(model.forward(x, step)[0] * dy)), arrays, gradients, directions, 1e-7, 1e-6).require()


def narrowed(module):
    """A module with a hundredth of the filters."""

    def of(rows):
        return tuple(
            row._replace(filters=max(1, row.filters // 100))
            if isinstance(row, models.table.Conv)
            else row._replace(towers=tuple(tower._replace(rows=of(tower.rows)) for tower in row.towers))
            if isinstance(row, models.table.Towers)
            else row
            for row in rows
        )

    return module._replace(rows=of(module.rows))
