"""What the specs of all operations share: argument checks with messages that name things, and the cost of a pass.

Shapes are written as in the docstrings: `"N H W C"` is a four-dimensional array, `"... C"` one of any number of axes, and a letter
that appears twice must mean the same number.
"""

import math
from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from xception_np import arrays
from xception_np.errors import InputError, is_whole
from xception_np.geometry import Geometry

DTYPES = (np.dtype(np.float32), np.dtype(np.float64))


class Cost(NamedTuple):
    """What one forward pass costs.

    parameters : numbers that are learnt
    macs : multiply-adds
    bytes_moved : bytes that are read and written once each, arguments and result
    bytes_cached : bytes kept for the backward pass, parameters not counted
    """

    parameters: int = 0
    macs: int = 0
    bytes_moved: int = 0
    bytes_cached: int = 0

    @property
    def intensity(self) -> float:
        """Multiply-adds for every byte moved."""
        return self.macs / self.bytes_moved if self.bytes_moved else 0.0


def shapes(**named) -> Mapping[str, int]:
    """Check that arrays are C-contiguous, of one float dtype, and of shapes that agree; return the sizes.

    Parameters
    ----------
    **named : (array, "N H W C")
        Arrays by argument name, with the shape each must have. A number in place of a letter must match exactly.
        Dots in front of the others stand for any axes.

    Returns
    -------
    sizes : {"N": 8, "H": 19, ...}

    Raises
    ------
    InputError
        Naming the argument, what it is, and what it should be.
    """
    return _agreed(tuple([_described(name, *each) for name, each in named.items()]))


class _Described(NamedTuple):
    """What is checked of an argument: the shape it should have, and what it is; strides, if it is not C-contiguous."""

    name: str
    pattern: str
    kind: type
    place: str | None
    shape: tuple[int, ...] = ()
    dtype: np.dtype | None = None
    strides: tuple[int, ...] | None = None


def _described(name: str, array, pattern: str = "...") -> _Described:
    kind, place = type(array), arrays.place_of(array)
    if place is None:
        return _Described(name, pattern, kind, None)
    return _Described(name, pattern, kind, place, array.shape, array.dtype, None if array.flags.c_contiguous else array.strides)


@lru_cache(4096)  # a training step checks the same few hundred descriptions again and again; what is raised is not kept
def _agreed(arguments: tuple[_Described, ...]) -> Mapping[str, int]:
    """The sizes, if arguments agree."""
    sizes: dict[str, int] = {}
    origins: dict[str, str] = {}
    first = arguments[0]
    for name, pattern, kind, place, shape, dtype, strides in arguments:
        axes = _axes(pattern, len(shape))
        if place is None:
            raise InputError(f"{name} is a {kind.__name__}; expected a NumPy array of shape ({_commas(axes)})")
        _one_place(name, place, first.name, first.place)
        if dtype not in DTYPES:
            raise InputError(f"{name} has dtype {dtype}; expected float32 or float64: convert it with {name}.astype")
        if dtype != first.dtype:
            raise InputError(f"{name} has dtype {dtype} but {first.name} has {first.dtype}; expected one dtype for both")
        known = [str(sizes.get(axis, axis)) for axis in axes]
        if len(shape) != len(axes):
            raise InputError(f"{name} has shape {shape}; expected {len(axes)} axes, ({_commas(axes)})")
        for axis, size in zip(axes, shape, strict=True):
            wanted = int(axis) if axis.isdigit() else sizes.setdefault(axis, size)
            if size != wanted:
                source = f", {axis}={wanted} as in {origins[axis]}" if axis in origins else ""
                raise InputError(f"{name} has shape {shape}; expected ({_commas(known)}){source}")
            if size < 1:
                raise InputError(f"{name} has shape {shape}; expected at least 1 along {axis}")
            origins.setdefault(axis, name)
        if strides is not None:
            raise InputError(f"{name} is not C-contiguous (strides {strides}); pass numpy.ascontiguousarray({name})")
    return MappingProxyType(sizes)


def _axes(pattern: str, count: int) -> list[str]:
    """The names of an array's axes; dots stand for as many as the others leave, at least one axis in all."""
    first, *others = pattern.split()
    if first != "...":
        return [first, *others]
    return [f"axis{k}" for k in range(max(1, count) - len(others))] + others


def same_place(name: str, array, first_name: str, first) -> None:
    """Check that an array is where another one is: in NumPy, on a GPU, or on the emulated one."""
    _one_place(name, arrays.place_of(array), first_name, arrays.place_of(first))


def _one_place(name: str, place: str | None, first_name: str, first_place: str | None) -> None:
    if place != first_place:
        here, there = arrays.in_words(place), arrays.in_words(first_place)
        raise InputError(f"{name} is {here} but {first_name} is {there}; expected both in one place")


def any_shape(name: str, array) -> None:
    """Check an array for which any shape will do."""
    _agreed((_described(name, array),))


def alike(**named) -> None:
    """Check arrays of any shape: all of one shape and dtype, in one place. Nothing is broadcast."""
    _all_alike(tuple([_described(name, array) for name, array in named.items()]))


@lru_cache(4096)
def _all_alike(arguments: tuple[_Described, ...]) -> None:
    first = arguments[0]
    for each in arguments:
        _agreed((each,))
        _one_place(each.name, each.place, first.name, first.place)
        if (each.shape, each.dtype) != (first.shape, first.dtype):
            expected = f"{first.dtype} of shape {first.shape}, as {first.name} is"
            raise InputError(f"{each.name} is {each.dtype} of shape {each.shape}; expected {expected}")


