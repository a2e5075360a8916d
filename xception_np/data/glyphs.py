"""Glyphs: pictures whose label is in their spatial structure, in their channels, or only in how the two go together.

The paper's hypothesis is that "cross-channel correlations and spatial correlations are sufficiently decoupled that it is preferable
not to map them jointly" (section 1). Natural pictures do not say how far they are decoupled; these have a knob for it.

A picture (32, 32, 3) has twelve glyphs on a grey ground, each a pattern p of four of 3x3 blocks (of 2x2 pixels) in a hue q:

    pixel = 56 + level * HUES[q] + noise        where the pattern has a block; 56 + noise elsewhere

with p, q and the label y from 0 to 5. Every glyph has a level (brightness) of its own, a whole number from 6 to 20; every pixel of
every channel has its own noise, from -40 to 40. With probability `joint` a picture is of the third kind, else of one of the others:

    spatial     p = y                     each hue twice          what pattern, in whatever hue
    channels    each pattern twice        q = y                   what hue, on whatever pattern
    joint       each pattern twice        q = PAIRS[y, p]         what pattern in what hue: each hue twice, too

In a spatial picture, and in one by channels, the label is in features of one of the two alone. A joint picture has every pattern
and every hue, whatever its label: only which comes with which depends on it. Nor is the one seen through the other: every pattern
has four blocks, and the channels of every hue sum to 6, so that a grey copy of a picture has no trace of q, and the mean of each
channel none of p. Whoever sees all patterns and all hues, but not which belong together, is right in at most

    1 - joint + joint / 6

of the pictures.
"""

import math
from typing import NamedTuple

import numpy as np

from xception_np.data.dataset import Dataset, Split
from xception_np.errors import InputError
from xception_np.random import Purpose, Stream, check_seed, words

NAME = "glyphs"
SIZE = 32
CLASSES = ("0", "1", "2", "3", "4", "5")
TRAIN, TEST = 8000, 2000  # pictures
KINDS = ("spatial", "channels", "joint")

# However they are moved, no two share more than two blocks: a network that pools over positions can tell them apart.
PATTERNS = np.array(
    [
        [[1, 1, 1], [0, 1, 0], [0, 0, 0]],
        [[1, 0, 1], [0, 0, 0], [1, 0, 1]],
        [[0, 0, 1], [1, 1, 0], [0, 0, 1]],
        [[0, 1, 1], [0, 0, 0], [1, 1, 0]],
        [[0, 0, 1], [1, 0, 1], [1, 0, 0]],
        [[0, 1, 0], [1, 0, 1], [0, 0, 1]],
    ],
    dtype=np.int16,
)
HUES = np.array(
    [[4, 1, 1], [3, 3, 0], [1, 4, 1], [0, 3, 3], [1, 1, 4], [3, 0, 3]], np.int16
)  # red, yellow, green, cyan, blue, magenta

# The hue of every pattern (column) for every label (row): a Latin square. Of 40 random ones the furthest from a sum of a few
# products f(y) g(p) h(q), which a few separable features would add up to; that of `(p + y) % 6` is such a sum.
PAIRS = np.array(
    [[0, 1, 2, 3, 4, 5], [1, 4, 0, 5, 2, 3], [4, 5, 3, 2, 0, 1], [5, 0, 1, 4, 3, 2], [3, 2, 4, 1, 5, 0], [2, 3, 5, 0, 1, 4]]
)

_GROUND, _DARKEST, _BRIGHTEST, _NOISE = 56, 6, 20, 40
_GLYPHS = 2 * len(CLASSES)
_ROWS = 4  # of cells for glyphs, and columns
_CELL = 4  # blocks; all glyphs of a picture are moved by 0 or 1 along either axis
_BLOCK = 2  # pixels


class Drawn(NamedTuple):
    """What N pictures are made of.

    labels, kinds : (N,) arrays, the label and the index of the kind in `KINDS`
    patterns, hues, levels : (N, 12) arrays, of every glyph
    corners : (N, 12, 2) array, the blocks above it and to its left
    """

    labels: np.ndarray
    kinds: np.ndarray
    patterns: np.ndarray
    hues: np.ndarray
    levels: np.ndarray
    corners: np.ndarray


def load(joint: float = 0.5, seed: int = 0, train: int = TRAIN, test: int = TEST) -> Split:
    """Pictures to train on and others to measure by; always the same ones for the same numbers.

    Parameters
    ----------
    joint : float
        Joint dependence: the probability that a picture is of the joint kind, 0 to 1.
    seed : int
        From 0 to 2**32 - 1. One seed gives the same glyphs at every `joint`, but for what their kind decides.
    train, test : int
        How many pictures. Fewer are the first of more.

    Raises
    ------
    InputError
        If a number is out of its range.
    """
    return Split(pictures(joint, train, seed, 0), pictures(joint, test, seed, 1))


