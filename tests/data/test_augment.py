import numpy as np
import pytest

from xception_np.data import (
    AlternatingFlip,
    Augmentation,
    ColourJitter,
    Cutout,
    Dataset,
    Draws,
    Flip,
    ImageFolder,
    PaddedCrop,
    RandomResizedCrop,
)
from xception_np.errors import InputError

IMAGES = np.random.default_rng(0).integers(0, 256, (9, 8, 8, 3), np.uint8)


def draws(count=9):
    return Draws(0, 1, np.arange(count))


def test_nothing_to_do_changes_nothing():
    np.testing.assert_array_equal(Augmentation().apply(IMAGES, draws()), IMAGES)
    assert Augmentation().windows(draws()) is None


def test_transforms_follow_one_another():
    expected = Cutout(3).apply(PaddedCrop(2).apply(Flip().apply(IMAGES, draws()), draws()), draws())
    np.testing.assert_array_equal(Augmentation((Flip(), PaddedCrop(2), Cutout(3))).apply(IMAGES, draws()), expected)


def test_one_more_transform_changes_nothing_about_the_others():
    """What the cutout leaves visible is what there is without it."""
    without = Augmentation((Flip(), PaddedCrop(2))).apply(IMAGES, draws())
    with_one = Augmentation((Flip(), PaddedCrop(2), Cutout(3, (255, 0, 255)))).apply(IMAGES, draws())
    same = (with_one == without).all(axis=3) | (with_one == [255, 0, 255]).all(axis=3)
    assert same.all() and not np.array_equal(with_one, without)


def test_a_window_is_the_crop_s():
    crop = RandomResizedCrop((0.2, 0.4))
    assert Augmentation(window=crop).windows(draws())(3, 50, 60) == crop.window(draws())(3, 50, 60)


def test_each_data_set_has_its_augmentation():
    def named(name):
        return Dataset(name, IMAGES, np.zeros(9, np.int64), ("a",))

    assert Augmentation.of(named("digits")) == Augmentation((PaddedCrop(3),))
    cifar = Augmentation((AlternatingFlip(), PaddedCrop(3, "reflect")))
    assert Augmentation.of(named("cifar10")) == Augmentation.of(named("cifar100")) == cifar
    folder = ImageFolder("cifar10", ("a.png",), np.zeros(1, np.int64), ("a",), 8)
    assert Augmentation.of(folder) == Augmentation((Flip(),), RandomResizedCrop((0.25, 1.0)))
    with pytest.raises(
        InputError, match="there is no augmentation for 'mine'; expected one of 'digits', 'glyphs', 'cifar10', 'cifar100'"
    ):
        Augmentation.of(named("mine"))


@pytest.mark.parametrize(
    ("images", "count", "message"),
    [
        (IMAGES.astype(np.float32), 9, "images is a NumPy array of float32; expected a NumPy array of uint8"),
        (IMAGES, 8, "draws are for 8 pictures; expected 9, the number of images"),
    ],
)
def test_apply_says_what_is_wrong(images, count, message):
    with pytest.raises(InputError, match=message):
        Augmentation().apply(images, draws(count))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"transforms": (Flip(), ColourJitter(), Flip())}, "transforms are Flip, ColourJitter, Flip; expected each kind once"),
        ({"mixup": -0.1}, "mixup is -0.1; expected alpha from 0"),
        ({"mixup": float("nan")}, "mixup is nan"),
    ],
)
def test_augmentation_says_what_is_wrong(arguments, message):
    with pytest.raises(InputError, match=message):
        Augmentation(**arguments)