def gradient(dy, shape: tuple[int, ...], dtype) -> None:
    """Check the upstream gradient of a backward pass: shape and dtype of the forward pass's result."""
    shapes(dy=(dy, " ".join(map(str, shape))))
    if dy.dtype != dtype:
        raise InputError(f"dy has dtype {dy.dtype}; expected {dtype}, the dtype of the forward pass")


def cached(value, kind: type) -> None:
    """Check that a cache is of the operation whose backward pass it is given to."""
    if not isinstance(value, kind):
        raise InputError(f"cache is a {type(value).__name__}; expected the cache that forward of {kind.__module__} returned")


def geometry(value, kernel: tuple[int, int], height: int, width: int) -> tuple[int, int]:
    """Check a geometry against the weight's kernel and the image; return (OH, OW)."""
    if not isinstance(value, Geometry):
        raise InputError(f"geometry is a {type(value).__name__}; expected a Geometry, such as Geometry(kernel={kernel})")
    if value.kernel != kernel:
        raise InputError(f"weight has a kernel of {kernel} but geometry.kernel is {value.kernel}; expected the same")
    return value.output_size(height, width)


def pooling(value, height: int, width: int) -> tuple[int, int]:
    """Check the geometry of a pool: every window must see the image; return (OH, OW)."""
    if not isinstance(value, Geometry):
        raise InputError(f"geometry is a {type(value).__name__}; expected a Geometry, such as Geometry(kernel=3, stride=2)")
    out = value.output_size(height, width)
    if not _all_see(value, height, width):
        raise InputError(
            f"geometry.padding is {value.padding}; expected less: a window of {value.extent} would see only padding, "
            f"and a pool of no pixels has no value"
        )
    return out


@lru_cache  # a network has a few sizes of pools, and asks for each of them in every step
def _all_see(geometry: Geometry, height: int, width: int) -> bool:
    """Whether each window has a tap inside the image."""
    return bool(geometry.inside(height, width).min() > 0)


def segments(value, channels: int, filters: int) -> int:
    """Check that S segments divide C channels and F filters; the message names the nearest S that do."""
    fitting = divisors(channels, filters)
    whole = is_whole(value)
    if not whole or value not in fitting:
        nearest = [s for s in fitting if s < value][-1:] + [s for s in fitting if s > value][:1] if whole else fitting
        raise InputError(
            f"segments is {value!r}; expected a number that divides C={channels} and F={filters}: "
            f"the nearest {'is' if len(nearest) == 1 else 'are'} {' and '.join(map(str, nearest))}"
        )
    return int(value)


def positive(name: str, value) -> int:
    """Check that a value is an integer, 1 or more."""
    if not is_whole(value) or value < 1:
        raise InputError(f"{name} is {value!r}; expected an integer, 1 or more")
    return int(value)


def sizes(name: str, shape: tuple[int, ...]) -> None:
    """Check that the sizes of a shape are integers, 1 or more."""
    for axis, size in enumerate(shape):
        positive(f"{name}[{axis}]", size)


def divisors(channels: int, filters: int | None = None) -> list[int]:
    """Every S that divides C, and F if given: the points of the spectrum from regular (1) to depthwise (C)."""
    return [s for s in range(1, channels + 1) if channels % s == 0 and (filters or channels) % s == 0]


def number(name: str, value, low: float, high: float, expected: str) -> None:
    """Check that low <= value < high, and that it is finite."""
    is_number = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
    if not is_number or not low <= value < high or value == -np.inf:
        raise InputError(f"{name} is {value!r}; expected {expected}")


def positive_number(name: str, value, dtype: np.dtype) -> None:
    """Check that a value is a number > 0, in this dtype."""
    if not (isinstance(value, float) and _tiny(dtype) <= value < np.inf):
        number(name, value, _tiny(dtype), np.inf, f"a number > 0 in {dtype}")


@cache
def _tiny(dtype: np.dtype) -> float:
    return float(np.finfo(dtype).tiny)


def one_of(name: str, value, choices: tuple):
    """Check that a value is one of a few."""
    if not isinstance(value, str | None) or value not in choices:
        raise InputError(f"{name} is {value!r}; expected one of {', '.join(map(repr, choices))}")
    return value


def size(shape: tuple[int, ...]) -> int:
    """Numbers in an array of this shape."""
    return math.prod(shape)


def windows_shape(x_shape: tuple[int, ...], channels: int, geometry: Geometry) -> tuple[int, ...]:
    """(N, OH, OW, channels): one position for every window."""
    return (x_shape[0], *geometry.output_size(*x_shape[1:3]), channels)


def cost(moved, weights=(), macs_per_output=0, cached=(), itemsize=4) -> Cost:
    """The cost of a pass from shapes: the arrays moved (the result last), the weights, and what the cache keeps."""
    parameters = sum(map(size, weights))
    return Cost(
        parameters=parameters,
        macs=size(moved[-1]) * macs_per_output,
        bytes_moved=itemsize * (sum(map(size, moved)) + parameters),
        bytes_cached=itemsize * sum(map(size, cached)),
    )


def total(costs: Iterable[Cost]) -> Cost:
    """The sum of costs."""
    return Cost(*map(sum, zip(Cost(0, 0, 0, 0), *costs, strict=True)))


def _commas(axes: list[str]) -> str:
    """The inside of a shape's parentheses, as Python writes it."""
    return f"{axes[0]}," if len(axes) == 1 else ", ".join(axes)
