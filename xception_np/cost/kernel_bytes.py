"""The bytes that a CUDA kernel has to move: those that it reads, and those that it writes, each once, from shapes alone.

    kernel_bytes(launch)        # {"x": 1_048_576, "weight": 36_864, "y": 1_048_576}: less than this no cache can make it

A kernel touches all of its arrays, so this is their size, with three exceptions:

- **Windows** see a part of the image where their stride is larger than they are, or the image is no multiple of it. Taps that are
  on the padding for every window are not read.
- **Tiles** of a depthwise convolution read whole patches: what lies between windows, too, and what windows beyond the last would
  see.
- **Branches** of a concatenation are a part of what they are put into.

What belongs to a number that a ReLU cut or dropout dropped may not be read: that depends on the numbers, and is counted as if all
passed.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from xception_np import arrays, kernels
from xception_np.ops.depthwise_conv.gpu_tiled import COLUMNS


class Launch(NamedTuple):
    """A kernel of a file, its block and what it was given, by the names of its parameters."""

    file: Path
    name: str
    block: Sequence[int]
    arguments: Mapping[str, Any]

    @classmethod
    def of(cls, file, name, dtype, grid, block, args, shared_mem=0, types=kernels.NO_TYPES) -> "Launch":
        """From the arguments of `kernels.launch`."""
        return cls(file, name, block, dict(zip(kernels.parameter_names(file, name, dtype, types), args, strict=True)))


def kernel_bytes(launch: Launch) -> dict[str, int]:
    """Bytes of every array that are touched, by the parameter's name."""
    operation, rung = launch.file.parent.name, launch.file.stem
    parts = _PARTS.get((operation, rung, launch.name), {})
    return {
        name: value.itemsize * parts[name](launch, value) if name in parts else value.nbytes
        for name, value in launch.arguments.items()
        if arrays.place_of(value)
    }


class _Axis(NamedTuple):
    """One axis of an image and of the windows over it."""

    size: int
    outputs: int
    kernel: int
    stride: int
    dilation: int
    before: int

    @property
    def seen(self) -> np.ndarray:
        """(outputs, kernel): the pixel that each tap of each window is on, -1 beyond the image."""
        pixels = np.arange(self.outputs)[:, None] * self.stride + np.arange(self.kernel) * self.dilation - self.before
        return np.where((pixels >= 0) & (pixels < self.size), pixels, -1)

    @property
    def pixels(self) -> int:
        """How many pixels a window sees."""
        return np.unique(self.seen[self.seen >= 0]).size

    @property
    def windows(self) -> int:
        """How many windows see the image."""
        return int((self.seen >= 0).any(axis=1).sum())

    @property
    def taps(self) -> int:
        """How many taps are inside the image, for some window."""
        return int((self.seen >= 0).any(axis=0).sum())

    def pixels_of_patches(self, tile: int) -> int:
        """How many pixels lie between the first and the last that a tile of windows sees."""
        length = (tile - 1) * self.stride + (self.kernel - 1) * self.dilation + 1
        starts = np.arange(0, self.outputs, tile) * self.stride - self.before
        return _covered(starts, length, self.size)

    def windows_of_patches(self, tile: int) -> int:
        """How many windows lie between the first and the last that may see a tile of pixels."""
        reach = (self.kernel - 1) * self.dilation
        starts = (np.arange(0, self.size, tile) + self.before - reach) // self.stride
        return _covered(starts, (tile - 1 + reach + self.stride - 1) // self.stride + 1, self.outputs)

    def taps_of_patches(self, tile: int) -> int:
        """How many taps are on a window for some pixel of the tiles."""
        pixels = np.arange(-(-self.size // tile) * tile)[:, None] + self.before
        return int(((pixels - np.arange(self.kernel) * self.dilation) % self.stride == 0).any(axis=0).sum())


def _covered(starts: np.ndarray, length: int, size: int) -> int:
    covered = np.zeros(size, bool)
    for start in starts:
        covered[max(0, start) : max(0, start + length)] = True
    return int(covered.sum())


def _axes(launch: Launch) -> tuple[_Axis, _Axis]:
    of = launch.arguments
    return (
        _Axis(of["H"], of["OH"], of["kh"], of["sh"], of["dh"], of["top"]),
        _Axis(of["W"], of["OW"], of["kw"], of["sw"], of["dw"], of["left"]),
    )


_Part = Callable[[Launch, Any], int]


def _pixels(launch: Launch, image) -> int:
    rows, columns = _axes(launch)
    return image.size // (rows.size * columns.size) * rows.pixels * columns.pixels


def _windows(launch: Launch, image) -> int:
    rows, columns = _axes(launch)
    return image.size // (rows.outputs * columns.outputs) * rows.windows * columns.windows


def _taps(launch: Launch, weight) -> int:
    rows, columns = _axes(launch)
    return weight.size // (rows.kernel * columns.kernel) * rows.taps * columns.taps


def _pixels_of_patches(launch: Launch, image) -> int:
    rows, columns = _axes(launch)
    return image.size // (rows.size * columns.size) * rows.pixels_of_patches(launch.block[1]) * columns.pixels_of_patches(COLUMNS)


def _windows_of_patches(launch: Launch, image) -> int:
    rows, columns = _axes(launch)
    seen = rows.windows_of_patches(launch.block[1]) * columns.windows_of_patches(COLUMNS)
    return image.size // (rows.outputs * columns.outputs) * seen


def _rows_of_taps(launch: Launch, weight) -> int:
    rows, _ = _axes(launch)
    return weight.size // rows.kernel * rows.taps_of_patches(launch.block[1])


def _branch(launch: Launch, whole) -> int:
    return next(array.size for name, array in launch.arguments.items() if "branch" in name)


_ONE_THREAD_A_NUMBER: dict[str, dict[str, _Part]] = {
    "forward": {"x": _pixels, "weight": _taps},
    "backward_x": {"dy": _windows, "weight": _taps},
    "backward_weight": {"dy": _windows, "x": _pixels},
}
_PARTS: dict[tuple[str, str, str], dict[str, _Part]] = {
    ("conv", "gpu_tiled", "forward"): {"x": _pixels},
    ("conv", "gpu_tiled", "backward_x"): {"dy": _windows},
    ("conv", "gpu_tiled", "backward_weight"): {"x": _pixels},
    ("depthwise_conv", "gpu_tiled", "forward"): {"x": _pixels_of_patches},
    ("depthwise_conv", "gpu_tiled", "backward_x"): {"dy": _windows_of_patches, "weight": _rows_of_taps},
    ("depthwise_conv", "gpu_tiled", "backward_weight"): {"x": _pixels_of_patches},
    ("max_pool", "gpu", "forward"): {"x": _pixels},
    ("avg_pool", "gpu", "forward"): {"x": _pixels},
    ("concat", "gpu", "forward"): {"y": _branch},
    ("concat", "gpu", "backward"): {"dy": _branch},
}
for _operation in ("conv", "grouped_conv", "depthwise_conv"):
    _PARTS |= {(_operation, "gpu", kernel): parts for kernel, parts in _ONE_THREAD_A_NUMBER.items()}
