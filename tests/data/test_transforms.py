import numpy as np
import pytest

from xception_np.data import AlternatingFlip, ColourJitter, Cutout, Draws, Flip, PaddedCrop, RandomResizedCrop
from xception_np.errors import InputError
from xception_np.random import Purpose, Stream, words

NUMBERED = np.arange(4 * 5 * 3, dtype=np.uint8).reshape(1, 4, 5, 3) + 1  # H != W, and no pixel is black
PHOTOS = np.random.default_rng(0).integers(0, 256, (6, 8, 10, 3), np.uint8)
ALL = [Flip(), AlternatingFlip(), PaddedCrop(2), PaddedCrop(2, "reflect"), ColourJitter(0.4, 0.4, 0.4), Cutout(3)]


class Fixed:
    """Draws that were chosen by hand: the same words for every use."""

    def __init__(self, rows, epoch=0, epoch_0=None):
        self.rows, self.epoch, self.epoch_0 = np.array(rows, np.float64), epoch, epoch_0

    def uniform(self, use):
        return self.rows[:, : use.stop - use.start]

    def words(self, use):
        return (self.uniform(use) * 2**32).astype(np.uint64)

    def below(self, use, limit):
        return np.floor(self.uniform(use) * limit).astype(np.int64)

    def of_epoch(self, epoch):
        assert epoch == 0
        return Fixed(self.epoch_0)


def repeated(count):
    return np.repeat(NUMBERED, count, axis=0)


def moved(image, down, right):
    """By definition: pixel (h, w) comes from (h - down, w - right), black where there is none."""
    height, width, _ = image.shape
    result = np.zeros_like(image)
    for h in range(height):
        for w in range(width):
            if 0 <= h - down < height and 0 <= w - right < width:
                result[h, w] = image[h - down, w - right]
    return result


def own_words(index, seed, epoch):
    return words(Stream(seed, Purpose.AUGMENTATION, step=epoch, item=index), 16).tolist()


@pytest.mark.parametrize("transform", ALL, ids=repr)
def test_a_picture_depends_on_seed_epoch_and_its_index_alone(transform):
    before = PHOTOS.copy()
    indices = np.arange(6) + 40
    whole = transform.apply(PHOTOS, Draws(5, 1, indices))
    assert whole.dtype == np.uint8 and whole.shape == PHOTOS.shape and whole.flags.c_contiguous
    for order in ([5, 3, 0], [2], [0, 1, 2, 3, 4, 5]):
        np.testing.assert_array_equal(transform.apply(PHOTOS[order], Draws(5, 1, indices[order])), whole[order])
    assert not np.array_equal(transform.apply(PHOTOS, Draws(6, 1, indices)), whole)
    assert not np.array_equal(transform.apply(PHOTOS, Draws(5, 2, indices)), whole)
    np.testing.assert_array_equal(PHOTOS, before)


def test_flip_by_the_first_word():
    images = repeated(50)
    result = Flip().apply(images, Draws(3, 2, np.arange(50)))
    coins = [own_words(index, 3, 2)[0] >= 2**31 for index in range(50)]
    assert 15 < sum(coins) < 35
    for coin, image in zip(coins, result, strict=True):
        np.testing.assert_array_equal(image, NUMBERED[0, :, ::-1] if coin else NUMBERED[0])


def test_alternating_flip_shows_both_sides_in_turn():
    indices = np.arange(40)
    epochs = [AlternatingFlip().apply(repeated(40), Draws(1, epoch, indices)) for epoch in range(4)]
    np.testing.assert_array_equal(epochs[0], Flip().apply(repeated(40), Draws(1, 0, indices)))
    np.testing.assert_array_equal(epochs[1], epochs[0][:, :, ::-1])
    np.testing.assert_array_equal(epochs[2], epochs[0])
    np.testing.assert_array_equal(epochs[3], epochs[1])


@pytest.mark.parametrize(("epoch", "mirrored"), [(0, [False, True]), (7, [True, False])])
def test_alternating_flip_by_hand(epoch, mirrored):
    result = AlternatingFlip().apply(repeated(2), Fixed([[0.5]] * 2, epoch, epoch_0=[[0.49], [0.5]]))
    assert [np.array_equal(image, NUMBERED[0, :, ::-1]) for image in result] == mirrored


