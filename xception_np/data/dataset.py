"""Labelled pictures, and what the rest of the package asks of them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol
from unicodedata import bidirectional, category

import numpy as np

from xception_np.errors import InputError

CHANNELS = 3
_NOT_SHOWN = ("Cc", "Zl", "Zp", "Cs")  # control characters, ends of lines, and halves of characters: bytes that are no UTF-8
_TURNING = ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")  # marks that change the order of what stands around them
_LONGEST_NAME = 200  # letters of a class: pictures have to have room for it
_CHUNK = 1000  # images whose pixels are counted at once, so that statistics need little memory

Box = tuple[float, float, float, float]
"""A part of a picture: left, upper, right, lower, in pixels from its upper left corner."""

Window = Callable[[int, int, int], Box]
"""`window(k, height, width)`: which part of the k-th picture asked for to look at, given its height and width."""


class Pictures(Protocol):
    """What a loader needs of a data set: `Dataset` holds the pixels in memory, `ImageFolder` reads them from files.

    Attributes
    ----------
    name : str
    labels : (N,) array of int64
    classes : tuple of str
    size : int
        Height and width of the pictures that `read` returns.
    """

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def labels(self) -> np.ndarray: ...  # noqa: D102
    @property
    def classes(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def size(self) -> int: ...  # noqa: D102
    def __len__(self) -> int: ...

    def read(self, indices: np.ndarray, window: Window | None = None) -> np.ndarray:
        """The pictures at these indices, (n, size, size, 3) of uint8; only a part of each, enlarged, with a window."""

    def subset(self, indices) -> "Pictures":
        """The pictures at these indices (an integer array or a slice), in that order."""

    def histogram(self) -> np.ndarray:
        """How often each channel has each value, (3, 256)."""


@dataclass(frozen=True, eq=False)
class Dataset:
    """Pictures in memory, and their labels.

    Attributes
    ----------
    name : str
        `digits`, `glyphs:0.5`, `cifar10` or `cifar100`, or a name of your own.
    images : (N, H, W, 3) array of uint8, C-contiguous
    labels : (N,) array of int64, from 0 to len(classes) - 1
    classes : tuple of str
        What the labels mean.

    Raises
    ------
    InputError
        If an array has another shape, dtype or layout, or a label has no class.
    """

    name: str
    images: np.ndarray = field(repr=False)
    labels: np.ndarray = field(repr=False)
    classes: tuple[str, ...]

    def __post_init__(self):
        check_images(self.images)
        if not self.images.flags.c_contiguous:
            raise InputError(f"images is not C-contiguous (strides {self.images.strides}); pass numpy.ascontiguousarray(images)")
        check_labels(self.labels, len(self.images), self.classes)

    def __len__(self) -> int:
        return len(self.images)

    @property
    def size(self) -> int:
        """Height and width of the pictures; InputError if they are not square."""
        height, width = self.images.shape[1:3]
        if height != width:
            raise InputError(f"images are {height} x {width} pixels; expected square ones")
        return height

    def read(self, indices: np.ndarray, window: Window | None = None) -> np.ndarray:
        """The pictures at these indices, or a window of each, enlarged to the size of the whole."""
        images = self.images[indices]
        if window is None:
            return images
        from xception_np.data.pictures import resize  # Pillow takes a tenth of a second to import

        enlarged = np.empty_like(images)
        height, width = images.shape[1:3]
        for k, image in enumerate(images):
            enlarged[k] = resize(image, (width, height), window(k, height, width))
        return enlarged

    def subset(self, indices) -> "Dataset":
        """The pictures at these indices (an integer array or a slice), in that order."""
        return Dataset(self.name, np.ascontiguousarray(self.images[indices]), self.labels[indices], self.classes)

    def histogram(self) -> np.ndarray:
        """How often each channel has each value, (3, 256)."""
        return sum(count_values(self.images[start : start + _CHUNK]) for start in range(0, len(self), _CHUNK))  # type: ignore[return-value]


class Split(NamedTuple):
    """The pictures to learn from, and those held out to measure what was learnt."""

    train: Pictures
    test: Pictures


def check_images(images) -> None:
    """Check that images are bytes of shape (N, H, W, 3); the message says what they are instead."""
    if not isinstance(images, np.ndarray) or images.dtype != np.uint8:
        raise InputError(f"images is a {_kind(images)}; expected a NumPy array of uint8, pixels from 0 to 255 as decoded")
    if images.ndim != 4 or images.shape[3] != CHANNELS or 0 in images.shape:
        raise InputError(f"images has shape {images.shape}; expected (N, H, W, {CHANNELS}), none of them 0")


def check_labels(labels, count: int, classes: tuple[str, ...]) -> None:
    """Check that labels is a (count,) array of int64, each the number of a class."""
    if not isinstance(labels, np.ndarray) or labels.dtype != np.int64:
        raise InputError(f"labels is a {_kind(labels)}; expected a NumPy array of int64")
    if labels.shape != (count,):
        raise InputError(f"labels has shape {labels.shape}; expected ({count},), a label for each image")
    check_class_names(classes)
    if count == 0:
        raise InputError("labels has shape (0,); expected those of one picture or more")
    low, high = labels.min(), labels.max()
    if low < 0 or high >= len(classes):
        raise InputError(f"labels go from {low} to {high}; expected 0 to {len(classes) - 1}, one for each class")


def is_shown(name: str) -> bool:
    """Whether a name can be written, and shown on one line."""
    return not any(category(letter) in _NOT_SHOWN or bidirectional(letter) in _TURNING for letter in name)


def shown(name: str) -> str:
    """A name with a sign in place of whatever cannot be shown."""
    return "".join(letter if is_shown(letter) else "\N{REPLACEMENT CHARACTER}" for letter in name)


def check_class_names(classes) -> None:
    """Check that every class has a name that can be written and shown."""
    for name in classes:
        if not isinstance(name, str) or not is_shown(name):
            raise InputError(f"class name is {name!r}; expected text in UTF-8 without control characters")
        if len(name) > _LONGEST_NAME:
            raise InputError(f"class name is {name[:20]!r}... of {len(name)} letters; expected {_LONGEST_NAME} at most")


def count_values(images: np.ndarray) -> np.ndarray:
    """How often each channel has each value, (3, 256)."""
    return np.stack([np.bincount(images[..., channel].ravel(), minlength=256) for channel in range(CHANNELS)])


def _kind(value) -> str:
    return f"NumPy array of {value.dtype}" if isinstance(value, np.ndarray) else type(value).__name__