def pictures(joint: float, count: int, seed: int = 0, part: int = 0) -> Dataset:
    """One part of the data set: 0 is trained on, 1 measured by."""
    drawn = draw(joint, count, seed, part)
    noise = words(_stream(seed, part, "noise"), count * SIZE * SIZE * 3 // 4).view(np.uint8).astype(np.int16)
    pixels = paint(drawn) + (noise * (2 * _NOISE + 1) >> 8).reshape(count, SIZE, SIZE, 3) - _NOISE
    return Dataset(f"{NAME}:{joint:g}", pixels.astype(np.uint8), drawn.labels, CLASSES)


def draw(joint: float, count: int, seed: int = 0, part: int = 0) -> Drawn:
    """What is in the first `count` pictures of a part."""
    if isinstance(joint, bool) or not isinstance(joint, int | float | np.number) or not 0 <= joint <= 1:
        raise InputError(f"joint is {joint!r}; expected the joint dependence, a number from 0 to 1")
    if not isinstance(count, int | np.integer) or isinstance(count, bool) or count < 1:
        raise InputError(f"count is {count!r}; expected a number of pictures, 1 or more")
    check_seed(seed)

    def below(limit: int, what: str, *shape: int) -> np.ndarray:
        found = words(_stream(seed, part, what), math.prod((count, *shape))).astype(np.uint64)
        return (found * np.uint64(limit) >> np.uint64(32)).astype(np.int64).reshape(count, *shape)

    def shuffled(limit: int, what: str) -> np.ndarray:
        return words(_stream(seed, part, what), count * limit).reshape(count, limit).argsort(axis=1, kind="stable")

    def each_twice(what: str) -> np.ndarray:
        return shuffled(_GLYPHS, what) % len(CLASSES)

    labels = below(len(CLASSES), "labels")
    chance = words(_stream(seed, part, "joint"), count) / 2.0**32  # from 0 to less than 1
    kinds = np.where(chance < joint, KINDS.index("joint"), below(2, "kinds"))
    of_kind, each = [(kinds == kind)[:, None] for kind in range(len(KINDS))], labels[:, None]
    patterns = np.where(of_kind[0], each, each_twice("patterns"))
    hues = np.select(of_kind, [each_twice("hues"), each, PAIRS[each, patterns]])
    levels = _DARKEST + below(_BRIGHTEST + 1 - _DARKEST, "levels", _GLYPHS)
    cells = np.stack(np.divmod(shuffled(_ROWS**2, "cells")[:, :_GLYPHS], _ROWS), axis=2)  # (N, 12, 2)
    return Drawn(labels, kinds, patterns, hues, levels, _CELL * cells + below(2, "moved", 1, 2))


def paint(drawn: Drawn) -> np.ndarray:
    """The pictures without their noise, (N, 32, 32, 3) of int16."""
    count = len(drawn.labels)
    blocks = np.full((count, SIZE // _BLOCK, SIZE // _BLOCK, 3), _GROUND, np.int16)
    colours = drawn.levels.astype(np.int16)[..., None] * HUES[drawn.hues]  # (N, 12, 3)
    glyph = PATTERNS[drawn.patterns][..., None] * colours[:, :, None, None]  # (N, 12, 3, 3, 3)
    row, column = (drawn.corners[..., axis, None] + np.arange(3) for axis in range(2))  # (N, 12, 3)
    blocks[np.arange(count)[:, None, None, None], row[..., None], column[..., None, :]] += glyph
    return blocks.repeat(_BLOCK, axis=1).repeat(_BLOCK, axis=2)


def is_name(source: str) -> bool:
    """Whether a source is this data set: `glyphs`, or with its joint dependence `glyphs:0.75`."""
    return source.partition(":")[0] == NAME


def from_name(source: str) -> Split:
    """The data set that a name stands for; InputError if what follows its colon is no number from 0 to 1."""
    _, colon, knob = source.partition(":")
    if not colon:
        return load()
    try:
        joint = float(knob)
    except ValueError:
        raise InputError(f"data is {source!r}; expected the joint dependence after the colon, {NAME}:0 to {NAME}:1") from None
    return load(joint)


_QUANTITIES = ("labels", "joint", "kinds", "patterns", "hues", "levels", "cells", "moved", "noise")


def _stream(seed: int, part: int, what: str) -> Stream:
    return Stream(seed, Purpose.PICTURES, part, _QUANTITIES.index(what))
