"""Glyphs: what they are made of, and where the label is."""

import hashlib

import numpy as np
import pytest

from xception_np import data
from xception_np.data import glyphs
from xception_np.errors import InputError

COUNT = 6000
CLASSES = len(glyphs.CLASSES)
CHANCE = 1 / CLASSES
SPREAD = 4 * np.sqrt(CHANCE * (1 - CHANCE) / (COUNT / 2))  # four standard deviations of the accuracy of guesses


def counts(numbers):
    """How often each of 0 to 5 is in each picture, (N, 6)."""
    return (numbers[..., None] == np.arange(CLASSES)).sum(axis=1)


def pairs(drawn):
    """How often each label's pairs of pattern and hue are in each picture: the joint feature."""
    means = glyphs.PAIRS.argsort(axis=0)  # means[hue, pattern]: the label for which the two go together
    return counts(means[drawn.hues, drawn.patterns])


def accuracy(features, labels):
    """Of a linear classifier, fitted to the first half of the pictures and measured on the second."""
    half = len(labels) // 2
    augmented = np.column_stack([features, np.ones(len(features))])
    targets = np.eye(CLASSES)[labels[:half]]
    weight = np.linalg.lstsq(augmented[:half], targets, rcond=None)[0]
    return float(((augmented[half:] @ weight).argmax(axis=1) == labels[half:]).mean())


def matched(grey):
    """How well each pattern fits at its best places, (N, 6)."""
    windows = np.lib.stride_tricks.sliding_window_view(grey, (3, 3), axis=(1, 2))
    fits = np.einsum("nhwij,pij->nphw", windows - windows.mean(axis=(3, 4), keepdims=True), glyphs.PATTERNS)
    return (np.maximum(fits, 0) ** 2).mean(axis=(2, 3))


@pytest.fixture(scope="module", params=[0.0, 1.0])
def drawn(request):
    return request.param, glyphs.draw(request.param, COUNT)


def test_at_1_the_patterns_and_the_hues_say_nothing_and_at_0_they_do():
    joint, apart = glyphs.draw(1.0, COUNT), glyphs.draw(0.0, COUNT)
    for numbers in ("patterns", "hues"):
        assert (counts(getattr(joint, numbers)) == 2).all()  # the same for every label: nothing to learn, from both together either
        assert accuracy(counts(getattr(apart, numbers)), apart.labels) > 0.5  # half of the pictures, and a sixth of the others
    assert accuracy(np.column_stack([counts(apart.patterns), counts(apart.hues)]), apart.labels) == 1


def test_at_1_grey_pictures_and_the_means_of_channels_say_nothing_and_at_0_they_do():
    """The same from the pixels: grey neighbourhoods, and colours wherever they are, noise and all."""
    for joint in (0.0, 1.0):
        pictures = glyphs.pictures(joint, COUNT)
        blocks = pictures.images.reshape(COUNT, 16, 2, 16, 2, 3).mean(axis=(2, 4))
        spatial = accuracy(matched(blocks.mean(axis=3)), pictures.labels)
        channels = accuracy(blocks.mean(axis=(1, 2)), pictures.labels)
        for found in (spatial, channels):
            assert found > 0.35 if joint == 0 else abs(found - CHANCE) < SPREAD


def test_at_1_the_pairs_say_all_and_at_0_little():
    joint, apart = glyphs.draw(1.0, COUNT), glyphs.draw(0.0, COUNT)
    assert accuracy(pairs(joint), joint.labels) == 1
    assert accuracy(pairs(apart), apart.labels) < 0.3


@pytest.mark.parametrize(("joint", "shares"), [(0, (0.5, 0.5, 0)), (0.25, (0.375, 0.375, 0.25)), (1, (0, 0, 1))])
def test_the_knob_is_the_share_of_joint_pictures(joint, shares):
    drawn = glyphs.draw(joint, COUNT)
    np.testing.assert_allclose(np.bincount(drawn.kinds, minlength=3) / COUNT, shares, atol=0.025)
    spatial, channels, together = (drawn.kinds == kind for kind in range(3))
    assert (drawn.patterns[spatial] == drawn.labels[spatial, None]).all()
    assert (drawn.hues[channels] == drawn.labels[channels, None]).all()
    assert (glyphs.PAIRS[drawn.labels[:, None], drawn.patterns][together] == drawn.hues[together]).all()


def test_turning_the_knob_changes_no_more_than_the_kinds():
    low, high = glyphs.draw(0.25, 500), glyphs.draw(0.75, 500)
    same = low.kinds == high.kinds
    assert 0.4 < same.mean() < 0.6
    assert (low.labels == high.labels).all() and (low.levels == high.levels).all() and (low.corners == high.corners).all()
    assert (low.patterns[same] == high.patterns[same]).all() and (low.hues[same] == high.hues[same]).all()


