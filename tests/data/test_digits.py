import hashlib

import numpy as np
import pytest
from sklearn.datasets import load_digits

from xception_np import data
from xception_np.data import digits


@pytest.fixture(scope="module")
def source():
    return load_digits()


@pytest.fixture(scope="module")
def loaded():
    return digits.load()


def digest(indices):
    return hashlib.sha256(indices.astype("<i8").tobytes()).hexdigest()


def test_the_split_never_changes(source):
    train, test = digits.split(source.target)
    assert digest(train) == "3de0a99e34dfc8af17f80752803bee99b8571ba7fc703ac653861392e55c41d3"
    assert digest(test) == "3f03a245aed038c2c478c7ce5d925df440f99b227d196750e2c859850325a34d"


def test_the_split_is_a_partition(source):
    train, test = digits.split(source.target)
    np.testing.assert_array_equal(np.sort(np.concatenate([train, test])), np.arange(1797))


def test_shapes_and_classes(loaded):
    train, test = loaded
    assert train.images.shape == (1437, 32, 32, 3) and test.images.shape == (360, 32, 32, 3)
    assert np.bincount(train.labels).tolist() == [142, 146, 141, 147, 145, 146, 145, 143, 138, 144]
    assert np.bincount(test.labels).tolist() == [36] * 10
    assert train.name == "digits" and train.classes == tuple("0123456789")


def test_grey_is_the_same_in_every_channel_and_reaches_white(loaded):
    images = loaded.train.images
    assert (images == images[..., :1]).all()
    assert images.min() == 0 and images.max() == 255


def test_pictures_are_bilinear_enlargements_of_the_source(source, loaded):
    _, held_out = digits.split(source.target)
    at = np.clip((np.arange(32) + 0.5) / 4 - 0.5, 0, 7)  # where the 32 pixels' centres lie among the 8
    weights = np.maximum(0, 1 - abs(at[:, None] - np.arange(8)))  # (32, 8): a tent around each
    expected = weights @ (source.images[held_out] * 255 / 16) @ weights.T
    difference = loaded.test.images[..., 0] - expected
    assert abs(difference).max() < 1.5  # rounded before, between the two directions, and after
    assert np.array_equal(loaded.test.labels, source.target[held_out])


def test_load_by_name(loaded):
    again = data.load("digits")
    np.testing.assert_array_equal(again.train.images, loaded.train.images)
    np.testing.assert_array_equal(again.test.labels, loaded.test.labels)
