import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from xception_np import data
from xception_np.data import (
    Augmentation,
    Draws,
    Flip,
    ImageFolder,
    Loader,
    Preprocessing,
    RandomResizedCrop,
    hold_out,
    image_folder,
)
from xception_np.errors import InputError

COLOURS = {"train/b": [10, 60, 110], "train/a": [160, 210], "val/a": [30], "val/b": [80, 130]}


def save(path, grey, shape=(12, 16)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((*shape, 3), grey, np.uint8)).save(path)


@pytest.fixture
def root(tmp_path):
    for folder, greys in COLOURS.items():
        for k, grey in enumerate(greys):
            save(tmp_path / "pictures" / folder / f"{k}.png", grey)
    return tmp_path / "pictures"


def test_labels_follow_the_sorted_names_of_folders_and_files(root):
    train, test = data.load(root, size=8)
    assert (train.name, train.classes, train.size, len(train), len(test)) == ("pictures", ("a", "b"), 8, 5, 3)
    assert train.labels.tolist() == [0, 0, 1, 1, 1] and train.labels.dtype == np.int64
    assert test.labels.tolist() == [0, 1, 1]
    assert [Path(path).parts[-3:] for path in train.paths][1:3] == [("train", "a", "1.png"), ("train", "b", "0.png")]
    images = train.read(np.array([4, 0]))
    assert images.shape == (2, 8, 8, 3) and images.dtype == np.uint8
    assert (images[0] == 110).all() and (images[1] == 160).all()
    assert data.load(str(root)).train.size == 128


def test_hidden_files_and_folders_do_not_count(root):
    (root / "train/.cache").mkdir()
    (root / "train/a/.DS_Store").write_bytes(b"\0")
    assert len(data.load(root).train) == 5


@pytest.mark.parametrize(
    ("text", "classes"),
    [
        ("a 0 great shark\nb 7 tench\n", ("great shark", "tench")),
        ("x 1 other\nb 7 tench\na 0 shark", ("shark", "tench")),
        ("a 0 shark\n", ("a", "b")),
        ("a 0 crane\nb 1 crane\n", ("a", "b")),
        ("shark\ntench\n", ("a", "b")),
        ("\udcff\x00", ("a", "b")),
    ],
)
def test_names_of_classes(root, text, classes):
    (root / "classes.txt").write_text(text, errors="surrogateescape")
    train, test = data.load(root)
    assert train.classes == test.classes == classes


@pytest.mark.parametrize("classes", ["ab", "a"])
def test_held_out_pictures_alone(root, classes):
    """The folder of the class folders itself, with the classes' names beside them; one class is enough to be measured on."""
    folder = root / "train"
    for name in {"a", "b"} - set(classes):
        shutil.rmtree(folder / name)
    (folder / "classes.txt").write_text("a 0 shark\nb 1 tench\n")
    found = data.load_test(folder, size=4)
    assert found.classes == tuple({"a": "shark", "b": "tench"}[name] for name in classes)
    assert len(found) == sum(len(list((folder / name).iterdir())) for name in classes)


def test_a_window_is_cut_from_the_whole_picture(root):
    array = np.random.default_rng(0).integers(0, 256, (40, 50, 3), np.uint8)
    Image.fromarray(array).save(root / "train/a/0.png")
    train = data.load(root, size=8).train
    asked = []

    def window(k, height, width):
        asked.append((k, height, width))
        return (3, 30, 11, 38) if k == 1 else (0, 0, width, height)

    images = train.read(np.array([3, 0]), window)
    np.testing.assert_array_equal(images[1], array[30:38, 3:11])
    assert asked == [(0, 12, 16), (1, 40, 50)]


def test_subset_and_hold_out(root):
    train = data.load(root, size=4).train
    subset = train.subset(np.array([4, 0]))
    assert subset.labels.tolist() == [1, 0] and subset.read(np.array([0]))[0, 0, 0, 0] == 110
    assert len(train.subset(slice(1, 4))) == 3
    rest, held_out = hold_out(train, 2)
    assert sorted([*rest.paths, *held_out.paths]) == sorted(train.paths) and held_out.labels.tolist() == [0, 1]


