"""Weight files of Keras and timm, read into tiny networks: the same answers as theirs; and what may be wrong with a file."""

import json
import pickle
import shutil
import zipfile
import zlib
from pathlib import Path

import h5py
import numpy as np
import pytest
from safetensors.numpy import load_file, save_file
from tiny import SIZE, tiny_inception, tiny_vgg, tiny_xception

from xception_np import models, weights
from xception_np.errors import InputError
from xception_np.models.table import Conv, Plain, Sep
from xception_np.weights import keras_layers, timm_files

FIXTURES = Path(__file__).parent / "fixtures"
EXPECTED = json.loads((FIXTURES / "expected.json").read_text())
TABLES = {
    "xception": tiny_xception(),
    "legacy_xception": tiny_xception("legacy_xception"),
    "inception_v3": tiny_inception(),
    "vgg16": tiny_vgg(),
}
BUDGET = 1e-5  # float32 through some 30 layers, in parts of the largest logit


def pictures():
    return np.random.default_rng(0).standard_normal((2, SIZE, SIZE, 3)).astype(np.float32)


def built(name="xception", seed=5):
    return models.from_table(TABLES[name], seed=seed)


def same(logits, expected):
    expected = np.asarray(expected)
    np.testing.assert_allclose(logits, expected, rtol=0, atol=BUDGET * np.abs(expected).max())


def refused(path, match, model=None, **options):
    """The error, and a model that is as it was."""
    model = model or built()
    before = {name: array.copy() for name, array in model.arrays.items()}
    with pytest.raises(InputError, match=match):
        weights.load(model, path, **options)
    for name, array in model.arrays.items():
        np.testing.assert_array_equal(array, before[name])


@pytest.mark.parametrize("file", EXPECTED)
def test_a_file_of_keras_or_timm_gives_their_answers(file):
    model = built(EXPECTED[file]["table"])
    assert weights.load(model, FIXTURES / file) == []
    same(model.predict(pictures()), EXPECTED[file]["logits"])


@pytest.mark.parametrize(
    ("name", "layout"), [("x.safetensors", None), ("x.h5", None), ("x.weights.h5", None), ("x.safetensors", "timm")]
)
def test_what_we_write_we_read(name, layout, tmp_path):
    table = "legacy_xception" if layout else "xception"
    first, second = built(table, 1), built(table, 2)
    first.buffers.moving[...] = np.random.default_rng(0).uniform(0.5, 1, first.buffers.moving.size)
    weights.save(first, tmp_path / name, layout)
    weights.load(second, tmp_path / name)
    for array, other in zip(first.arrays.values(), second.arrays.values(), strict=True):
        np.testing.assert_array_equal(array, other)


@pytest.mark.parametrize("name", ["inception_v3", "xception"])
def test_what_we_write_is_laid_out_as_keras_lays_it_out(name, tmp_path):
    """The same groups and datasets as in the files that Keras wrote, with the same numbers."""
    model = built(name)
    weights.load(model, FIXTURES / f"{name}.weights.h5")
    weights.save(model, tmp_path / "x.weights.h5")
    with h5py.File(FIXTURES / f"{name}.weights.h5") as theirs, h5py.File(tmp_path / "x.weights.h5") as ours:
        expected = {place: dataset[()] for place, dataset in flat(theirs["layers"])}
        found = {place: dataset[()] for place, dataset in flat(ours["layers"])}
    assert found.keys() == expected.keys()
    for place, array in found.items():
        np.testing.assert_array_equal(array, expected[place])


def flat(group):
    found = []
    group.visititems(lambda place, item: found.append((place, item)) if isinstance(item, h5py.Dataset) else None)
    return found


def test_timms_names_are_those_of_its_state_dictionary():
    assert timm_files.arrays(built("legacy_xception")).keys() == load_file(FIXTURES / "timm.safetensors").keys()


def test_the_order_of_keras_has_shortcuts_after_the_main_path():
    names = [layer.name for layer in keras_layers.in_topological_order(built())]
    assert names.index("block2_shortcut") > names.index("block2_sepconv2_bn")
    assert names.index("block2_shortcut") < names.index("block2_shortcut_bn") < names.index("block3_sepconv1")
    created = [layer.name for layer in keras_layers.in_creation_order(built())]
    assert created.index("block2_shortcut_bn") < created.index("block2_sepconv1")
    assert sorted(names) == sorted(created)


def test_a_new_head_is_left_alone_and_named():
    model = models.from_table(TABLES["xception"], classes=7)
    head = model.arrays["predictions/kernel"].copy()
    refused(FIXTURES / "xception.weights.h5", "expected", model)
    skipped = weights.load(model, FIXTURES / "xception.weights.h5", new_head=True)
    assert len(skipped) == 2
    np.testing.assert_array_equal(model.arrays["predictions/kernel"], head)
    other = built()
    weights.load(other, FIXTURES / "xception.weights.h5")
    np.testing.assert_array_equal(
        model.arrays["block2_sepconv1/pointwise_kernel"], other.arrays["block2_sepconv1/pointwise_kernel"]
    )


