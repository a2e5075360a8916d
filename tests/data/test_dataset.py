import json

import numpy as np
import pytest

from xception_np.data import Dataset, Preprocessing
from xception_np.errors import InputError


def images(*shape, value=0):
    return np.full(shape, value, np.uint8)


def labels(*values):
    return np.array(values, np.int64)


def test_dataset_has_a_length_and_subsets_in_the_order_of_the_indices():
    pixels = np.arange(3 * 2 * 2 * 3, dtype=np.uint8).reshape(3, 2, 2, 3)
    dataset = Dataset("mine", pixels, labels(0, 1, 1), ("a", "b"))
    assert len(dataset) == 3
    subset = dataset.subset(np.array([2, 0]))
    np.testing.assert_array_equal(subset.images, pixels[[2, 0]])
    np.testing.assert_array_equal(subset.labels, [1, 0])
    assert (subset.name, subset.classes) == ("mine", ("a", "b"))
    assert len(dataset.subset(slice(0, 3, 2))) == 2


@pytest.mark.parametrize(
    ("pixels", "numbers", "message"),
    [
        (images(1, 2, 2, 3).astype(np.float32), labels(0), "images is a NumPy array of float32; expected a NumPy array of uint8"),
        ([[1]], labels(0), "images is a list; expected a NumPy array of uint8"),
        (images(1, 2, 2, 1), labels(0), r"images has shape \(1, 2, 2, 1\); expected \(N, H, W, 3\)"),
        (images(2, 2, 3), labels(0), r"images has shape \(2, 2, 3\); expected \(N, H, W, 3\)"),
        (images(0, 2, 2, 3), labels(), r"images has shape \(0, 2, 2, 3\); expected \(N, H, W, 3\), none of them 0"),
        (images(1, 2, 4, 3)[:, :, ::2], labels(0), "images is not C-contiguous"),
        (images(1, 2, 2, 3), np.zeros(1, np.int32), "labels is a NumPy array of int32; expected a NumPy array of int64"),
        (images(1, 2, 2, 3), labels(0, 1), r"labels has shape \(2,\); expected \(1,\)"),
        (images(1, 2, 2, 3), labels(2), "labels go from 2 to 2; expected 0 to 1"),
        (images(1, 2, 2, 3), labels(-1), "labels go from -1 to -1; expected 0 to 1"),
    ],
)
def test_dataset_says_what_is_wrong(pixels, numbers, message):
    with pytest.raises(InputError, match=message):
        Dataset("mine", pixels, numbers, ("a", "b"))


def test_a_name_that_no_picture_has_room_for():
    images, labels = np.zeros((1, 2, 2, 3), np.uint8), np.zeros(1, np.int64)
    with pytest.raises(InputError, match=r"class name is 'x{20}'\.\.\. of 201 letters; expected 200 at most"):
        Dataset("long", images, labels, ("x" * 201,))


def test_statistics_by_hand():
    pixels = images(2, 1, 1, 3)
    pixels[0, 0, 0] = 0, 51, 102
    pixels[1, 0, 0] = 255, 153, 255
    preprocessing = Preprocessing.of(Dataset("mine", pixels, labels(0, 0), ("a",)))
    assert preprocessing.size == 1
    np.testing.assert_allclose(preprocessing.mean, [0.5, 0.4, 0.7], rtol=1e-15)
    np.testing.assert_allclose(preprocessing.std, [0.5, 0.2, 0.3], rtol=1e-15)


def test_statistics_over_more_images_than_are_counted_at_once():
    pixels = np.random.default_rng(0).integers(0, 256, (2345, 2, 2, 3), np.uint8)
    preprocessing = Preprocessing.of(Dataset("mine", pixels, np.zeros(2345, np.int64), ("a",)))
    np.testing.assert_allclose(preprocessing.mean, (pixels / 255).mean(axis=(0, 1, 2)), rtol=1e-13)
    np.testing.assert_allclose(preprocessing.std, (pixels / 255).std(axis=(0, 1, 2)), rtol=1e-13)