@pytest.mark.parametrize("margin", [0, 2, 6])
def test_padded_crop_by_the_second_and_third_word(margin):
    result = PaddedCrop(margin).apply(repeated(50), Draws(3, 2, np.arange(50)))
    for index in range(50):
        down, right = (margin - (2 * margin + 1) * word // 2**32 for word in own_words(index, 3, 2)[1:3])
        np.testing.assert_array_equal(result[index], moved(NUMBERED[0], down, right))


def test_padded_crop_shows_every_place_about_equally_often():
    results = PaddedCrop(1).apply(repeated(900), Draws(0, 0, np.arange(900)))
    kinds = [moved(NUMBERED[0], down, right) for down in (-1, 0, 1) for right in (-1, 0, 1)]
    counts = np.bincount([next(k for k, kind in enumerate(kinds) if np.array_equal(r, kind)) for r in results], minlength=9)
    assert counts.min() > 70 and counts.max() < 130  # 100 each, standard deviation 9.4


def test_a_reflected_edge_by_hand():
    row = np.repeat(np.uint8([10, 20, 30, 40]), 3).reshape(1, 1, 4, 3)
    images = np.repeat(row, 3, axis=1)  # (1, 3, 4, 3)
    result = PaddedCrop(2, "reflect").apply(images, Fixed([[0.5, 0.0]]))  # not moved down, from the left end of the margin
    assert result[0, 1, :, 0].tolist() == [30, 20, 10, 20]


def test_colour_jitter_by_hand():
    image = np.array([[[100, 50, 0], [0, 200, 100]]], np.uint8)  # grey: 59.25 and 128.8, mean 94.025
    images = image[np.newaxis]

    def jittered(brightness=0.0, contrast=0.0, saturation=0.0, draw=(0.5, 0.5, 0.5)):
        return ColourJitter(brightness, contrast, saturation).apply(images, Fixed([draw]))[0].tolist()

    assert jittered() == jittered(1, 1, 1) == image.tolist()  # every factor is 1
    assert jittered(brightness=0.5, draw=(0.0, 0.3, 0.7)) == [[[50, 25, 0], [0, 100, 50]]]  # factor 0.5
    assert jittered(brightness=1.0, draw=(0.9, 0.0, 0.0)) == [[[180, 90, 0], [0, 255, 180]]]  # factor 1.8, 360 cut off
    # contrast 0.5: x / 2 + 47.0125
    assert jittered(contrast=0.5, draw=(0.9, 0.0, 0.9)) == [[[97, 72, 47], [47, 147, 97]]]
    # saturation 0.2: x / 5 + 0.8 * grey, 47.4 and 103.04
    assert jittered(saturation=0.8, draw=(0.9, 0.9, 0.0)) == [[[67, 57, 47], [103, 143, 123]]]


def test_colour_jitter_is_its_three_steps():
    images = np.random.default_rng(0).integers(60, 180, (4, 5, 6, 3), np.uint8)
    draws = np.random.default_rng(1).random((4, 3))
    result = ColourJitter(0.2, 0.3, 0.4).apply(images, Fixed(draws))
    luma = np.array([0.299, 0.587, 0.114])
    for image, (b, c, s), found in zip(images, 1 + np.array([0.2, 0.3, 0.4]) * (2 * draws - 1), result, strict=True):
        y = b * image
        y = c * y + (1 - c) * (y @ luma).mean()
        y = s * y + (1 - s) * (y @ luma)[..., np.newaxis]
        assert abs(y.clip(0, 255) - found).max() < 0.5 + 1e-3  # rounding, and float32


def test_cutout_by_hand():
    images = np.full((3, 4, 5, 3), 9, np.uint8)
    result = Cutout(2, (1, 2, 3)).apply(images, Fixed([[0.5, 0.4], [0.0, 0.0], [0.99, 0.99]]))
    hidden = (result != 9).all(axis=3).astype(int)
    assert hidden[0].tolist() == [[0, 0, 0, 0, 0], [0, 1, 1, 0, 0], [0, 1, 1, 0, 0], [0, 0, 0, 0, 0]]  # around row 2, column 2
    assert np.argwhere(hidden[1]).tolist() == [[0, 0]]
    assert np.argwhere(hidden[2]).tolist() == [[2, 3], [2, 4], [3, 3], [3, 4]]
    assert result[0, 1, 1].tolist() == [1, 2, 3]


def test_an_odd_cutout_is_centred_and_may_be_larger_than_the_picture():
    images = np.full((1, 7, 7, 3), 9, np.uint8)
    hidden = Cutout(3).apply(images, Fixed([[0.5, 0.5]]))[0, :, :, 0] == 0
    assert np.argwhere(hidden).min(axis=0).tolist() == [2, 2] and hidden.sum() == 9  # rows and columns 2 to 4 around 3
    assert (Cutout(99).apply(images, Draws(0, 0, np.arange(1))) == 0).all()


def test_a_window_by_hand():
    crop = RandomResizedCrop((0.25, 0.75), (0.5, 2.0))
    window = crop.window(Fixed([[0.5, 0.5, 0.0, 1.0], [0.0, 1.0, 0.5, 0.5], [1.0, 1.0, 0.5, 0.5]]))
    side = (0.5 * 100 * 100) ** 0.5
    np.testing.assert_allclose(window(0, 100, 100), (0, 100 - side, side, 100))  # half the area, square, lower left
    w, h = (0.25 * 1e4 * 2) ** 0.5, (0.25 * 1e4 / 2) ** 0.5
    np.testing.assert_allclose(window(1, 100, 100), (50 - w / 2, 50 - h / 2, 50 + w / 2, 50 + h / 2))
    np.testing.assert_allclose(window(2, 100, 100), (0, 25, 100, 75))  # 122 x 61 does not fit: made smaller, its shape kept


def test_windows_stay_inside_and_have_the_area_and_shape_asked_for():
    window = RandomResizedCrop((0.1, 0.5), (0.9, 1.1)).window(Draws(0, 0, np.arange(300)))
    boxes = np.array([window(k, 90, 100) for k in range(300)])
    left, top, right, bottom = boxes.T
    assert min(left.min(), top.min()) >= 0 and right.max() <= 100 and bottom.max() <= 90
    area, ratio = (right - left) * (bottom - top) / 9000, (right - left) / (bottom - top)
    assert area.min() < 0.12 and area.max() > 0.48 and (area >= 0.1 - 1e-9).all() and (area <= 0.5 + 1e-9).all()
    assert ratio.min() < 0.92 and ratio.max() > 1.08 and (ratio >= 0.9 - 1e-9).all() and (ratio <= 1.1 + 1e-9).all()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: PaddedCrop(-1), "margin is -1; expected a number of pixels, 0 or more"),
        (lambda: PaddedCrop(4, "white"), "edge is 'white'; expected one of 'black', 'reflect'"),
        (lambda: ColourJitter(contrast=1.5), "contrast is 1.5; expected the largest change, from 0 to 1"),
        (lambda: ColourJitter(float("nan")), "brightness is nan"),
        (lambda: Cutout(0), "side is 0; expected a number of pixels, 1 to 10000000"),
        (lambda: Cutout(4, (0, 0, 256)), r"fill is \(0, 0, 256\); expected 3 integers from 0 to 255"),
        (lambda: RandomResizedCrop((0, 1)), r"area is \(0, 1\); expected the smallest and the largest part"),
        (lambda: RandomResizedCrop((0.5, 0.4)), "area is"),
        (lambda: RandomResizedCrop((1e-300, 1)), r"area is \(1e-300, 1\); expected .*, from 0.0001 to 1"),
        (lambda: RandomResizedCrop(ratio=(1, 1e300)), r"ratio is \(1, 1e\+300\); expected .*, from 0.01 to 100"),
        (lambda: RandomResizedCrop(ratio=(2, 1)), r"ratio is \(2, 1\); expected the smallest and the largest width / height"),
    ],
)
def test_transforms_say_what_is_wrong(make, message):
    with pytest.raises(InputError, match=message):
        make()
