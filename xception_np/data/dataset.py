"""Labelled pictures in memory, and what is done to their pixels before a network sees them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from xception_np import arrays
from xception_np.errors import InputError

CHANNELS = 3
_CHUNK = 1000  # images whose pixels are counted at once, so that statistics need little memory


@dataclass(frozen=True, eq=False)
class Dataset:
    """Pictures and their labels.

    Attributes
    ----------
    name : str
        `digits` or `cifar10`, or a name of your own.
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
        if not isinstance(self.labels, np.ndarray) or self.labels.dtype != np.int64:
            raise InputError(f"labels is a {_kind(self.labels)}; expected a NumPy array of int64")
        if self.labels.shape != self.images.shape[:1]:
            raise InputError(f"labels has shape {self.labels.shape}; expected ({len(self.images)},), a label for each image")
        low, high = self.labels.min(), self.labels.max()
        if low < 0 or high >= len(self.classes):
            raise InputError(f"labels go from {low} to {high}; expected 0 to {len(self.classes) - 1}, one for each class")

    def __len__(self) -> int:
        return len(self.images)

    def subset(self, indices) -> "Dataset":
        """The pictures at these indices (an integer array or a slice), in that order."""
        return Dataset(self.name, np.ascontiguousarray(self.images[indices]), self.labels[indices], self.classes)


class Split(NamedTuple):
    """The pictures to learn from, and those held out to measure what was learnt."""

    train: Dataset
    test: Dataset


@dataclass(frozen=True)
class Preprocessing:
    """What a network is fed: x = (pixel / 255 - mean) / std, a mean and a standard deviation for each channel.

    A checkpoint carries it, because a network is right only on pixels prepared as in its training.

    Attributes
    ----------
    size : int
        Height and width of the images, in pixels.
    mean, std : tuple of 3 floats
        In units of the brightest pixel: 0 is black, 1 is white.

    Raises
    ------
    InputError
        If the size is not positive, or there are not three finite means and three positive deviations.
    """

    size: int
    mean: tuple[float, ...]
    std: tuple[float, ...]

    def __post_init__(self):
        if not isinstance(self.size, int) or self.size < 1:
            raise InputError(f"size is {self.size!r}; expected the images' height and width in pixels, 1 or more")
        if len(self.mean) != CHANNELS or not np.isfinite(self.mean).all():
            raise InputError(f"mean is {self.mean}; expected {CHANNELS} finite numbers, one for each channel")
        if len(self.std) != CHANNELS or not np.isfinite(self.std).all() or min(self.std) <= 0:
            raise InputError(f"std is {self.std}; expected {CHANNELS} positive numbers, one for each channel")

    @classmethod
    def of(cls, train: Dataset) -> "Preprocessing":
        """The preprocessing that gives each channel of the training pictures mean 0 and standard deviation 1."""
        height, width = train.images.shape[1:3]
        if height != width:
            raise InputError(f"images are {height} x {width} pixels; expected square ones")
        values = np.arange(256) / 255
        counts = _histogram(train.images) / (len(train) * height * width)  # (3, 256)
        mean = counts @ values
        std = np.sqrt((counts * (values - mean[:, None]) ** 2).sum(axis=1))
        return cls(height, tuple(mean.tolist()), tuple(std.tolist()))

    def apply(self, images: np.ndarray) -> np.ndarray:
        """Prepare images for a network.

        Parameters
        ----------
        images : (N, size, size, 3) array of uint8

        Returns
        -------
        x : (N, size, size, 3) array of float32

        Raises
        ------
        InputError
            If the images have another size, or are not bytes (already preprocessed, say).
        """
        check_images(images)
        if images.shape[1:3] != (self.size, self.size):
            raise InputError(f"images has shape {images.shape}; expected (N, {self.size}, {self.size}, 3): resize them first")
        x = arrays.empty(images.shape, np.float32)
        # Along whole rows of pixels: NumPy would start its inner loop again for every pixel's 3 channels.
        rows = x.reshape(-1, self.size * CHANNELS)
        mean, std = np.tile(self.mean, self.size), np.tile(self.std, self.size)
        np.multiply(images.reshape(rows.shape), (1 / (255 * std)).astype(np.float32), out=rows)
        rows -= (mean / std).astype(np.float32)
        return x

    def to_json(self) -> dict[str, Any]:
        """What `from_json` reads, in types that JSON has."""
        return {"size": self.size, "mean": list(self.mean), "std": list(self.std)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Preprocessing":
        """The preprocessing that `to_json` wrote; InputError if something is missing or of the wrong kind."""
        try:
            size, mean, std = value["size"], tuple(map(float, value["mean"])), tuple(map(float, value["std"]))
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"preprocessing is {value!r}; expected size, and 3 numbers each for mean and std") from error
        return cls(size, mean, std)


def check_images(images) -> None:
    """Check that images are bytes of shape (N, H, W, 3); the message says what they are instead."""
    if not isinstance(images, np.ndarray) or images.dtype != np.uint8:
        raise InputError(f"images is a {_kind(images)}; expected a NumPy array of uint8, pixels from 0 to 255 as decoded")
    if images.ndim != 4 or images.shape[3] != CHANNELS or 0 in images.shape:
        raise InputError(f"images has shape {images.shape}; expected (N, H, W, {CHANNELS}), none of them 0")


def _kind(value) -> str:
    return f"NumPy array of {value.dtype}" if isinstance(value, np.ndarray) else type(value).__name__


def _histogram(images: np.ndarray) -> np.ndarray:
    """How often each channel has each value, (3, 256)."""
    counts = np.zeros((CHANNELS, 256), np.int64)
    for start in range(0, len(images), _CHUNK):
        for channel in range(CHANNELS):
            counts[channel] += np.bincount(images[start : start + _CHUNK, ..., channel].ravel(), minlength=256)
    return counts