def test_statistics_and_pictures_in_memory(root, monkeypatch):
    train = data.load(root, size=4).train
    greys = np.array([160, 210, 10, 60, 110]) / 255
    preprocessing = Preprocessing.of(train)
    np.testing.assert_allclose(preprocessing.mean, [greys.mean()] * 3)
    np.testing.assert_allclose(preprocessing.std, [greys.std()] * 3)
    decoded = train.decoded()
    np.testing.assert_array_equal(decoded.images, train.read(np.arange(5)))
    np.testing.assert_array_equal(decoded.labels, train.labels)
    assert Preprocessing.of(decoded) == preprocessing
    monkeypatch.setattr(image_folder, "SAMPLE", 2)  # of 5, those at 0 and 2
    np.testing.assert_allclose(Preprocessing.of(train).mean, [(160 + 10) / 2 / 255] * 3)


def test_many_are_decoded_in_their_order(root):
    train = data.load(root, size=4).train
    many = train.subset(np.arange(100) % 5)
    np.testing.assert_array_equal(many.decoded().images, train.read(np.arange(100) % 5))


def test_a_loader_gives_the_same_for_any_number_of_threads(root):
    for k, name in enumerate(("train/a/0.png", "train/b/2.png")):
        array = np.random.default_rng(k).integers(0, 256, (40, 50, 3), np.uint8)
        Image.fromarray(array).save(root / name)
    train = data.load(root, size=8).train
    augmentation = Augmentation((Flip(),), RandomResizedCrop((0.1, 0.5)))
    preprocessing = Preprocessing(8, (0, 0, 0), (1 / 255,) * 3)
    expected = list(Loader(train, 2, preprocessing, augmentation, seed=4).epoch(3))
    for (x, labels), (x0, labels0) in zip(
        Loader(train, 2, preprocessing, augmentation, 4, threads=3).epoch(3), expected, strict=True
    ):
        np.testing.assert_array_equal(x, x0)
        np.testing.assert_array_equal(labels, labels0)
    draws = Draws(4, 3, np.arange(5))
    everything = preprocessing.apply(augmentation.apply(train.read(np.arange(5), augmentation.windows(draws)), draws))
    for x, _ in expected:
        assert all(any(np.array_equal(image, one) for one in everything) for image in x)


def test_a_file_that_breaks_later_is_named_by_the_loader(root):
    path = root / "train/b/1.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (50, 50, 3), np.uint8)).save(path)
    path.write_bytes(path.read_bytes()[:2000])  # the header is whole
    loader = Loader(data.load(root, size=4).train, 5, Preprocessing(4, (0, 0, 0), (1, 1, 1)))
    with pytest.raises(InputError, match=r"train/b/1\.png cannot be read as a picture \(.*\); expected a JPEG"):
        next(loader.epoch(0))


def remove(path):
    for name in os.listdir(path):
        (path / name).unlink()
    path.rmdir()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda root: [remove(root / "train" / name) for name in "ab"] + [(root / "train").rmdir()],
            "pictures has no folder train",
        ),
        (lambda root: [remove(root / "val" / name) for name in "ab"] + [(root / "val").rmdir()], "pictures has no folder val"),
        (lambda root: (root / "val").rename(root / "test"), "pictures has no folder val"),
        (lambda root: (root / "train/c").mkdir(), "pictures/val has no class c"),
        (lambda root: (root / "val/c").mkdir(), "pictures/train has no class c"),
        (lambda root: [(root / f"val/c{k}").mkdir() for k in range(7)], "train has no class c0, c1, c2, c3, c4 and 2 more"),
        (lambda root: [(root / part / "c").mkdir() for part in ("train", "val")], "train/c has no pictures"),
        (lambda root: [remove(root / part / "a") for part in ("train", "val")], "train has 1 class; expected two or more: "),
        (lambda root: [remove(root / "train" / name) for name in "ab"], "train has 0 classes; expected two or more: "),
        (lambda root: save(root / "train/stray.png", 0), r"train/stray\.png is a file, among class folders"),
        (lambda root: (root / "train/a/deeper").mkdir(), "train/a/deeper is a folder, among pictures"),
    ],
)
def test_load_says_what_is_wrong_with_folders(root, change, message):
    change(root)
    with pytest.raises(InputError, match=message) as caught:
        data.load(root)
    assert "expected train/<class>/* and val/<class>/*" in str(caught.value) or "expected two or more" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "shown"), [(b"caf\xe9", r"'caf\\udce9'"), (b"a\nb", r"'a\\nb'"), (b"\x1b[31mred", r"'\\x1b\[31mred'")]
)
def test_a_class_has_a_name_that_can_be_shown(root, name, shown):
    for part in ("train", "val"):
        (root / part / "a").rename(root / part / os.fsdecode(name))
    for load in (data.load, data.load_test):
        with pytest.raises(InputError, match=f"class name is {shown}; expected text in UTF-8 without control characters"):
            load(root)