def test_preprocessing_by_hand():
    pixels = images(1, 2, 2, 3)
    pixels[0, 0, 1] = 255, 51, 102  # 1, 0.2 and 0.4 of white
    x = Preprocessing(2, (0.5, 0.2, 0.0), (0.25, 0.5, 0.1)).apply(pixels)
    assert x.dtype == np.float32 and x.shape == (1, 2, 2, 3) and x.flags.c_contiguous
    np.testing.assert_allclose(x[0, 0, 1], [2, 0, 4], rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(x[0, 1, 0], [-2, -0.4, 0], rtol=1e-6, atol=1e-7)


def test_preprocessing_makes_every_channel_normal():
    pixels = np.random.default_rng(0).integers(0, 256, (50, 8, 8, 3), np.uint8)
    x = Preprocessing.of(Dataset("mine", pixels, np.zeros(50, np.int64), ("a",))).apply(pixels).astype(np.float64)
    np.testing.assert_allclose(x.mean(axis=(0, 1, 2)), 0, atol=1e-6)
    np.testing.assert_allclose(x.std(axis=(0, 1, 2)), 1, rtol=1e-6)


@pytest.mark.parametrize(
    ("pixels", "message"),
    [
        (images(1, 4, 4, 3), r"images has shape \(1, 4, 4, 3\); expected \(N, 2, 2, 3\): resize them first"),
        (images(1, 2, 2, 3).astype(np.float32), "images is a NumPy array of float32; expected a NumPy array of uint8"),
    ],
)
def test_preprocessing_refuses_other_images(pixels, message):
    with pytest.raises(InputError, match=message):
        Preprocessing(2, (0, 0, 0), (1, 1, 1)).apply(pixels)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, (0, 0, 0), (1, 1, 1)), "size is 0; expected"),
        ((2, (0, 0), (1, 1, 1)), r"mean is \(0, 0\); expected 3 finite numbers"),
        ((2, (0, 0, float("nan")), (1, 1, 1)), "mean is .*; expected 3 finite numbers"),
        ((2, (0, 0, 0), (1, 1, 0)), r"std is \(1, 1, 0\); expected 3 positive numbers"),
    ],
)
def test_preprocessing_says_what_is_wrong(arguments, message):
    with pytest.raises(InputError, match=message):
        Preprocessing(*arguments)


def test_statistics_need_square_images_that_differ():
    with pytest.raises(InputError, match="images are 2 x 3 pixels; expected square ones"):
        Preprocessing.of(Dataset("mine", images(1, 2, 3, 3), labels(0), ("a",)))
    with pytest.raises(InputError, match=r"have one value alone in a channel \(0, 0, 0\); expected pictures that differ"):
        Preprocessing.of(Dataset("mine", images(2, 2, 2, 3, value=0), labels(0, 0), ("a",)))


def test_preprocessing_survives_json_exactly():
    preprocessing = Preprocessing(32, (0.1, 1 / 3, 0.5), (0.2, 2 / 3, 0.7))
    assert Preprocessing.from_json(json.loads(json.dumps(preprocessing.to_json()))) == preprocessing


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"size": 2, "mean": [0, 0, 0]},
        {"size": 2, "mean": 0, "std": 1},
        {"size": 2, "mean": ["x"], "std": [1]},
        {"size": 2, "mean": [10**400], "std": [1]},
        [2],
    ],
)
def test_preprocessing_from_wrong_json(value):
    with pytest.raises(InputError, match=r"preprocessing is .*; expected size, and 3 numbers each"):
        Preprocessing.from_json(value)


def test_a_window_of_a_slice_leaves_the_pictures_as_they_are():
    images = np.random.default_rng(0).integers(0, 256, (4, 8, 8, 3), np.uint8)
    mine = Dataset("mine", images.copy(), np.zeros(4, np.int64), ("a",))
    seen = mine.read(slice(1, 3), lambda k, height, width: (0, 0, 4, 4))
    assert (mine.images == images).all() and (seen != images[1:3]).any()
