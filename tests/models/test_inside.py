"""Features at named layers, and Grad-CAM: the same values as the network's own, and a gradient by finite differences."""

import numpy as np
import pytest

from xception_np import models
from xception_np.errors import InputError
from xception_np.models import inside


@pytest.fixture(scope="module")
def model():
    found = models.build("xception_small", classes=4, seed=1, dtype=np.float64)
    found.buffers.moving[...] = np.random.default_rng(2).uniform(0.5, 1.5, found.buffers.moving.size)
    return found


@pytest.fixture(scope="module")
def x():
    return np.random.default_rng(0).standard_normal((2, 32, 32, 3))


def test_features_are_what_the_layers_make(model, x):
    wanted = ["block1_conv2_bn", "block1_conv2_act", "block4_sepconv1_act", "block5_add", "avg_pool", "predictions"]
    found = inside.features(model, x, wanted)
    shapes = {row.name: row.output_shape for row in model.rows(x.shape)}
    assert {name: array.shape for name, array in found.items()} == {name: shapes[name] for name in wanted}
    np.testing.assert_allclose(found["predictions"], model.predict(x), rtol=1e-12)
    np.testing.assert_array_equal(found["block1_conv2_act"], np.maximum(found["block1_conv2_bn"], 0))
    assert found["block1_conv2_bn"].min() < 0
    np.testing.assert_allclose(
        found["avg_pool"] @ model.arrays["predictions/kernel"] + model.arrays["predictions/bias"], found["predictions"]
    )


def test_every_name_of_a_summary_can_be_asked_for(model, x):
    names = inside.names(model)
    assert len(set(names)) == len(names)
    found = inside.features(model, x[:1], names)
    for row in model.rows((1, *x.shape[1:])):
        assert found[row.name].shape == row.output_shape


def test_towers_of_inception_too():
    table = models.find("inception_v3")
    model = models.from_table(table._replace(modules=table.modules[:3], classes=2))
    x = np.zeros((1, 75, 75, 3), np.float32)
    found = inside.features(model, x, ["mixed0_branch5x5_conv2", "mixed0_concat"])
    assert found["mixed0_concat"].shape[3] == 256
    assert found["mixed0_branch5x5_conv2"].shape[3] == 64


def test_grad_cam_is_its_formula(model, x):
    """The weights by finite differences: the logit as a function of what the layer makes, through the layers after it."""
    layer = "block8_add"
    a = inside.features(model, x, [layer])[layer]
    place = [row.name for row in model.layers[7].rows((2, 8, 8, 128))][-1]
    assert place == layer

    def logits(value):
        for after in model.layers[8:]:
            value = after.apply(value)
        return value

    weight = np.zeros((2, a.shape[3]))
    for channel in range(a.shape[3]):  # the mean gradient over positions is the slope along all of them, divided by their number
        step = np.zeros_like(a)
        step[..., channel] = 1e-6
        weight[:, channel] = ((logits(a + step) - logits(a - step))[:, 1] / 2e-6) / (a.shape[1] * a.shape[2])
    expected = np.maximum(np.einsum("nc,nhwc->nhw", weight, a), 0)
    expected /= expected.max(axis=(1, 2), keepdims=True)
    np.testing.assert_allclose(inside.grad_cam(model, x, [1, 1], layer), expected, atol=1e-6)


def test_grad_cam_chooses_class_and_layer_and_leaves_no_trace(model, x):
    before = model.buffers.gradients.copy()
    maps = inside.grad_cam(model, x)
    taken = model.predict(x).argmax(axis=1)
    np.testing.assert_array_equal(maps, inside.grad_cam(model, x, taken, "block9_sepconv1_act"))
    np.testing.assert_array_equal(model.buffers.gradients, before)
    assert maps.shape == (2, 4, 4)
    assert maps.min() >= 0
    assert maps.max() <= 1


def test_wrong_questions(model, x):
    with pytest.raises(InputError, match="layer is 'block4_sepconv9'; expected one of block4_sepconv1_act, block4_sepconv1"):
        inside.features(model, x, ["block4_sepconv9"])
    with pytest.raises(InputError, match="expected one whose result is an image"):
        inside.grad_cam(model, x, layer="avg_pool")
    with pytest.raises(InputError, match="wanted is 'predictions'; expected a list of names"):
        inside.features(model, x, "predictions")
    for classes in ([1], [1, 4], [1, -1], [0.5, 1], 3, "ab", np.array([[1, 1]])):
        with pytest.raises(InputError, match="classes is"):
            inside.grad_cam(model, x, classes)
