"""What is done to the pixels of pictures before a network sees them."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from xception_np import arrays
from xception_np.data.dataset import CHANNELS, Pictures, check_images
from xception_np.errors import InputError


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
    scaled : int, optional
        Pixels that the shorter side of a picture file is scaled to (bicubic) before the middle is cut out; `size` if not given.
    order : {"RGB", "BGR"}
        Of the channels that the network takes; mean and std are in this order.

    Raises
    ------
    InputError
        If the size is not positive, the picture is scaled to less, there are not three finite means and three positive deviations,
        or there is no such order.
    """

    size: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    scaled: int | None = None
    order: str = "RGB"

    def __post_init__(self):
        if not isinstance(self.size, int) or self.size < 1:
            raise InputError(f"size is {self.size!r}; expected the images' height and width in pixels, 1 or more")
        if len(self.mean) != CHANNELS or not np.isfinite(self.mean).all():
            raise InputError(f"mean is {self.mean}; expected {CHANNELS} finite numbers, one for each channel")
        if len(self.std) != CHANNELS or not np.isfinite(self.std).all() or min(self.std) <= 0:
            raise InputError(f"std is {self.std}; expected {CHANNELS} positive numbers, one for each channel")

        if self.scaled is not None and (not isinstance(self.scaled, int) or not self.size <= self.scaled <= 4 * self.size):
            raise InputError(f"scaled is {self.scaled!r}; expected pixels from {self.size}, the size, to four times as many")
        if self.order not in ("RGB", "BGR"):
            raise InputError(f"order is {self.order!r}; expected 'RGB' or 'BGR'")

    @classmethod
    def of(cls, train: Pictures) -> "Preprocessing":
        """The preprocessing that gives each channel of the training pictures mean 0 and standard deviation 1."""
        size, values = train.size, np.arange(256) / 255
        counts = train.histogram()
        share = counts / counts.sum(axis=1, keepdims=True)  # (3, 256)
        mean = share @ values
        std = np.sqrt((share * (values - mean[:, None]) ** 2).sum(axis=1))
        if (share == 1).any():
            means = ", ".join(f"{value:.0f}" for value in 255 * mean)
            raise InputError(f"the training pictures have one value alone in a channel ({means}); expected pictures that differ")
        return cls(size, tuple(mean.tolist()), tuple(std.tolist()))

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
        if self.order == "BGR":
            images = np.ascontiguousarray(images[..., ::-1])
        x = arrays.empty(images.shape, np.float32)
        # Along whole rows of pixels: NumPy would start its inner loop again for every pixel's 3 channels.
        rows = x.reshape(-1, self.size * CHANNELS)
        mean, std = np.tile(self.mean, self.size), np.tile(self.std, self.size)
        np.multiply(images.reshape(rows.shape), (1 / (255 * std)).astype(np.float32), out=rows)
        rows -= (mean / std).astype(np.float32)
        return x

    def load(self, path: str | os.PathLike) -> np.ndarray:
        """A picture file as `apply` takes it, (size, size, 3) of uint8; InputError as `data.pictures.load_picture` raises it."""
        from xception_np.data.pictures import load_picture  # Pillow takes a tenth of a second to import

        return load_picture(path, self.size, scaled=self.scaled)

    def doubt(self, x: np.ndarray) -> str | None:
        """What looks wrong with pictures that are said to be prepared already: a sentence, or None.

        Prepared pixels lie between what black and white become, and fill a good part of that.
        """
        low, high = min(self._ends(0)), max(self._ends(1))
        least, most = float(x.min()), float(x.max())
        expected = f"pixels prepared for this network lie between {low:.3g} and {high:.3g}"
        if most > high + (high - low):
            return f"the pictures go up to {most:.3g}, as if nothing had been done to their pixels; {expected}"
        if least < low - 0.01 * (high - low) or most > high + 0.01 * (high - low):
            return f"the pictures go from {least:.3g} to {most:.3g}; {expected}"
        if low <= -0.5 and least >= 0 and 0.5 < most <= 1:
            return f"the pictures go from {least:.3g} to {most:.3g}, as if they were divided by 255 only; {expected}"
        if most - least < 0.05 * (high - low):
            return f"the pictures go from {least:.3g} to {most:.3g} only, as if they were prepared twice; {expected}"
        return None

    def _ends(self, value: float) -> list[float]:
        """What a pixel's value (0 black, 1 white) becomes in each channel."""
        return [(value - mean) / std for mean, std in zip(self.mean, self.std, strict=True)]

    def to_json(self) -> dict[str, Any]:
        """What `from_json` reads, in types that JSON has."""
        scaled = {} if self.scaled is None else {"scaled": self.scaled}
        order = {} if self.order == "RGB" else {"order": self.order}
        return {"size": self.size, "mean": list(self.mean), "std": list(self.std), **scaled, **order}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Preprocessing":
        """The preprocessing that `to_json` wrote; InputError if something is missing or of the wrong kind."""
        try:
            size, mean, std = value["size"], tuple(map(float, value["mean"])), tuple(map(float, value["std"]))
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise InputError(f"preprocessing is {value!r}; expected size, and 3 numbers each for mean and std") from error
        return cls(size, mean, std, value.get("scaled"), value.get("order", "RGB"))
