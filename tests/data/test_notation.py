"""Augmentation in words: read, written, and read again."""

import math
import re

import numpy as np
import pytest

from xception_np.data import AlternatingFlip, Augmentation, ColourJitter, Cutout, Flip, PaddedCrop, RandomResizedCrop, notation
from xception_np.data.augment import FOLDERS, RECIPES
from xception_np.errors import InputError


@pytest.mark.parametrize(
    ("text", "augmentation"),
    [
        ("none", Augmentation()),
        ("flip", Augmentation((Flip(),))),
        ("alternating flip, crop 4", Augmentation((AlternatingFlip(), PaddedCrop(4)))),
        ("crop 4 reflect, flip", Augmentation((PaddedCrop(4, "reflect"), Flip()))),
        ("colour 0.4 0 0.1", Augmentation((ColourJitter(0.4, 0, 0.1),))),
        ("cutout 8", Augmentation((Cutout(8),))),
        ("cutout 8 127 0 3", Augmentation((Cutout(8, (127, 0, 3)),))),
        ("resized crop 0.25 1", Augmentation((), RandomResizedCrop((0.25, 1)))),
        ("resized crop 0.08 1 0.5 2, mixup 0.2", Augmentation((), RandomResizedCrop((0.08, 1), (0.5, 2)), 0.2)),
    ],
)
def test_words_and_what_they_mean(text, augmentation):
    assert notation.read(text) == augmentation
    assert notation.write(notation.read(text)) == text


def test_any_space_and_shorter_forms():
    assert notation.read("  flip ,crop   2 black ") == Augmentation((Flip(), PaddedCrop(2)))
    assert notation.read("resized crop") == Augmentation((), RandomResizedCrop())
    assert notation.read(" none ") == Augmentation()


@pytest.mark.parametrize("augmentation", [*RECIPES.values(), FOLDERS])
def test_our_own_come_back(augmentation):
    assert notation.read(notation.write(augmentation)) == augmentation


def test_equal_numbers_are_written_alike():
    assert notation.write(notation.read("resized crop 1e-1 1.0, mixup 1.00")) == "resized crop 0.1 1, mixup 1"


def test_no_digit_is_lost():
    third = Augmentation((ColourJitter(1 / 3, 0.1, math.pi / 4),), RandomResizedCrop((1 / 7, 2 / 3), (1 / 3, 3)), np.float64(1 / 9))
    assert notation.read(notation.write(third)) == third
    assert notation.write(notation.read("cutout 1234567")) == "cutout 1234567"


def test_a_transform_of_ones_own_is_written_and_not_read():
    class Negative:
        use = slice(11, 12)

        def apply(self, images, draws):
            return 255 - images

        def __repr__(self):
            return "Negative()"

    augmentation = Augmentation((Flip(), Negative()))
    assert notation.write(augmentation) == "flip, Negative()"
    with pytest.raises(InputError, match=re.escape("augment has 'Negative()'; expected flip")):
        notation.read("flip, Negative()")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("blur 3", "augment has 'blur 3'; expected flip, alternating flip, crop MARGIN [reflect], "),
        ("", "augment has ''; expected flip, "),
        ("flip,", "augment has ''; expected flip, "),
        ("flip, none", "augment has 'none'; expected flip, "),
        ("flip 3", "augment has 'flip 3'; expected flip"),
        ("crop", "augment has 'crop'; expected crop MARGIN [reflect]"),
        ("crop 4 black 3", "augment has 'crop 4 black 3'; expected crop MARGIN [reflect]"),
        ("crop 1.5", "margin is 1.5; expected a number of pixels"),
        ("crop -1", "margin is -1; expected"),
        ("crop 4 grey", "edge is 'grey'; expected one of 'black', 'reflect'"),
        ("colour 0.1", "augment has 'colour 0.1'; expected colour BRIGHTNESS CONTRAST SATURATION"),
        ("colour 0.1 strong 0.1", "augment has 'colour 0.1 strong 0.1'; expected colour BRIGHTNESS"),
        ("colour 0.1 2 0.1", "contrast is 2; expected the largest change"),
        ("cutout 0", "side is 0; expected"),
        ("cutout 99999999999999999999", "side is 99999999999999999999; expected a number of pixels, 1 to 10000000"),
        ("cutout 8 1 2", "fill is (1, 2); expected 3 integers"),
        ("resized crop 0.5", "augment has 'resized crop 0.5'; expected resized crop [LEAST MOST [NARROWEST WIDEST]]"),
        ("resized crop nan 1", "area is (nan, 1); expected"),
        ("resized crop, resized crop", "augment has resized crop twice; expected it once"),
        ("mixup 0.1, mixup 0.1", "augment has mixup twice; expected it once"),
        ("mixup much", "augment has 'mixup much'; expected mixup ALPHA"),
        ("mixup inf", "mixup is inf; expected alpha"),
        ("flip, alternating flip", "transforms are Flip, AlternatingFlip; expected each kind once"),
        (None, "augment is None; expected flip, "),
    ],
)
def test_what_is_not_of_the_notation(text, message):
    with pytest.raises(InputError, match=re.escape(message)) as error:
        notation.read(text)
    assert "\n" not in str(error.value)


def test_augmentations_that_mirror():
    assert notation.read("crop 2, alternating flip").mirrors and notation.read("flip").mirrors
    assert not notation.read("crop 2, cutout 3, mixup 1").mirrors


def test_a_margin_as_large_as_the_pictures_is_refused():
    notation.read("flip, crop 7").check_size(8)
    with pytest.raises(InputError, match="margin is 8; expected less than 8, the size of the pictures"):
        notation.read("flip, crop 8").check_size(8)