def test_the_name_of_a_folder_is_shown_as_it_can_be(root):
    """Pictures have it in their titles, and matplotlib takes no text that is none."""
    other = root.parent / os.fsdecode(b"caf\xe9\n")
    root.rename(other)
    assert data.load(other).train.name == data.load_test(other).name == "caf\ufffd\ufffd"


def test_load_names_the_file_that_is_not_a_picture(root):
    (root / "val/b/notes.txt").write_text("hello")
    with pytest.raises(InputError, match=r"val/b/notes\.txt cannot be read as a picture; expected a JPEG"):
        data.load(root)
    os.truncate(root / "train/b/0.png", 0)
    with pytest.raises(InputError, match=r"train/b/0\.png cannot be read as a picture; expected a JPEG"):
        data.load(root)


@pytest.mark.parametrize("size", [0, 4097, 12.5, True])
def test_sizes_have_limits(root, size):
    with pytest.raises(InputError, match=f"size is {size}; expected the pictures' height and width in pixels, 1 to 4096"):
        data.load(root, size=size)


def test_labels_have_classes():
    with pytest.raises(InputError, match="labels go from 0 to 2; expected 0 to 1"):
        ImageFolder("mine", ("a", "b"), np.array([0, 2]), ("a", "b"), 8)


def test_a_data_set_in_memory_is_cut_and_enlarged_too():
    images = np.random.default_rng(0).integers(0, 256, (3, 8, 8, 3), np.uint8)
    images[1, :6, :6] = 77
    before = images.copy()
    dataset = data.Dataset("mine", images, np.zeros(3, np.int64), ("a",))
    result = dataset.read(np.array([2, 1]), lambda k, height, width: (0, 0, width, height) if k == 0 else (0, 0, 4, 4))
    np.testing.assert_array_equal(result[0], images[2])
    assert (result[1] == 77).all()
    np.testing.assert_array_equal(images, before)


def mode_of(path):
    with Image.open(path) as picture:
        return picture.mode


@pytest.mark.data
def test_imagenette():
    path = os.environ.get("XCEPTION_NP_IMAGENETTE")
    if not path:
        pytest.skip("XCEPTION_NP_IMAGENETTE does not name a folder of pictures of ten ImageNet classes")
    train, test = data.load(path, size=96)
    assert train.classes[0] == "tench" and len(train.classes) == 10
    assert np.bincount(train.labels).tolist() == [250] * 10 and np.bincount(test.labels).tolist() == [50] * 10
    images = train.decoded().images
    assert images.shape == (2500, 96, 96, 3)
    assert sum(mode_of(file) == "L" for part in (train, test) for file in part.paths) == 57
    batches = list(Loader(train, 100, Preprocessing.of(train), Augmentation.of(train), threads=2).epoch(0))
    assert len(batches) == 25 and all(np.isfinite(x).all() for x, _ in batches)


def test_memory_does_not_grow_with_the_number_of_pictures(root):
    """100 pictures of 5 MB each, decoded one after another."""
    save(root / "train/a/0.png", 0, (1300, 1300))
    program = (
        "import sys, numpy as np; from mutations_of_bytes import peak; from xception_np import data;"
        "train = data.load(sys.argv[1], size=8).train; train.read(np.zeros(2, int));"
        "before = peak(); train.read(np.zeros(100, int)); print(peak() - before)"
    )
    command, here = [sys.executable, "-c", program, root], Path(__file__).parents[1] / "fuzzing"
    run = subprocess.run(command, cwd=here, capture_output=True, text=True, timeout=120, check=True)
    assert int(run.stdout) < 30e6
