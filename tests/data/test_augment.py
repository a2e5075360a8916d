import numpy as np
import pytest

from xception_np.data import Augmentation, Dataset
from xception_np.errors import InputError
from xception_np.random import Purpose, Stream, words

NUMBERED = np.arange(4 * 5 * 3, dtype=np.uint8).reshape(1, 4, 5, 3) + 1  # H != W, and no pixel is black


def repeated(count):
    return np.repeat(NUMBERED, count, axis=0), np.arange(count)


def moved(image, down, right):
    """By definition: pixel (h, w) comes from (h - down, w - right), black where there is none."""
    height, width, _ = image.shape
    result = np.zeros_like(image)
    for h in range(height):
        for w in range(width):
            if 0 <= h - down < height and 0 <= w - right < width:
                result[h, w] = image[h - down, w - right]
    return result


def test_nothing_to_do_changes_nothing():
    images, indices = repeated(20)
    np.testing.assert_array_equal(Augmentation(flip=False, shift=0).apply(images, indices, 0, 0), images)


@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize("shift", [0, 2, 6])
def test_every_picture_is_what_its_own_words_say(flip, shift):
    images, indices = repeated(50)
    result = Augmentation(flip, shift).apply(images, indices + 7, seed=3, epoch=2)
    assert result.dtype == np.uint8 and result.flags.c_contiguous
    for n in range(50):
        coin, top, left, _ = words(Stream(3, Purpose.AUGMENTATION, step=2, item=n + 7), 4).tolist()
        down, right = (shift - (2 * shift + 1) * word // 2**32 for word in (top, left))
        expected = moved(images[n], down, right)
        np.testing.assert_array_equal(result[n], expected[:, ::-1] if flip and coin >= 2**31 else expected)


def test_every_shift_and_flip_happens_about_equally_often():
    images, indices = repeated(1800)
    results = Augmentation(flip=True, shift=1).apply(images, indices, seed=0, epoch=0)
    counts = dict.fromkeys(range(18), 0)
    kinds = [f for d in (-1, 0, 1) for r in (-1, 0, 1) for f in (moved(NUMBERED[0], d, r), moved(NUMBERED[0], d, r)[:, ::-1])]
    for result in results:
        counts[next(k for k, kind in enumerate(kinds) if np.array_equal(result, kind))] += 1
    assert min(counts.values()) > 70 and max(counts.values()) < 130  # 100 each, standard deviation 9.7


def test_a_picture_does_not_depend_on_its_batch():
    images = np.random.default_rng(0).integers(0, 256, (4, 8, 8, 3), np.uint8)
    augmentation = Augmentation(flip=True, shift=3)
    results = {tuple(order): augmentation.apply(images[order], np.array(order), 5, 1) for order in ([0, 1, 2, 3], [3, 1, 2], [2])}
    for order, result in results.items():
        np.testing.assert_array_equal(result, results[0, 1, 2, 3][list(order)])


def test_seed_and_epoch_matter_and_images_are_not_written_to():
    images, indices = repeated(10)
    before = images.copy()
    augmentation = Augmentation(flip=True, shift=2)
    first = augmentation.apply(images, indices, seed=0, epoch=0)
    np.testing.assert_array_equal(augmentation.apply(images, indices, seed=0, epoch=0), first)
    assert not np.array_equal(augmentation.apply(images, indices, seed=1, epoch=0), first)
    assert not np.array_equal(augmentation.apply(images, indices, seed=0, epoch=1), first)
    np.testing.assert_array_equal(images, before)


def named(name):
    return Dataset(name, NUMBERED, np.zeros(1, np.int64), ("a",))


def test_each_data_set_has_its_augmentation():
    assert Augmentation.of(named("digits")) == Augmentation(flip=False, shift=3)
    assert Augmentation.of(named("cifar10")) == Augmentation(flip=True, shift=4)
    with pytest.raises(InputError, match="there is no augmentation for 'mine'; expected one of 'digits', 'cifar10'"):
        Augmentation.of(named("mine"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"images": NUMBERED.astype(np.float32)}, "images is a NumPy array of float32; expected a NumPy array of uint8"),
        ({"indices": np.arange(2)}, r"indices has shape \(2,\); expected \(1,\)"),
        ({"epoch": -1}, "epoch is -1; expected an integer from 0 to 4294967295"),
        ({"seed": 2**32}, "seed is 4294967296; expected"),
    ],
)
def test_apply_says_what_is_wrong(change, message):
    arguments = {"images": NUMBERED, "indices": np.arange(1), "seed": 0, "epoch": 0} | change
    with pytest.raises(InputError, match=message):
        Augmentation(flip=True, shift=1).apply(**arguments)


def test_shift_is_not_negative():
    with pytest.raises(InputError, match="shift is -1; expected a number of pixels, 0 or more"):
        Augmentation(flip=False, shift=-1)
