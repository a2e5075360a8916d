"""New pictures out of old ones: mirrored, moved, in another light, with a piece missing.

A transform takes a batch of images (N, H, W, 3) of uint8 and what is drawn for them, and returns new ones of the same
shape. It never writes to its input. `RandomResizedCrop` is of another kind: it says where to look before a picture is
scaled to the network's size, so that a small part of a large picture keeps its detail.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal, Protocol

import numpy as np

from xception_np.data.dataset import CHANNELS, Box, Window
from xception_np.data.draws import COLOUR, CROP, CUTOUT, FLIP, WINDOW, Draws
from xception_np.errors import InputError

LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # grey = LUMA . (red, green, blue): ITU-R BT.601, as in JPEG


class Transform(Protocol):
    """A change of pixels at random.

    Attributes
    ----------
    use : slice
        Which of a picture's random words it takes.
    """

    use: ClassVar[slice]

    def apply(self, images: np.ndarray, draws: Draws) -> np.ndarray:
        """Images (N, H, W, 3) of uint8 -> the same shape."""


@dataclass(frozen=True)
class Flip:
    """Mirror left and right, with probability 1/2."""

    use: ClassVar[slice] = FLIP

    def apply(self, images: np.ndarray, draws: Draws) -> np.ndarray:
        """Mirror those whose coin says so."""
        return mirrored(images, _coin(draws))


@dataclass(frozen=True)
class AlternatingFlip:
    """Mirror in every other epoch: half of the pictures in the even ones, the other half in the odd ones.

    So any two epochs in a row show both sides of every picture, where `Flip` shows half of them the same side twice.
    Source: K. Jordan, "94% on CIFAR-10 in 3.29 Seconds on a Single GPU" (2024), section 3.6.
    """

    use: ClassVar[slice] = FLIP

    def apply(self, images: np.ndarray, draws: Draws) -> np.ndarray:
        """Mirror where (the coin of epoch 0) xor (the epoch is odd)."""
        return mirrored(images, _coin(draws.of_epoch(0)) ^ bool(draws.epoch % 2))


@dataclass(frozen=True)
class PaddedCrop:
    """Move by up to `margin` pixels, up or down, left or right, each distance as likely as another.

    It is a crop of the old size out of the picture with a margin. Source: He et al., "Deep Residual Learning" (CVPR 2016),
    section 4.2.

    Attributes
    ----------
    margin : int
        In pixels.
    edge : str
        What the margin shows: `black`, or the picture itself with `reflect`.
    """

    use: ClassVar[slice] = CROP
    margin: int
    edge: str = "black"

    def __post_init__(self):
        if not isinstance(self.margin, int) or self.margin < 0:
            raise InputError(f"margin is {self.margin!r}; expected a number of pixels, 0 or more")
        if self.edge not in _PAD_MODES:
            raise InputError(f"edge is {self.edge!r}; expected one of {', '.join(map(repr, _PAD_MODES))}")

    def apply(self, images: np.ndarray, draws: Draws) -> np.ndarray:
        """Pad, then crop."""
        count, height, width, _ = images.shape
        margin = self.margin
        padded = np.pad(images, ((0, 0), (margin, margin), (margin, margin), (0, 0)), _PAD_MODES[self.edge])
        top, left = draws.below(CROP, 2 * margin + 1).T
        rows = padded.reshape(count, height + 2 * margin, -1)  # (N, H + 2m, (W + 2m) * 3)
        crops = np.lib.stride_tricks.sliding_window_view(rows, (height, width * CHANNELS), axis=(1, 2))  # no copy
        return crops[np.arange(count), top, left * CHANNELS].reshape(images.shape)


_WHOLE = 10**7  # pixels: more than any picture has
_PAD_MODES: Mapping[str, Literal["constant", "reflect"]] = {"black": "constant", "reflect": "reflect"}


@dataclass(frozen=True)
class ColourJitter:
    """Change brightness, contrast and saturation, each by a factor between 1 - value and 1 + value.

        brighter = b * x
        contrast = c * brighter + (1 - c) * (mean grey of brighter)
        result   = s * contrast + (1 - s) * (grey of contrast)

    Grey is linear in x, so the three steps are one matrix for each picture and one offset:

        result = b * c * (s * x + (1 - s) * grey(x)) + (1 - c) * b * (mean grey of x)

    rounded, and cut off at 0 and 255 once, at the end.
    """

    use: ClassVar[slice] = COLOUR
    brightness: float = 0.0
    contrast: float = 0.0
    saturation: float = 0.0

    def __post_init__(self):
        for name in ("brightness", "contrast", "saturation"):
            if not 0 <= getattr(self, name) <= 1:
                raise InputError(f"{name} is {getattr(self, name)!r}; expected the largest change, from 0 to 1")

    def apply(self, images: np.ndarray, draws: Draws) -> np.ndarray:
        """Draw a matrix for each picture and multiply its pixels by it."""
        largest = np.array([self.brightness, self.contrast, self.saturation])
        factors = (1 + largest * (2 * draws.uniform(COLOUR) - 1)).astype(np.float32)
        result = np.empty_like(images)
        for n, (b, c, s) in enumerate(factors):
            x = images[n].reshape(-1, CHANNELS).astype(np.float32)  # (H * W, 3)
            matrix = b * c * (s * np.eye(CHANNELS, dtype=np.float32) + (1 - s) * LUMA[:, None])  # x @ LUMA is grey
            y = x @ matrix + (1 - c) * b * (x.mean(axis=0, dtype=np.float64).astype(np.float32) @ LUMA)
            result[n] = np.rint(y).clip(0, 255).reshape(images.shape[1:])
        return result


@dataclass(frozen=True)
class Cutout:
    """Hide a square of `side` pixels, around a centre that may be anywhere: at an edge less than the square is hidden.

    Source: T. DeVries, G. W. Taylor, "Improved Regularization of Convolutional Neural Networks with Cutout" (2017).

    Attributes
    ----------
    side : int
        In pixels.
    fill : tuple of 3 ints
        The colour that hides: black if not given.
    """

    use: ClassVar[slice] = CUTOUT
    side: int
    fill: tuple[int, int, int] = (0, 0, 0)

    def __post_init__(self):
        if not isinstance(self.side, int) or not 1 <= self.side <= _WHOLE:
            raise InputError(f"side is {self.side!r}; expected a number of pixels, 1 to {_WHOLE}")
        if len(self.fill) != CHANNELS or not all(isinstance(value, int) and 0 <= value <= 255 for value in self.fill):
            raise InputError(f"fill is {self.fill!r}; expected {CHANNELS} integers from 0 to 255")

    def apply(self, images: np.ndarray, draws: Draws) -> np.ndarray:
        """Hide rows top to bottom and columns left to right of each picture."""
        result = images.copy()
        height, width = images.shape[1:3]
        centre = np.stack([draws.below(CUTOUT, height)[:, 0], draws.below(CUTOUT, width)[:, 1]], axis=1)
        start = centre - self.side // 2
        corners = np.concatenate([start.clip(0), start + self.side], axis=1).tolist()
        for image, (top, left, bottom, right) in zip(result, corners, strict=True):
            image[top:bottom, left:right] = self.fill
        return result


@dataclass(frozen=True)
class RandomResizedCrop:
    """Look at a part of a picture only: of a random area and shape, anywhere in it.

    Source: C. Szegedy et al., "Going Deeper with Convolutions" (CVPR 2015), section 6. Where the shape drawn does not fit into
    the picture, it is made smaller until it does.

    Attributes
    ----------
    area : pair of floats
        Smallest and largest part of the picture's area, uniform between.
    ratio : pair of floats
        Smallest and largest width / height, uniform in the logarithm; of a picture as it is stored, before its EXIF tag turns it.
    """

    area: tuple[float, float] = (0.08, 1.0)
    ratio: tuple[float, float] = (3 / 4, 4 / 3)

    def __post_init__(self):
        if not 1e-4 <= self.area[0] <= self.area[1] <= 1:
            raise InputError(f"area is {self.area}; expected the smallest and the largest part, from 0.0001 to 1")
        if not 0.01 <= self.ratio[0] <= self.ratio[1] <= 100:
            raise InputError(f"ratio is {self.ratio}; expected the smallest and the largest width / height, from 0.01 to 100")

    def window(self, draws: Draws) -> Window:
        """Where to look in each picture, for `read`."""
        uniform = draws.uniform(WINDOW).tolist()
        low, high = map(math.log, self.ratio)

        def box(k: int, height: int, width: int) -> Box:
            u_area, u_ratio, u_left, u_top = uniform[k]
            area = (self.area[0] + u_area * (self.area[1] - self.area[0])) * height * width
            ratio = math.exp(low + u_ratio * (high - low))
            w, h = math.sqrt(area * ratio), math.sqrt(area / ratio)
            fit = min(1.0, width / w, height / h)
            w, h = min(fit * w, width), min(fit * h, height)  # rounding must not lead beyond the edges
            left, top = u_left * (width - w), u_top * (height - h)
            return left, top, min(left + w, width), min(top + h, height)

        return box


def mirrored(images: np.ndarray, which: np.ndarray) -> np.ndarray:
    """Images with those mirrored that a boolean array (N,) names."""
    result = images.copy()
    (numbers,) = which.nonzero()
    sides = images[numbers, :, ::-1]
    for channel in range(CHANNELS):  # one at a time: rows are then copied without a loop over 3 bytes
        result[numbers, ..., channel] = sides[..., channel]
    return result


def _coin(draws: Draws) -> np.ndarray:
    return draws.words(FLIP)[:, 0] >= 2**31
