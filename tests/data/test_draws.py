import numpy as np
import pytest

from xception_np.data import Draws
from xception_np.data.draws import COLOUR, CROP, CUTOUT, FLIP, MIXUP, WINDOW
from xception_np.errors import InputError
from xception_np.random import Purpose, Stream, words

USES = {"flip": FLIP, "crop": CROP, "mixup": MIXUP, "window": WINDOW, "colour": COLOUR, "cutout": CUTOUT}


@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_words_are_those_of_the_picture_s_own_stream(use):
    indices = np.array([7, 0, 2**20, 7])
    found = Draws(3, 2, indices).words(use)
    expected = [words(Stream(3, Purpose.AUGMENTATION, step=2, item=int(index)), 16)[use] for index in indices]
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(Draws(3, 9, indices).of_epoch(2).words(use), expected)


def test_no_two_uses_share_a_word():
    taken = [word for use in USES.values() for word in range(use.start, use.stop)]
    assert len(set(taken)) == len(taken)
    assert all(use.start // 4 == (use.stop - 1) // 4 for use in USES.values())


def test_uniform_and_below_by_hand():
    draws = Draws(0, 0, np.arange(1000))
    word = draws.words(CROP).astype(np.float64)
    np.testing.assert_array_equal(draws.uniform(CROP), (word + 0.5) / 2**32)
    np.testing.assert_array_equal(draws.below(CROP, 9), np.floor(word * 9 / 2**32))
    assert np.unique(draws.below(CROP, 9)).tolist() == list(range(9))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [((-1, 0), "seed is -1"), ((2**32, 0), "seed is 4294967296; expected"), ((0, -1), "epoch is -1; expected an integer from 0")],
)
def test_numbers_have_32_bits(arguments, message):
    with pytest.raises(InputError, match=message):
        Draws(*arguments, np.arange(1))
