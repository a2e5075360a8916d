"""The published networks beside Keras's own, on one weight file: random weights, and batch-norm statistics from a forward pass.

Without such statistics the signal of 36 random layers would vanish or explode, and any answer would do. With them and a ReLU
that cuts the normalised signal in half, every layer without a shortcut multiplies a rounding error by some 1.2 (Yang et al.,
"A mean field theory of batch normalization", 2019): at beta = 0 both networks stray 5e-5 to 1e-4 of the largest logit from the same
Inception V3 in float64, at beta around 1/2 1e-5. That leaves the budget for mistakes.
"""

import inspect
import os
import sys
import warnings

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
with warnings.catch_warnings():  # of other libraries about each other
    warnings.simplefilter("ignore")
    pytest.importorskip("tensorflow", reason="parity with Keras needs TensorFlow: pip install 'xception-np[parity]'")
    pytest.importorskip("keras", reason="parity with Keras needs keras: pip install 'xception-np[parity]'")

import h5py
import keras
import numpy as np
from keras.src.legacy.saving import legacy_h5_format

from benchmarks.keras_twin import keras_twin
from xception_np import layers, models, weights
from xception_np.errors import InputError
from xception_np.geometry import Geometry
from xception_np.training import pretrained
from xception_np.weights import keras_layers

pytestmark = [
    pytest.mark.parity,
    pytest.mark.filterwarnings("ignore"),  # of TensorFlow's own, and of Keras's about its old format
]

BUDGET = 1e-4  # of the largest logit: float32 through some 100 layers, in another order of sums
APPLICATIONS = {
    "xception": (keras.applications.Xception, (299, 224, 150, 71)),
    "inception_v3": (keras.applications.InceptionV3, (299, 224, 75)),
    "vgg16": (keras.applications.VGG16, (224,)),
}


def pictures(count, size, seed=0):
    """Smooth random pictures, from -1 to 1 or so."""
    coarse = np.random.default_rng(seed).standard_normal((count, 8, 8, 3)).astype(np.float32)
    return np.array(keras.ops.image.resize(coarse, (size, size), interpolation="bilinear"))


def application(name, size):
    """Keras's network with random numbers in every array, and statistics of the pictures that it is to see."""
    model = APPLICATIONS[name][0](weights=None, input_shape=(size, size, 3), classifier_activation=None)
    random = np.random.default_rng(1)
    norms = [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]
    for layer in norms:
        if layer.scale:
            layer.gamma.assign(random.uniform(0.5, 1.5, layer.gamma.shape))
        layer.beta.assign(0.5 + 0.3 * random.standard_normal(layer.beta.shape))
        layer.momentum = 0.0
    if norms:
        model(pictures(8 if size > 100 else 48, size), training=True)  # of small ones little is left at the end
    else:
        for layer in model.layers:
            for variable in layer.weights:
                if variable.path.endswith("bias"):
                    variable.assign(0.1 * random.standard_normal(variable.shape))
    return model


def same(logits, expected):
    assert np.isfinite(expected).all()
    assert expected.std() > 0.01
    np.testing.assert_allclose(logits, expected, rtol=0, atol=BUDGET * np.abs(expected).max())


@pytest.mark.slow
@pytest.mark.parametrize("name", APPLICATIONS)
def test_logits_are_kerass(name, tmp_path):
    """At every size, for batches of 1 and 3."""
    ours = models.build(name)
    for size in APPLICATIONS[name][1]:
        theirs = application(name, size)
        theirs.save_weights(tmp_path / "theirs.weights.h5")
        weights.load(ours, tmp_path / "theirs.weights.h5")
        for count in (1, 3):
            x = pictures(count, size)
            same(ours.predict(x), np.asarray(theirs(x, training=False)))


@pytest.mark.slow
@pytest.mark.parametrize("name", APPLICATIONS)
def test_keras_loads_what_we_write(name, tmp_path):
    ours = models.build(name, seed=3)
    size = APPLICATIONS[name][1][-1]
    theirs = application(name, size)
    theirs.save_weights(tmp_path / "theirs.weights.h5")
    weights.load(ours, tmp_path / "theirs.weights.h5")
    x = pictures(2, size)
    expected = np.asarray(theirs(x, training=False))
    for file in ("ours.weights.h5", "ours.h5"):
        weights.save(ours, tmp_path / file)
        other = application(name, size)
        for variable in other.weights:
            variable.assign(np.zeros(variable.shape))
        other.load_weights(tmp_path / file)
        for variable, original in zip(other.weights, theirs.weights, strict=True):
            np.testing.assert_array_equal(np.asarray(variable), np.asarray(original))
        same(np.asarray(other(x, training=False)), expected)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["xception", "inception_v3"])
def test_every_layout_that_keras_writes(name, tmp_path):
    size = APPLICATIONS[name][1][-1]
    theirs = application(name, size)
    theirs.save_weights(tmp_path / "x.weights.h5")
    theirs.save(tmp_path / "x.keras")
    theirs.save(tmp_path / "x.h5")
    with h5py.File(tmp_path / "legacy.h5", "w") as file:
        legacy_h5_format.save_weights_to_hdf5_group(file, theirs)
    x = pictures(1, size)
    expected = np.asarray(theirs(x, training=False))
    for file in ("x.weights.h5", "x.keras", "x.h5", "legacy.h5"):
        ours = models.build(name, seed=4)
        weights.load(ours, tmp_path / file)
        same(ours.predict(x), expected)


@pytest.mark.slow
@pytest.mark.parametrize("name", APPLICATIONS)
def test_every_layers_parameters_and_multiply_adds(name):
    """From the shapes of Keras's own layers, at the size that the network is made for."""
    size = APPLICATIONS[name][1][0]
    theirs = APPLICATIONS[name][0](weights=None, input_shape=(size, size, 3))
    ours = models.build(name)
    costs = {}
    for row in ours.rows((1, size, size, 3)):
        layer = row.name.removesuffix("_bias")
        parameters, macs = costs.get(layer, (0, 0))
        costs[layer] = (parameters + row.cost.parameters, macs + row.cost.macs)
    order = keras_layers.in_topological_order(ours)
    with_weights = [layer for layer in theirs.layers if layer.weights]
    for layer, mine in zip(with_weights, order, strict=True):
        trainable = sum(int(np.prod(variable.shape)) for variable in layer.trainable_weights)
        positions = int(np.prod(layer.output.shape[1:-1]))
        kernels = [variable.shape for variable in layer.weights if variable.path.endswith("kernel")]
        assert costs[mine.name] == (trainable, positions * sum(int(np.prod(shape)) for shape in kernels)), mine.name
    assert sum(parameters for parameters, _ in costs.values()) == sum(int(np.prod(v.shape)) for v in theirs.trainable_weights)


def test_the_published_checksums_are_kerass():
    for name, (build, _) in APPLICATIONS.items():
        source = inspect.getsource(sys.modules[build.__module__])
        published = pretrained.PUBLISHED[name]
        assert published.md5 in source
        assert published.address.rpartition("/")[2] in source


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (layers.SeparableConv("sep", 3, 4, Geometry(3), activation="relu"), "sep has relu between its halves"),
        (layers.Conv("conv", 3, 4, Geometry(3, padding=((1, 0), (0, 1)))), "expected 'same' or 'valid'"),
    ],
)
def test_what_keras_has_no_layer_for(layer, message):
    with pytest.raises(InputError, match=message):
        keras_twin(layers.Chain("net", [layer]), (8, 8, 3))
