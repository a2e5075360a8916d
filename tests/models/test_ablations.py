"""Tables changed in one respect."""

import numpy as np
import pytest

from xception_np import models
from xception_np.check import compare_along
from xception_np.errors import InputError
from xception_np.layers import Residual, SeparableConv, Step


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
    """On a table with 128 channels everywhere, S = 128."""
    table = models.find("xception_small")
    table = table._replace(modules=table.modules[3:4], classes=3)
    plain = models.from_table(table, dtype=np.float64)
    segmented = models.from_table(models.ablations.changed(table, "segments=3"), dtype=np.float64)
    assert (
        {p.name for p in segmented.parameters if "spatial" in p.name}
        == {f"block4_sepconv{k}_spatial/kernel" for k in (1, 2, 3)} | set()
        if plain.table.modules[0].main[1].filters == 3
        else True
    )


@pytest.mark.parametrize("name", ["no-residual", "relu", "elu", "segments=2", "no-residual,segments=4,elu"])
def test_gradients_along_random_directions(name):
    model = models.build(f"xception_small:{name}", classes=4, seed=3, dtype=np.float64)
    random = np.random.default_rng(0)
    x, dy = random.standard_normal((2, 16, 16, 3)), random.standard_normal((2, 4))
    _, cache = model.forward(x, Step())
    dx = model.backward(dy, cache)
    arrays, gradients = [x, model.buffers.values], [dx, model.buffers.gradients.copy()]
    directions = [np.random.default_rng(1).standard_normal(a.shape) for a in arrays]
    compare_along(lambda: float(np.sum(model.forward(x, Step())[0] * dy)), arrays, gradients, directions, 1e-8, 1e-5).require()


@pytest.mark.parametrize("name", ["xception_small:relu6", "xception_small:segments=x", "xception_small:", "xcepton:relu"])
def test_unknown_changes(name):
    if name.endswith(":"):
        assert models.find(name).name == "xception_small"
        return
    with pytest.raises(InputError, match="expected"):
        models.build(name)


def test_segments_that_do_not_divide_say_which_do():
    with pytest.raises(InputError, match="segments is 3; expected a number that divides C=32"):
        models.build("xception_small:segments=3")


def leaves(layer):
    for name in ("layers", "branches"):
        if hasattr(layer, name):
            return [leaf for inner in getattr(layer, name) for leaf in leaves(inner)]
    if isinstance(layer, Residual):
        return leaves(layer.main) + leaves(layer.shortcut)
    return [layer]
