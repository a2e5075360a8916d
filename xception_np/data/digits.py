"""Handwritten digits: the 1,797 pictures that come with scikit-learn, so that a first training needs no download.

Each is 8x8 with 17 levels of grey; here 32x32 RGB, by bilinear interpolation. Source: E. Alpaydin, C. Kaynak, "Optical
Recognition of Handwritten Digits", UCI Machine Learning Repository, 1998 (its test set).
"""

import numpy as np

from xception_np.data.dataset import CHANNELS, Dataset, Split
from xception_np.random import Purpose, Stream, permutation

NAME = "digits"
SIZE = 32
CLASSES = tuple("0123456789")
HELD_OUT = 36  # of each class: 360 in all
_WHITE = 16  # the brightest value in scikit-learn's pictures


def load() -> Split:
    """The digits: 1,437 to train on and 360 held out, 36 of each class; always the same ones."""
    from sklearn.datasets import load_digits  # takes most of a second to import

    source = load_digits()
    labels = source.target.astype(np.int64)
    dataset = Dataset(NAME, _enlarge(source.images), labels, CLASSES)
    train, test = split(labels)
    return Split(dataset.subset(train), dataset.subset(test))


def split(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sorted indices to train on and to hold out: of each class, the first 36 in a random order that never changes."""
    order = permutation(Stream(seed=0, purpose=Purpose.SHUFFLE, item=1), len(labels))  # item 0 orders the epochs
    held_out = np.concatenate([order[labels[order] == label][:HELD_OUT] for label in range(len(CLASSES))])
    return np.setdiff1d(order, held_out), np.sort(held_out)


def _enlarge(grey: np.ndarray) -> np.ndarray:
    """(N, 8, 8) from 0 to 16 -> (N, 32, 32, 3) uint8 from 0 to 255."""
    from PIL import Image

    pixels = np.rint(grey * (255 / _WHITE)).astype(np.uint8)
    large = [np.asarray(Image.fromarray(image).resize((SIZE, SIZE), Image.Resampling.BILINEAR)) for image in pixels]
    return np.repeat(np.stack(large)[..., np.newaxis], CHANNELS, axis=3)
