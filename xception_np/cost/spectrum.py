"""The paper's spectrum as numbers: what a module costs at every number of segments.

A point of the spectrum is Figure 3 of the paper: a spatial convolution of the channels in S segments, and a 1x1 convolution that
mixes them. The order of the two changes no number here, since there are as many filters as channels.

    parameters   kh*kw * C*C/S + C*C                  only the spatial half falls with S
    macs         N*H*W times that

Source: section 1.2 of the paper.
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from xception_np import ops
from xception_np.geometry import Geometry
from xception_np.ops import spec
from xception_np.ops.spec import Cost

INCEPTION = (3, 4)  # segments of an Inception module, "3 or 4" in the paper


class Point(NamedTuple):
    """One number of segments.

    segments : S
    place : "regular", "Inception" or "Xception" where the paper has a name for it, else empty
    spatial, pointwise : costs of a forward pass of the two halves, as `count` has them for a network's layers
    """

    segments: int
    place: str
    spatial: Cost
    pointwise: Cost

    @property
    def total(self) -> Cost:
        """Both halves, each an operation of its own."""
        return spec.total((self.spatial, self.pointwise))


def spectrum(x_shape: tuple[int, int, int, int], segments: Iterable[int] | None = None, kernel: int = 3) -> list[Point]:
    """A point for every S that divides C, from regular (1) to depthwise (C); stride 1, padding "same", C filters, float32.

    Parameters
    ----------
    x_shape : (N, H, W, C)
    segments : iterable of int, optional
        Only these.
    kernel : int
        Height and width of the spatial half.

    Raises
    ------
    InputError
        If a size is less than 1, or a number of segments does not divide C (the message names the nearest that do).
    """
    for name, size in zip(("batch", "height", "width", "channels"), x_shape, strict=True):
        spec.positive(name, size)
    channels = x_shape[3]
    return [_point(x_shape, s, kernel) for s in (spec.divisors(channels) if segments is None else segments)]


def connections(channels: int, segments: int) -> np.ndarray:
    """(C, C) array: 1 where the filter (column) sees the channel (row).

    Found by trying: a 1x1 kernel of ones is given C pictures of one pixel, each with another channel lit.
    """
    spec.positive("channels", channels)
    lit = np.eye(channels).reshape(channels, 1, 1, channels)
    segments = spec.segments(segments, channels, channels)
    weight = np.ones((1, 1, channels // segments, channels))
    return ops.grouped_conv.forward(lit, weight, Geometry(1), segments, implementation="reference")[0].reshape(channels, channels)


def _point(x_shape: tuple[int, int, int, int], segments: int, kernel: int) -> Point:
    channels = x_shape[3]
    segments = spec.segments(segments, channels, channels)
    geometry = Geometry(kernel)
    spatial = ops.grouped_conv.cost(x_shape, (*geometry.kernel, channels // segments, channels), geometry)
    return Point(segments, _place(segments, channels), spatial, ops.pointwise_conv.cost(x_shape, (channels, channels)))


def _place(segments: int, channels: int) -> str:
    if segments == 1:
        return "regular"
    if segments == channels:
        return "Xception"
    return "Inception" if segments in INCEPTION else ""
