"""The form for inference gives the same answers, without batch normalisation."""

import numpy as np
import pytest

from xception_np import models, weights
from xception_np.errors import InputError
from xception_np.geometry import Geometry
from xception_np.layers import BatchNorm, Bias, Conv, Dense, GlobalAvgPool, leaves
from xception_np.models.folding import folded
from xception_np.models.inside import features
from xception_np.models.table import Norm


def stirred(model):
    """Random numbers in every array."""
    random = np.random.default_rng(0)
    model.buffers.values[...] += 0.1 * random.standard_normal(model.buffers.values.size)
    model.buffers.moving[...] = random.uniform(0.5, 1.5, model.buffers.moving.size)
    return model


@pytest.mark.parametrize(
    ("name", "size"),
    [("xception_small", 32), ("xception_small:segments=4", 32), ("xception", 71), ("inception_v3", 75), ("inception_v3_paper", 75)],
)
def test_the_same_answers(name, size):
    """To 1e-5 of the largest logit in float32."""
    model = stirred(models.build(name, classes=10))
    x = np.random.default_rng(1).standard_normal((2, size, size, 3)).astype(np.float32)
    inference = folded(model)
    assert not any(isinstance(layer, BatchNorm) for layer in leaves(inference))
    expected = model.predict(x)
    assert np.isfinite(expected).all()
    np.testing.assert_allclose(inference.predict(x), expected, rtol=0, atol=1e-5 * np.abs(expected).max())


def test_the_same_to_rounding_in_float64():
    table = models.find("xception_small")._replace(norm=Norm(scale=False), bias=True)
    model = stirred(models.from_table(table, dtype=np.float64))
    x = np.random.default_rng(1).standard_normal((2, 32, 32, 3))
    np.testing.assert_allclose(folded(model).predict(x), model.predict(x), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(
    "between", [Bias("conv", 4, "relu"), BatchNorm("inner", 4, relu_name="relu"), Bias("conv", 4)], ids=["bias", "norm", "no relu"]
)
def test_a_relu_before_batch_normalisation_stays(between):
    first = [Conv("conv", 3, 4, Geometry(3)), between, BatchNorm("outer", 4)]
    table = models.TABLES["xception_small"]._replace(name="mine")
    model = stirred(models.Model(table, [*first, GlobalAvgPool("pool"), Dense("predictions", 4, 2)], 2))
    x = np.random.default_rng(1).standard_normal((2, 8, 8, 3)).astype(np.float32)
    np.testing.assert_allclose(folded(model).predict(x), model.predict(x), rtol=0, atol=1e-5)


def test_the_model_keeps_its_weights():
    model = stirred(models.build("xception_small"))
    before = {name: array.copy() for name, array in model.arrays.items()}
    folded(model)
    for name, array in model.arrays.items():
        np.testing.assert_array_equal(array, before[name])


def test_what_is_folded_stays_as_it_is():
    """Whatever the model it was made from learns later, or wherever that goes."""
    model = stirred(models.build("xception_small"))
    x = np.random.default_rng(1).standard_normal((2, 32, 32, 3)).astype(np.float32)
    with model.with_buffers(values=model.buffers.values + np.float32(0.01)):
        inference = folded(model)
        inside = inference.predict(x)
    np.testing.assert_array_equal(inference.predict(x), inside)
    model.buffers.values[...] = 0
    np.testing.assert_array_equal(inference.predict(x), inside)


@pytest.mark.parametrize(
    "read", [folded, lambda form: weights.save(form, "x.h5"), lambda form: features(form, np.zeros((1, 32, 32, 3), np.float32), [])]
)
def test_what_wants_the_model_itself_says_so(read):
    with pytest.raises(InputError, match="model is xception_small in its form for inference; expected the model"):
        read(folded(models.build("xception_small")))