def test_grey_has_no_trace_of_hue_and_channel_means_none_of_pattern(drawn):
    _, made = drawn
    made = glyphs.Drawn(*(array[:200] for array in made))
    other_hues = made._replace(hues=(made.hues + 1) % CLASSES)
    other_patterns = made._replace(patterns=(made.patterns + 1) % CLASSES)
    painted = glyphs.paint(made)
    assert (painted.sum(axis=3) == glyphs.paint(other_hues).sum(axis=3)).all()
    assert (painted.sum(axis=(1, 2)) == glyphs.paint(other_patterns).sum(axis=(1, 2))).all()
    assert (painted != glyphs.paint(other_hues)).any() and (painted != glyphs.paint(other_patterns)).any()


def test_the_pairs_are_a_latin_square():
    assert (np.sort(glyphs.PAIRS, axis=0) == np.arange(CLASSES)[:, None]).all()
    assert (np.sort(glyphs.PAIRS, axis=1) == np.arange(CLASSES)).all()


def test_moved_patterns_share_two_blocks_at_most():
    framed = np.pad(glyphs.PATTERNS, ((0, 0), (2, 2), (2, 2)))
    for p in range(CLASSES):
        for other in set(range(CLASSES)) - {p}:
            shared = [(framed[p, i : i + 3, j : j + 3] * glyphs.PATTERNS[other]).sum() for i in range(5) for j in range(5)]
            assert max(shared) <= 2
    assert (glyphs.PATTERNS.sum(axis=(1, 2)) == 4).all() and (glyphs.HUES.sum(axis=1) == 6).all()


def test_a_glyph_is_where_and_what_it_was_drawn_as():
    made = glyphs.draw(1.0, 1)
    blocks = glyphs.paint(made)[0, ::2, ::2]
    for glyph, (top, left) in enumerate(made.corners[0]):
        lit = blocks[top : top + 3, left : left + 3] - 56
        expected = glyphs.PATTERNS[made.patterns[0, glyph]][..., None] * made.levels[0, glyph] * glyphs.HUES[made.hues[0, glyph]]
        np.testing.assert_array_equal(lit, expected)
    assert (blocks != 56).any(axis=2).sum() == 12 * 4  # none lies over another


def test_noise_is_of_one_size_everywhere_and_stays_within_bytes():
    images = glyphs.pictures(1.0, 200).images
    noise = images - glyphs.paint(glyphs.draw(1.0, 200)).astype(int)
    assert (noise.min(), noise.max()) == (-40, 40)
    np.testing.assert_allclose(noise.std(axis=(0, 1, 2)), np.sqrt((81**2 - 1) / 12), rtol=0.01)


def test_fewer_pictures_are_the_first_of_more_and_parts_and_seeds_differ():
    few, more = glyphs.pictures(0.5, 7), glyphs.pictures(0.5, 20)
    np.testing.assert_array_equal(few.images, more.images[:7])
    assert (few.labels == more.labels[:7]).all()
    for other in (glyphs.pictures(0.5, 7, part=1), glyphs.pictures(0.5, 7, seed=1)):
        assert (other.images != few.images).any() and (other.labels != few.labels).any()


def test_the_pictures_never_change():
    images = glyphs.pictures(0.5, 100).images
    assert hashlib.sha256(images.tobytes()).hexdigest() == "cbbef380f5ca18cf3c570c72097671fab6a33e41e66c26c79635f08f21c490b7"


def test_by_name():
    train, test = data.load("glyphs:0.75")
    assert (len(train), len(test), train.size) == (8000, 2000, 32)
    assert train.name == test.name == "glyphs:0.75" and train.classes == glyphs.CLASSES
    np.testing.assert_array_equal(train.images[:50], glyphs.pictures(0.75, 50).images)
    assert data.load_test("glyphs").name == "glyphs:0.5"
    assert data.is_name("glyphs") and data.is_name("glyphs:1") and not data.is_name("glyphs.tar")
    assert data.Augmentation.of(train) == data.Augmentation()


@pytest.mark.parametrize("name", ["glyphs:", "glyphs:much", "glyphs:1.5", "glyphs:-1", "glyphs:nan"])
def test_a_knob_that_is_not_from_0_to_1(name):
    with pytest.raises(InputError, match="expected the joint dependence"):
        data.load(name)


@pytest.mark.parametrize("count", [0, 1.5, True])
def test_a_number_of_pictures_that_is_none(count):
    with pytest.raises(InputError, match="count is"):
        glyphs.pictures(0.5, count)
