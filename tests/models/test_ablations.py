"""Tables changed in one respect."""

import numpy as np
import pytest

from xception_np import models
from xception_np.check import compare_along
from xception_np.errors import InputError
from xception_np.layers import Residual, SeparableConv, Step, leaves
from xception_np.models.table import Plain, Sep


def test_without_residuals_only_the_shortcuts_go():
    before, after = models.build("xception_small"), models.build("xception_small:no-residual")
    assert not any(isinstance(layer, Residual) for layer in after.layers)
    gone = {p.name for p in before.parameters} - {p.name for p in after.parameters}
    assert gone == {p.name for p in before.parameters if "shortcut" in p.name}
    assert {p.name for p in after.parameters} < {p.name for p in before.parameters}


@pytest.mark.parametrize("activation", ["relu", "elu"])
def test_an_activation_between_depthwise_and_pointwise(activation):
    model = models.build(f"xception_small:{activation}")
    separable = [layer for layer in leaves(model) if isinstance(layer, SeparableConv)]
    assert len(separable) == 2 + 2 + 12 + 2 + 1
    assert {layer.activation for layer in separable} == {activation}


@pytest.mark.parametrize("segments", [1, 2, 4])
def test_segments_of_every_separable_convolution(segments):
    model = models.build(f"xception_small:segments={segments}")
    arrays = {p.name: p.shape for p in model.parameters}
    assert arrays["block4_sepconv1_spatial/kernel"] == (3, 3, 128 // segments, 128)
    assert arrays["block4_sepconv1_pointwise/kernel"] == (1, 1, 128, 128)


def test_as_many_segments_as_channels_are_the_network_itself():
    table = models.find("xception_small")._replace(modules=(Plain("block1", (Sep(5),)),), classes=3)  # on the picture's 3 channels
    plain = models.from_table(table, dtype=np.float64)
    segmented = models.from_table(models.ablations.changed(table, "segments=3"), dtype=np.float64)
    for name, array in segmented.arrays.items():
        theirs = {"block1_sepconv1_spatial/kernel": "depthwise_kernel", "block1_sepconv1_pointwise/kernel": "pointwise_kernel"}
        source = f"block1_sepconv1/{theirs[name]}" if name in theirs else name
        array[...] = plain.arrays[source].reshape(array.shape)
    x = np.random.default_rng(0).standard_normal((2, 7, 6, 3))
    np.testing.assert_allclose(segmented.predict(x), plain.predict(x), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", ["no-residual", "relu", "elu", "segments=2", "no-residual,segments=4,elu"])
def test_gradients_along_random_directions(name):
    """Along the gradient and a random direction together: the slope is then no small number among rounding errors."""
    model = models.build(f"xception_small:{name}", classes=4, seed=3, dtype=np.float64)
    random = np.random.default_rng(0)
    x, dy = random.standard_normal((3, 32, 32, 3)), random.standard_normal((3, 4))
    _, cache = model.forward(x, Step())
    dx = model.backward(dy, cache)
    arrays, gradients = [x, model.buffers.values], [dx, model.buffers.gradients.copy()]
    directions = [gradient / np.linalg.norm(gradient) + _unit(random, gradient.shape) for gradient in gradients]
    compare_along(lambda: float(np.sum(model.forward(x, Step())[0] * dy)), arrays, gradients, directions, 1e-9, 1e-6).require()


def _unit(random, shape):
    direction = random.standard_normal(shape)
    return direction / np.linalg.norm(direction)


@pytest.mark.parametrize(
    "name",
    [
        "xception_small:relu6",
        "xception_small:segments=x",
        "xception_small:segments=04",
        "xception_small:segments=4,segments=8",
        "xcepton:relu",
        "xception" + ":relu" * 99,
    ],
)
def test_unknown_changes(name):
    with pytest.raises(InputError, match="expected"):
        models.build(name)


def test_segments_that_do_not_divide_say_which_do():
    with pytest.raises(InputError, match="segments is 3; expected a number that divides C=32"):
        models.build("xception_small:segments=3")


@pytest.mark.parametrize(
    ("name", "match"),
    [
        ("vgg16:no-residual", "which changes nothing there"),
        ("inception_v3:segments=4", "which changes nothing there"),
        ("xception_small:relu,elu", "expected no second activation"),
    ],
)
def test_changes_of_nothing(name, match):
    with pytest.raises(InputError, match=match):
        models.find(name)
