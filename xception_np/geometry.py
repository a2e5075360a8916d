"""Kernel, stride, dilation and padding: the only place with the arithmetic of windows.

A window that slides over an axis of n input positions sees, for output position o and tap i,

    input position  p = o * stride + i * dilation - before        (a tap with p < 0 or p >= n sees padding)

and there are

    outputs         (before + n + after - extent) // stride + 1,  extent = (kernel - 1) * dilation + 1

of them. Padding is `"valid"` (none), `"same"` (TensorFlow's rule: ceil(n / stride) outputs; an odd pad goes after,
so that with stride 2 an even and an odd axis are padded differently), or explicit, ((top, bottom), (left, right)).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from math import gcd
from typing import NamedTuple

import numpy as np

from xception_np.errors import InputError, is_whole

Pair = tuple[int, int]


class Tap(NamedTuple):
    """One kernel position (i, j), and where it touches the image.

    `y[:, *output] += f(x[:, *input], weight[i, j])` for every tap is the whole convolution, borders included.
    """

    i: int
    j: int
    input: tuple[slice, slice]
    output: tuple[slice, slice]


class Windows(NamedTuple):
    """Windows over an image of a known size. Compiled loops take them as they are, by the order of the fields.

    origin : (top, left), how far the first window starts outside the image; negative if it starts inside
    """

    kernel: Pair
    stride: Pair
    dilation: Pair
    origin: Pair

    @property
    def extent(self) -> Pair:
        """Rows and columns that one window spans."""
        return _extent(self.kernel, self.dilation)

    @property
    def numbers(self) -> tuple[int, ...]:
        """The eight numbers in a row, as CUDA kernels take them: kh, kw, sh, sw, dh, dw, top, left."""
        return (*self.kernel, *self.stride, *self.dilation, *self.origin)

    def transposed(self) -> "Windows":
        """The windows through which the input sees the output, spread out by `stride`, with flipped taps.

        Tap i of output o saw p = o * stride + i * dilation - before. So p sees, at o * stride, its tap kernel - 1 - i with

            o * stride = p + (kernel - 1 - i) * dilation - (extent - 1 - before)
        """
        (eh, ew), (top, left) = self.extent, self.origin
        return Windows(self.kernel, (1, 1), self.dilation, (eh - 1 - top, ew - 1 - left))

    def phases(self) -> Iterator[tuple[Pair, tuple[slice, slice], "Windows"]]:
        """(phase, taps, windows) of the convolutions that give an input's gradient: pixels phase, phase + stride, ... of it.

        They see the output through `windows`, of stride 1, by these taps of the kernel, `kernel[taps]`; there may be none.
        """
        for vertical, horizontal in product(*map(range, self.stride)):
            rows, columns = self._phase(0, vertical), self._phase(1, horizontal)
            kernel, dilation, origin = zip(rows[1:], columns[1:], strict=True)
            yield (vertical, horizontal), (rows[0], columns[0]), Windows(kernel, (1, 1), dilation, origin)

    def _phase(self, axis: int, phase: int) -> tuple[slice, int, int, int]:
        """Taps, how many, their dilation and origin, along one axis.

        Tap i of output o saw p = o * stride + i * dilation - before. So p = q * stride + phase sees, by tap i, output

            o = q + (phase + before - i * dilation) / stride        where that is a whole number

        which is so for every (stride / g)-th tap, g the greatest common divisor of stride and dilation. The last comes first.
        """
        kernel, stride, dilation, before = (field[axis] for field in self)
        common = gcd(stride, dilation)
        taps = [i for i in range(kernel) if (phase + before - i * dilation) % stride == 0]
        if not taps:
            return slice(0, 0), 0, 1, 0
        origin = -((phase + before - taps[-1] * dilation) // stride)
        return slice(taps[-1], None, -(stride // common)), len(taps), dilation // common, origin


@dataclass(frozen=True)
class Geometry:
    """How a window moves over an image.

    Parameters
    ----------
    kernel : int or (kh, kw)
        Size of the window.
    stride, dilation : int or (vertical, horizontal)
        Step between windows; distance between the taps of one window.
    padding : "same", "valid" or ((top, bottom), (left, right))
        Positions added around the image, as in the module's docstring.

    Raises
    ------
    InputError
        If a number is not a positive integer, or the padding none of the three forms.
    """

    kernel: Pair
    stride: Pair = (1, 1)
    dilation: Pair = (1, 1)
    padding: str | tuple[Pair, Pair] = "same"

    def __init__(self, kernel, stride=1, dilation=1, padding="same"):
        for name, value in (("kernel", kernel), ("stride", stride), ("dilation", dilation)):
            object.__setattr__(self, name, _pair(name, value))
        object.__setattr__(self, "padding", _padding(padding))

    @property
    def extent(self) -> Pair:
        """Rows and columns that one window spans, dilation included."""
        return _extent(self.kernel, self.dilation)

    def pads(self, height: int, width: int) -> tuple[Pair, Pair]:
        """((top, bottom), (left, right)) for an image of this size."""
        if self.padding == "same":
            return _same(height, self.extent[0], self.stride[0]), _same(width, self.extent[1], self.stride[1])
        if isinstance(self.padding, str):  # "valid"
            return (0, 0), (0, 0)
        return self.padding

    def origin(self, height: int, width: int) -> Pair:
        """(top, left): how far the first window starts outside the image."""
        (top, _), (left, _) = self.pads(height, width)
        return top, left

    @lru_cache(4096)  # noqa: B019 (what is kept alive is small; a network asks for the same few in every step)
    def windows(self, height: int, width: int) -> Windows:
        """The windows over an image of this size."""
        return Windows(self.kernel, self.stride, self.dilation, self.origin(height, width))

    @lru_cache(4096)  # noqa: B019 (likewise)
    def output_size(self, height: int, width: int) -> Pair:
        """(OH, OW) for an image of this size.

        Raises
        ------
        InputError
            If the window does not fit into the padded image.
        """
        rows, columns = self.pads(height, width)
        return (
            _outputs("height", height, rows, self.extent[0], self.stride[0]),
            _outputs("width", width, columns, self.extent[1], self.stride[1]),
        )

    def inside(self, height: int, width: int) -> np.ndarray:
        """(OH, OW): how many taps of each window are inside the image."""
        counts = np.zeros(self.output_size(height, width), np.int64)
        for tap in self.taps(height, width):
            counts[tap.output] += 1
        return counts

    def taps(self, height: int, width: int) -> Iterator[Tap]:
        """Every kernel position that touches the image, in window order (row by row)."""
        top, left = self.origin(height, width)
        out_height, out_width = self.output_size(height, width)
        for i in range(self.kernel[0]):
            rows = _slices(i * self.dilation[0] - top, self.stride[0], height, out_height)
            if rows is None:
                continue
            for j in range(self.kernel[1]):
                columns = _slices(j * self.dilation[1] - left, self.stride[1], width, out_width)
                if columns is not None:
                    yield Tap(i, j, (rows[0], columns[0]), (rows[1], columns[1]))


def _extent(kernel: Pair, dilation: Pair) -> Pair:
    return (kernel[0] - 1) * dilation[0] + 1, (kernel[1] - 1) * dilation[1] + 1


def _same(size: int, extent: int, stride: int) -> Pair:
    total = max((-(-size // stride) - 1) * stride + extent - size, 0)
    return total // 2, total - total // 2


def _outputs(axis: str, size: int, pads: Pair, extent: int, stride: int) -> int:
    padded = size + sum(pads)
    if extent > padded or size < 1:
        raise InputError(
            f"the kernel spans {extent} positions but the input's {axis} is {size} ({padded} with padding): "
            f"pass a larger image, a smaller kernel or dilation, or padding='same'"
        )
    return (padded - extent) // stride + 1


def _slices(offset: int, stride: int, size: int, out_size: int) -> tuple[slice, slice] | None:
    """Input and output slices of one tap along one axis: outputs o with 0 <= o * stride + offset < size."""
    first = max(0, -(offset // stride))
    last = min(out_size - 1, (size - 1 - offset) // stride)
    if last < first:
        return None
    return slice(first * stride + offset, last * stride + offset + 1, stride), slice(first, last + 1)


def _pair(name: str, value) -> Pair:
    pair = (value, value) if is_whole(value) else value
    if not (_is_pair(pair) and min(pair) >= 1):
        raise InputError(f"{name} is {value!r}; expected a positive integer or two of them, (vertical, horizontal)")
    return int(pair[0]), int(pair[1])


def _padding(value) -> str | tuple[Pair, Pair]:
    if isinstance(value, str) and value in ("same", "valid"):
        return value
    if isinstance(value, tuple | list) and len(value) == 2 and all(_is_pair(p) and min(p) >= 0 for p in value):
        (top, bottom), (left, right) = value
        return (int(top), int(bottom)), (int(left), int(right))
    raise InputError(f"padding is {value!r}; expected 'same', 'valid' or ((top, bottom), (left, right)) of integers >= 0")


def _is_pair(value) -> bool:
    return isinstance(value, tuple | list) and len(value) == 2 and all(is_whole(number) for number in value)