@pytest.mark.parametrize("name", ["w.h5", "w.weights.h5"])
def test_what_keras_would_take_for_another_network(name, tmp_path):
    with pytest.raises(InputError, match="block2_sepconv1 has relu between its two convolutions, which Keras's has not"):
        weights.save(models.build("xception_small:relu"), tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_everything_that_does_not_fit_is_named(tmp_path):
    path = shutil.copy(FIXTURES / "xception_legacy.h5", tmp_path / "x.h5")
    with h5py.File(path, "a") as file:
        del file["block1_conv1"]
        group = file["block2_sepconv1"]
        place, dataset = next(item for item in flat(group) if "pointwise" in item[0])
        value = dataset[()]
        del group[place]
        group[place] = np.swapaxes(value, 2, 3)[..., :1]
        file.create_dataset("block99_conv/block99_conv/kernel", data=np.ones((1, 1, 2, 2)))
    refused(path, r"block1_conv1/kernel is missing; block99_conv/\S+ is unexpected; block2_sepconv1/\S+ has shape")


def test_weights_of_another_network():
    refused(FIXTURES / "inception_v3.weights.h5", "do not fit the model", built("xception"))
    refused(FIXTURES / "timm.safetensors", "expected xception or legacy_xception", built("inception_v3"))


@pytest.mark.parametrize("name", ["stem.0.conv.weight", "blocks.0.stack.conv1.conv_dw.weight"])
def test_xception41_and_its_like_are_refused_by_name(name, tmp_path):
    save_file({name: np.zeros(3, np.float32)}, tmp_path / "x.safetensors")
    refused(tmp_path / "x.safetensors", "xception41, xception65 or xception71", built("legacy_xception"))


def test_pickles_are_refused_with_the_line_that_converts_them(tmp_path):
    (tmp_path / "old.pth").write_bytes(pickle.dumps({"conv1.weight": [1.0]}))
    with zipfile.ZipFile(tmp_path / "new.pth", "w") as archive:
        archive.writestr("archive/data.pkl", b"")
    for name in ("old.pth", "new.pth"):
        refused(tmp_path / name, "pickle.*weights_only=True")


def test_numbers_that_are_none(tmp_path):
    arrays = {name: array.copy() for name, array in built().arrays.items()}
    for value, match in ((np.nan, "not finite"), (np.inf, "not finite")):
        bad = {**arrays, "block1_conv1/kernel": np.full_like(arrays["block1_conv1/kernel"], value)}
        save_file(bad, tmp_path / "x.safetensors")
        refused(tmp_path / "x.safetensors", match)
    bad = {**arrays, "block1_conv1_bn/moving_variance": -arrays["block1_conv1_bn/moving_variance"]}
    save_file(bad, tmp_path / "x.safetensors")
    refused(tmp_path / "x.safetensors", "variance below 0")
    bad = {**arrays, "predictions/bias": np.zeros(3, np.int32)}
    save_file(bad, tmp_path / "x.safetensors")
    refused(tmp_path / "x.safetensors", "predictions/bias is of I32")
    bad = {**arrays, "predictions/bias": np.zeros((1,) * 64, np.float32)}
    save_file(bad, tmp_path / "x.safetensors")
    refused(tmp_path / "x.safetensors", r"predictions/bias has shape .{100}\.\.\., expected")


def test_links_and_arrays_elsewhere(tmp_path):
    """A file must not make us read another one."""
    shutil.copy(FIXTURES / "xception_legacy.h5", tmp_path / "other.h5")
    for number, link in enumerate((h5py.ExternalLink("other.h5", "/block1_conv1"), h5py.SoftLink("/block1_conv2"))):
        path = shutil.copy(FIXTURES / "xception_legacy.h5", tmp_path / f"x{number}.h5")
        with h5py.File(path, "a") as file:
            del file["block1_conv1"]
            file["block1_conv1"] = link
        refused(path, "have a link at")
    for name in ("layers", "model_weights"):
        path = shutil.copy(FIXTURES / "xception_legacy.h5", tmp_path / f"{name}.h5")
        with h5py.File(path, "a") as file:
            file[name] = h5py.ExternalLink("other.h5", "/")
        refused(path, "have a link at")
    path = shutil.copy(FIXTURES / "xception_legacy.h5", tmp_path / "external.h5")
    (tmp_path / "raw").write_bytes(bytes(10_000))
    with h5py.File(path, "a") as file:
        place, dataset = flat(file["block1_conv1"])[0]
        shape = dataset.shape
        del file["block1_conv1"][place]
        file["block1_conv1"].create_dataset(place, shape, np.float32, external=[(str(tmp_path / "raw"), 0, 10_000)])
    refused(path, "in another file")


def test_claims_of_size_cost_nothing(tmp_path):
    path = shutil.copy(FIXTURES / "xception_legacy.h5", tmp_path / "x.h5")
    with h5py.File(path, "a") as file:
        place, dataset = flat(file["block1_conv1"])[0]
        shape = dataset.shape
        del file["block1_conv1"][place]
        file["block1_conv1"].create_dataset(place, (10**6, 10**6), np.float32, chunks=(1000, 1000))
    refused(path, r"has shape \(1000000, 1000000\)")
    with h5py.File(path, "a") as file:  # a piece of the right shape, and 100 MB behind it
        del file["block1_conv1"][place]
        dataset = file["block1_conv1"].create_dataset(place, (3, 3, 3, 4), np.float32, chunks=(3, 3, 3, 4), compression="gzip")
        dataset.id.write_direct_chunk((0, 0, 0, 0), zlib.compress(bytes(10**8)))
    refused(path, "packed; expected it as Keras writes it")
    with h5py.File(path, "a") as file:  # room in the file, in which nothing was ever written
        del file["block1_conv1"][place]
        file["block1_conv1"].create_dataset(place, shape, np.float32)
    refused(path, "have room for .*kernel.*, but not its numbers")
    for kind, message in ((zipfile.ZIP_DEFLATED, "unpack to more than"), (zipfile.ZIP_BZIP2, "packed in another way than")):
        with zipfile.ZipFile(tmp_path / "bomb.keras", "w", kind) as archive:
            archive.writestr("model.weights.h5", bytes(10**8))
        refused(tmp_path / "bomb.keras", message)
    with zipfile.ZipFile(tmp_path / "dots.keras", "w") as archive:
        archive.writestr("../model.weights.h5", b"")
    refused(tmp_path / "dots.keras", r"have no model\.weights\.h5 inside")


def test_kernels_that_theano_turned_are_refused(tmp_path):
    path = shutil.copy(FIXTURES / "xception_legacy.h5", tmp_path / "x.h5")
    with h5py.File(path, "a") as file:
        file.get("model_weights", file).attrs["backend"] = b"theano"
    refused(path, "were written with Theano, whose kernels are turned around")


def test_a_head_that_is_there_twice(tmp_path):
    arrays = load_file(FIXTURES / "timm.safetensors")
    old = {name.replace("fc.", "last_linear."): array for name, array in arrays.items()}
    save_file(old, tmp_path / "old.safetensors")
    weights.load(built("legacy_xception"), tmp_path / "old.safetensors")
    save_file({**arrays, "last_linear.weight": arrays["fc.weight"] + 1}, tmp_path / "twice.safetensors")
    refused(tmp_path / "twice.safetensors", r"last_linear\.weight is unexpected", built("legacy_xception"))


@pytest.mark.parametrize("content", [b"", b"\x89HDF\r\n\x1a\n", b"PK\x03\x04", b"hello", b"\x80\x04]", bytes(1000)])
def test_files_of_nothing(content, tmp_path):
    path = tmp_path / "x.h5"
    path.write_bytes(content)
    refused(path, "x.h5")


def test_paths():
    refused("nowhere.h5", "does not exist")
    refused(FIXTURES, "is not a file")
    with pytest.raises(InputError, match=r"end in '\.pth'; expected"):
        weights.save(built(), "x.pth")
    with pytest.raises(InputError, match="layout is 'onnx'"):
        weights.save(built(), "x.safetensors", "onnx")
    with pytest.raises(InputError, match="model is tiny_inception_v3; expected xception or legacy_xception"):
        weights.save(built("inception_v3"), "x.safetensors", "timm")
    weights.check(str(FIXTURES / "timm.safetensors"))
    with pytest.raises(InputError, match=r"end in '\.pth'; expected"):
        weights.check_target("x.pth")


def test_biases_have_no_place_in_timms_layout():
    model = models.from_table(TABLES["legacy_xception"]._replace(bias=True))
    with pytest.raises(InputError, match="expected xception or legacy_xception"):
        timm_files.names(model)


@pytest.mark.parametrize("name", ["x.h5", "x.weights.h5", "x.safetensors"])
def test_biases_of_segmented_separable_convolutions_are_in_the_file(tmp_path, name):
    """A bias is that of the pointwise half, which is a convolution of its own to Keras."""
    table = models.TABLES["xception_small"]._replace(
        name="mine", modules=(Plain("block1", (Conv(4), Sep(8, segments=2))),), norm=None, bias=True
    )
    model, other = (models.from_table(table, seed=seed) for seed in (1, 2))
    model.buffers.values[...] += 0.1
    weights.save(model, tmp_path / name)
    assert weights.load(other, tmp_path / name) == []
    np.testing.assert_array_equal(other.buffers.values, model.buffers.values)
