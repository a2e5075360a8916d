"""The named awkward cases of every operation: the shapes and settings where a pass goes wrong first.

Arrays are tiny, so that finite differences can visit every element; the cases of `large` exist to be cut into several
tiles (tiny ones), and are compared and checked by the adjoint only.
"""

import inspect
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import NamedTuple

import numpy as np

from xception_np import arrays, implementations, ops, tiling
from xception_np.check.draw import Draw
from xception_np.errors import InputError
from xception_np.geometry import Geometry
from xception_np.ops import spec
from xception_np.random import Purpose, Stream


class Traits(NamedTuple):
    """What the checks need to know about an operation.

    differentiable : positions of the arguments that get a gradient
    linear : whether it is linear (or affine) in each of them alone, so that finite differences are exact
    adjoint : groups of arguments in which it is linear together (or homogeneous: scaled with them), so that in each
        group the sum of <argument, gradient> is <y, dy>
    """

    differentiable: tuple[int, ...]
    linear: bool = False
    adjoint: tuple[tuple[int, ...], ...] = ()


class Case(NamedTuple):
    """One call of an operation.

    operation, name : what the case is called: `conv`, `stride 2, even size`
    build : Draw -> the arguments of `forward`
    traits : Traits
    large : True where every element would be too many for finite differences; runs in tiny tiles, so that there are many
    """

    operation: str
    name: str
    build: Callable[[Draw], tuple]
    traits: Traits
    large: bool = False

    @property
    def module(self) -> ModuleType:
        """The operation: `xception_np.ops.conv`."""
        return import_module(f"xception_np.ops.{self.operation}")

    def forward(self, arguments: tuple, implementation: str) -> tuple:
        """(y, cache) of the operation for NumPy arrays: y in NumPy, the cache where the implementation computes."""
        with tiling.tiny_tiles() if self.large else nullcontext():
            y, cache = self.module.forward(*moved(arguments, implementation), implementation=implementation)
        return arrays.to_host(y), cache

    def backward(self, dy, cache, implementation: str):
        """The gradients of the operation, in NumPy, from anybody's cache."""
        with tiling.tiny_tiles() if self.large else nullcontext():
            gradients = self.module.backward(*moved((dy, cache), implementation), implementation=implementation)
        return arrays.to_host(gradients)

    def arguments(self, dtype=np.float64) -> tuple:
        """Fresh arrays, the same numbers every time."""
        return self.build(Draw(f"{self.operation} {self.name}", dtype))

    def upstream(self, y):
        """A random gradient dy for a result y: an array like y, or a number for an operation that returns one."""
        draw = Draw(f"{self.operation} {self.name} dy", y.dtype)
        return draw.normal(*y.shape) if y.ndim else float(draw.normal())

    def differentiable(self, arguments: tuple) -> list[tuple[str, int, np.ndarray]]:
        """(name, position, array) of every array that gets a gradient, in the order of backward's results."""
        names = list(inspect.signature(self.module.forward).parameters)
        found = []
        for position in self.traits.differentiable:
            argument = arguments[position]
            if isinstance(argument, list):
                found += [(f"{names[position]}[{k}]", position, array) for k, array in enumerate(argument)]
            else:
                found.append((names[position], position, argument))
        return found

    def __str__(self):
        return f"{self.operation}, {self.name}"


# name: (N, H, W), geometry
WINDOWS: dict[str, tuple[tuple[int, int, int], Geometry]] = {
    "3x3": ((2, 5, 4), Geometry(3)),
    "1x7": ((1, 3, 9), Geometry((1, 7))),
    "7x1": ((1, 9, 3), Geometry((7, 1))),
    "2x3": ((1, 4, 5), Geometry((2, 3))),
    "stride 2, even size": ((1, 6, 4), Geometry(3, 2)),
    "stride 2, odd size": ((1, 5, 7), Geometry(3, 2)),
    "stride (2, 1)": ((1, 6, 5), Geometry(3, (2, 1))),
    "dilation (2, 1)": ((1, 6, 4), Geometry(3, 1, (2, 1))),
    "dilation (1, 2), stride (3, 2)": ((1, 7, 8), Geometry((3, 2), (3, 2), (1, 2))),
    "valid, rows and columns left over": ((1, 6, 7), Geometry((3, 2), (2, 3), padding="valid")),
    "valid, one window": ((2, 3, 2), Geometry((3, 2), padding="valid")),
    "asymmetric padding": ((1, 4, 5), Geometry((3, 2), (2, 1), padding=((2, 0), (1, 1)))),
    "stride larger than the kernel": ((1, 7, 5), Geometry(2, (3, 4), padding="valid")),
    "1x1, stride 2": ((1, 5, 4), Geometry(1, 2)),
    "input 1x1": ((2, 1, 1), Geometry(3)),
    "kernel larger than the input": ((1, 2, 3), Geometry(5)),
    "batch 3": ((3, 3, 2), Geometry(3)),
}
IN_THE_PADDING = {
    "windows in the padding": ((1, 2, 3), Geometry(2, padding=((2, 1), (0, 3)))),
    "1x1 windows in the padding": ((2, 5, 5), Geometry(1, (2, 1), padding=((1, 2), (1, 2)))),
}
LARGE: dict[str, tuple[tuple[int, int, int], Geometry]] = {
    "tiles of rows": ((2, 70, 17), Geometry(3)),
    "tiles of rows, strides": ((1, 91, 75), Geometry((3, 2), (2, 3), (2, 1))),
    "tiles of pixels": ((2, 70, 17), Geometry(1, 2)),
    "tiles that no window sees": ((1, 150, 17), Geometry(3, (70, 1), padding="valid")),
    "tiles of images": ((25, 7, 6), Geometry(3, padding="valid")),
}

_MANY = 300  # channels, or filters: more than a block of a GPU has threads
# Of what a block of a GPU computes: more than one each way, and a little of the next; or just so many
_SEVERAL_TILES, _WHOLE_TILES = "several tiles of a GPU", "whole tiles of a GPU"
_BESIDE = Geometry(3, padding=((0, 2), (2, 0)))  # as many windows as pixels, but not around them
# Where channels are many, windows that share multiplications (`ops/winograd.py`)
SHARING: dict[str, tuple[tuple[int, int, int], Geometry]] = {
    "3x3": ((2, 5, 4), Geometry(3)),
    "3x3, odd size": ((1, 7, 5), Geometry(3)),
    "3x3, valid": ((3, 5, 6), Geometry(3, padding="valid")),
    "3x3, padding on two sides": ((1, 4, 5), _BESIDE),
    "3x3, one window": ((2, 3, 3), Geometry(3, padding="valid")),
    "3x3, several rows a tile": ((17, 5, 2), Geometry(3)),
    "3x3, several images a tile": ((17, 2, 2), Geometry(3)),
}
# and their neighbours, which do not
NOT_SHARING: dict[str, tuple[tuple[int, int, int], Geometry]] = {
    "stride (2, 1)": ((1, 5, 4), Geometry(3, (2, 1))),
    "stride (1, 2)": ((1, 5, 4), Geometry(3, (1, 2))),
    "dilation (2, 1)": ((1, 6, 4), Geometry(3, 1, (2, 1))),
    "dilation (1, 2)": ((1, 4, 6), Geometry(3, 1, (1, 2))),
    "4x3": ((1, 5, 4), Geometry((4, 3))),
    "3x4": ((1, 4, 5), Geometry((3, 4))),
}

_X_AND_WEIGHT = Traits((0, 1), linear=True, adjoint=((0,), (1,)))
_SEPARABLE = Traits((0, 1, 2), linear=True, adjoint=((0,), (1,), (2,)))


def of(operation: str) -> list[Case]:
    """The cases of an operation; InputError if there is no such operation."""
    return [case for case in every() if case.operation == known(operation)]


def known(operation: str) -> str:
    """The name of an operation, if there is one of that name: a misspelt one would pass every check."""
    return spec.one_of("operation", operation, tuple(ops.__all__))


@cache
def every() -> tuple[Case, ...]:
    """The cases of all operations."""
    return tuple(
        case
        for cases in (
            _convolutions,
            _separable,
            _normalised_separable,
            _convolutions_with_bias,
            _normalisations,
            _biases,
            _elementwise,
            _pools,
            _dense,
            _joins,
            _losses,
        )
        for case in cases()
    )


def find(operation: str, name: str) -> Case:
    """One case by its names."""
    for case in of(operation):
        if case.name == name:
            return case
    raise InputError(f"case is {name!r}; expected one of {', '.join(repr(case.name) for case in of(operation))}")


def moved(arguments: tuple, implementation: str) -> tuple:
    """Arguments with their arrays where the implementation computes."""
    return arrays.moved(arguments, implementations.place(implementation))


def _windows(builder: Callable[..., Callable[[Draw], tuple]], more=IN_THE_PADDING) -> Iterator[tuple]:
    """(name, build, large) for every window, with the builder's own channels."""
    for name, (shape, geometry) in (WINDOWS | more).items():
        yield name, builder(shape, geometry), False
    for name, (shape, geometry) in LARGE.items():
        yield name, builder(shape, geometry), True


def _convolutions() -> Iterator[Case]:
    image, three = (1, 3, 4), Geometry(3)

    for name, build, large in _windows(_conv):
        yield Case("conv", name, build, _X_AND_WEIGHT, large)
    before_only = _conv((1, 10, 9), Geometry(3, 5, padding=((1, 0), (1, 0))))
    yield Case("conv", "padding before, and pixels that nobody sees after", before_only, _X_AND_WEIGHT)
    for name, (shape, geometry) in (WINDOWS | IN_THE_PADDING).items():  # enough channels for dx to have tiles on a GPU
        yield Case("conv", f"{name}, 9 channels", _conv(shape, geometry, 9, 2), _X_AND_WEIGHT)
    for name, shape, channels, filters in ((_SEVERAL_TILES, (1, 11, 12), 129, 129), (_WHOLE_TILES, (2, 8, 12), 384, 128)):
        yield Case("conv", name, _conv(shape, Geometry((1, 2)), channels, filters), _X_AND_WEIGHT, large=True)
    for channels, filters in ((1, 1), (1, 5), (5, 1), (9, 1), (17, 5)):
        yield Case("conv", f"C={channels}, F={filters}", _conv(image, three, channels, filters), _X_AND_WEIGHT)

    for channels, filters in ((18, 17), (5, 18)):
        yield Case("conv", f"C={channels}, F={filters}", _conv((1, 3, 2), three, channels, filters), _X_AND_WEIGHT)
    for name, (shape, geometry) in (SHARING | NOT_SHARING).items():
        yield Case("conv", f"{name}, many channels", _conv(shape, geometry, 17, 18), _X_AND_WEIGHT, large=True)
    for name, (shape, geometry) in SHARING.items():
        build = _grouped(shape, geometry, 36, 34, 2)
        yield Case("grouped_conv", f"{name}, many channels a segment", build, _X_AND_WEIGHT, large=True)
    images = _conv((40, 4, 2), three, 16, 16)
    yield Case("conv", "several images a tile, many channels", images, _X_AND_WEIGHT, large=True)
    few = _conv((2, 3, 5), three, 97, 16)
    yield Case("conv", "few positions and a large dweight", few, _X_AND_WEIGHT, large=True)
    few = _grouped((1, 3, 5), three, 132, 32, 2)
    yield Case("grouped_conv", "few positions and a large dweight, many channels a segment", few, _X_AND_WEIGHT, large=True)

    for name, build, large in _windows(_grouped):
        yield Case("grouped_conv", name, build, _X_AND_WEIGHT, large)
    for name, build, large in _windows(_wide_segments):
        yield Case("grouped_conv", f"{name}, wide segments", build, _X_AND_WEIGHT, large)
    for channels, filters in ((6, 6), (6, 12), (4, 2)):
        for s in spec.divisors(channels, filters):
            name = f"C={channels}, F={filters}, S={s}"
            yield Case("grouped_conv", name, _grouped(image, three, channels, filters, s), _X_AND_WEIGHT)
    yield Case("grouped_conv", "C=42, F=63, S=21", _grouped(image, three, 42, 63, 21), _X_AND_WEIGHT)  # vectors that are full
    wide = _grouped((1, 11, 12), Geometry((1, 2)), 66, 130, 2)
    yield Case("grouped_conv", f"{_SEVERAL_TILES}, wide segments", wide, _X_AND_WEIGHT, large=True)
    few = _grouped((5, 4, 4), Geometry(3), 24, 40, 2)
    yield Case("grouped_conv", "few positions and a large dweight, wide segments", few, _X_AND_WEIGHT, large=True)
    for name, channels in (("narrow", 4), ("wide", 6)):
        images = _grouped((17, 2, 2), Geometry(1), channels, 8, 2)
        yield Case("grouped_conv", f"several images a tile, {name} segments", images, _X_AND_WEIGHT, large=True)
    for channels, filters in ((4, 38), (38, 4)):  # of one of the two, more in a segment than a vector has lanes
        name = f"C={channels}, F={filters}, S=2"
        yield Case("grouped_conv", name, _grouped(image, three, channels, filters, 2), _X_AND_WEIGHT)
    yield Case("grouped_conv", "C=17, S=17", _grouped(image, three, 17, 17, 17), _X_AND_WEIGHT)

    for name, build, large in _windows(_depthwise):
        yield Case("depthwise_conv", name, build, _X_AND_WEIGHT, large)
    for channels, multiplier in ((1, 1), (1, 3), (2, 2), (5, 3), (17, 1)):
        yield Case("depthwise_conv", f"C={channels}, M={multiplier}", _depthwise(image, three, channels, multiplier), _X_AND_WEIGHT)
    fewer = _depthwise(image, Geometry(3, padding=((1, 0), (1, 1))), 17)
    yield Case("depthwise_conv", "padding on three sides", fewer, _X_AND_WEIGHT)
    yield Case("depthwise_conv", "padding on two sides", _depthwise(image, _BESIDE, 17, 1), _X_AND_WEIGHT)
    yield Case("depthwise_conv", "tiles, M=2", _depthwise((1, 70, 17), three, 2, 2), _X_AND_WEIGHT, large=True)
    for name, build in (
        (_SEVERAL_TILES, _depthwise((2, 17, 19), Geometry((2, 3), (2, 1), (3, 2)), 33)),
        (_WHOLE_TILES, _depthwise((2, 16, 16), three, 32)),
    ):
        yield Case("depthwise_conv", name, build, _X_AND_WEIGHT, large=True)
    yield Case("depthwise_conv", f"C={_MANY}", _depthwise(image, three, _MANY), _X_AND_WEIGHT, large=True)

    for shape in ((1, 1, 1), (2, 3, 4), (3, 1, 5)):
        yield Case("pointwise_conv", "x".join(map(str, shape)), _pointwise(shape, 3, 2), _X_AND_WEIGHT)
    for channels, filters in ((1, 1), (1, 5), (5, 1), (17, 5)):
        yield Case("pointwise_conv", f"C={channels}, F={filters}", _pointwise((2, 1, 2), channels, filters), _X_AND_WEIGHT)
    yield Case("pointwise_conv", "tiles", _pointwise((2, 40, 17), 5, 3), _X_AND_WEIGHT, large=True)
    for name, shape, channels, filters in ((_SEVERAL_TILES, (1, 10, 13), 129, 129), (_WHOLE_TILES, (2, 8, 12), 384, 128)):
        yield Case("pointwise_conv", name, _pointwise(shape, channels, filters), _X_AND_WEIGHT, large=True)
    yield Case("pointwise_conv", f"C=2, F={_MANY}", _pointwise((1, 2, 2), 2, _MANY), _X_AND_WEIGHT, large=True)


def _separable() -> Iterator[Case]:
    for order, prefix in (("spatial_first", ""), ("pointwise_first", "pointwise first, ")):
        for name, build, large in _windows(lambda shape, geometry, order=order: _separable_conv(shape, geometry, order)):
            yield Case("separable_conv", prefix + name, build, _SEPARABLE, large)
        for channels, multiplier, filters in ((1, 1, 1), (1, 3, 2), (5, 2, 3), (17, 1, 5)):
            name = f"{prefix}C={channels}, M={multiplier}, F={filters}"
            build = _separable_conv((1, 3, 4), Geometry(3), order, None, channels, multiplier, filters)
            yield Case("separable_conv", name, build, _SEPARABLE)
        rows = _separable_conv((1, 12, 12), Geometry(3), order, None, 9, 1, 17)
        yield Case("separable_conv", f"{prefix}several tiles of rows a group", rows, _SEPARABLE, large=True)
        for name, geometry in (("four images", Geometry(3)), ("four images, padding on two sides", _BESIDE)):
            yield Case("separable_conv", prefix + name, _separable_conv((4, 3, 4), geometry, order, None, 17, 1, 2), _SEPARABLE)
        for activation in ("relu", "elu"):
            traits = Traits((0, 1, 2), adjoint=((2,),) if order == "spatial_first" else ((1,),))
            for name, shape, geometry, large in (
                ("3x3", (2, 4, 3), Geometry(3), False),
                ("stride 2", (1, 4, 6), Geometry((3, 2), 2), False),
                ("tiles", (2, 70, 17), Geometry(3), True),
            ):
                build = _separable_conv(shape, geometry, order, activation)
                yield Case("separable_conv", f"{prefix}{activation} between, {name}", build, traits, large)
        traits = Traits((0, 1, 2), adjoint=((1,), (2,)))
        for name, shape, geometry, multiplier, large in (
            ("3x3", (2, 4, 3), Geometry(3), 1, False),
            ("stride 2, M=2", (1, 4, 6), Geometry((3, 2), 2), 2, False),
            ("four images", (4, 3, 4), Geometry(3), 1, False),
            ("valid", (2, 4, 5), Geometry(3, padding="valid"), 1, False),
            ("tiles of rows", (2, 70, 17), Geometry(3), 2, True),
            ("tiles of images", (25, 7, 6), Geometry(3), 1, True),
        ):
            build = _separable_conv(shape, geometry, order, None, 3, multiplier, before="relu")
            yield Case("separable_conv", f"{prefix}relu before, {name}", build, traits, large)


def _normalised_separable() -> Iterator[Case]:
    # homogeneous in gamma and beta together, and linear in each of the weights
    traits = Traits((0, 1, 2, 3, 4), adjoint=((1, 2), (3,), (4,)))
    for name, build, large in _windows(_norm_separable_conv):
        if not large:  # the tiles are the separable convolution's
            yield Case("norm_separable_conv", name, build, traits)
    for name, shape, geometry, multiplier, large in (
        ("3x3", (2, 4, 3), Geometry(3), 1, False),
        ("13 positions", (12, 1, 1), Geometry(3), 1, False),
        ("20 positions", (19, 1, 1), Geometry(3), 1, False),  # five a tile, and sums take four at a time
        ("stride 2, M=2", (1, 4, 6), Geometry((3, 2), 2), 2, False),
        ("tiles of rows", (2, 70, 17), Geometry(3), 1, True),
        ("tiles of rows, M=2", (2, 70, 17), Geometry(3, 2), 2, True),
        ("tiles of images", (25, 7, 6), Geometry(3), 2, True),
    ):
        build = _norm_separable_conv(shape, geometry, "relu", multiplier=multiplier)
        yield Case("norm_separable_conv", f"ReLU, {name}", build, traits, large)
    for channels, multiplier, filters in ((1, 1, 1), (17, 1, 5)):
        build = _norm_separable_conv((1, 3, 4), Geometry(3), "relu", channels, multiplier, filters)
        yield Case("norm_separable_conv", f"C={channels}, M={multiplier}, F={filters}", build, traits)


def _convolutions_with_bias() -> Iterator[Case]:
    # homogeneous in the last weight and the bias together
    for operation, builder, traits in (
        ("conv_bias", _conv, Traits((0, 1, 2), adjoint=((1, 2),))),
        ("separable_conv_bias", _plain_separable, Traits((0, 1, 2, 3), adjoint=((2, 3),))),
    ):
        for name, build, large in _windows(lambda *window, builder=builder: _with_bias(builder(*window), "relu")):
            yield Case(operation, f"{name}, relu", build, traits, large)
        for channels, filters in ((1, 1), (17, 5)):
            for activation in (None, "relu"):
                build = _with_bias(builder((1, 3, 4), Geometry(3), channels, filters), activation)
                yield Case(operation, f"C={channels}, F={filters}, {activation}", build, traits)
    for name, (shape, geometry) in SHARING.items():
        build = _with_bias(_conv(shape, geometry, 17, 18), "relu")
        yield Case("conv_bias", f"{name}, many channels", build, Traits((0, 1, 2), adjoint=((1, 2),)), large=True)
    for operation, builder, before, traits in (
        ("conv_bias", _conv, (), Traits((0, 1, 2, 5), adjoint=((1, 2, 5),))),
        ("separable_conv_bias", _plain_separable, (None,), Traits((0, 1, 2, 3, 7), adjoint=((2, 3, 7),))),
        ("separable_conv_bias", _plain_separable, ("relu",), Traits((0, 1, 2, 3, 7), adjoint=((2, 3, 7),))),
    ):
        words = "relu before, an addend" if before == ("relu",) else "an addend"
        for name, shape, geometry, large in (
            ("3x3", (2, 4, 3), Geometry(3), False),
            ("1x1, stride 2", (1, 5, 4), Geometry(1, 2), False),
            ("tiles of rows", (2, 70, 17), Geometry(3), True),
            ("tiles of images", (25, 7, 6), Geometry(3, padding="valid"), True),
        ):
            for activation in (None, "relu"):
                build = _with_addend(_with_bias(builder(shape, geometry), activation), before)
                yield Case(operation, f"{words}, {name}, {activation}", build, traits, large)
    cut = _with_addend(_with_bias(_plain_separable((1, 5, 5), Geometry(3), 3, 64), "relu"), (None,))
    traits = Traits((0, 1, 2, 3, 7), adjoint=((2, 3, 7),))
    yield Case("separable_conv_bias", "an addend, a product cut within a row", cut, traits, large=True)


def _normalisations() -> Iterator[Case]:
    shapes = {
        "4 axes": (2, 3, 4, 5),
        "2 axes": (6, 5),
        "C=1": (1, 3, 2, 1),
        "C=17": (3, 2, 1, 17),
        "one position": (1, 1, 1, 3),
        "two positions": (2, 1, 1, 3),
    }
    scale_and_shift = ((1, 2),)
    training = Traits((0, 1, 2), adjoint=scale_and_shift)
    inference = Traits((0, 1, 2), linear=True, adjoint=scale_and_shift)
    cut = training  # not linear, but homogeneous in gamma and beta all the same
    for name, shape in shapes.items():
        yield Case("batch_norm", name, _batch_norm(shape), training)
        yield Case("batch_norm_inference", name, _batch_norm_inference(shape), inference)
    yield Case("batch_norm", "epsilon 1", _batch_norm((2, 2, 3, 2), 1.0), training)
    yield Case("batch_norm_inference", "epsilon 1", _batch_norm_inference((2, 2, 3, 2), 1.0), inference)
    for name, shape, large in (
        ("ReLU", (3, 4, 3, 5), False),
        ("ReLU, 7 positions", (7, 1, 1, 5), False),
        ("ReLU, tiles", (3, 40, 41, 9), True),
    ):
        yield Case("batch_norm", name, _batch_norm(shape, activation="relu"), cut, large)
        yield Case("batch_norm_inference", name, _batch_norm_inference(shape, activation="relu"), cut, large)
    for name, shape in ((_SEVERAL_TILES, (3, 17, 7, 33)), (_WHOLE_TILES, (2, 8, 8, 64))):
        yield Case("batch_norm", name, _batch_norm(shape, activation="relu"), training, large=True)
    yield Case("batch_norm", f"C={_MANY}", _batch_norm((3, 1, 2, _MANY)), training, large=True)
    yield Case("batch_norm", "tiles", _batch_norm((3, 40, 41, 9)), training, large=True)
    yield Case("batch_norm_inference", "tiles", _batch_norm_inference((3, 40, 41, 9)), inference, large=True)


def _biases() -> Iterator[Case]:
    shapes = {"4 axes": (2, 3, 4, 5), "7 positions": (7, 3), "C=1": (1, 3, 2, 1), "C=17": (3, 2, 1, 17), "one number": (1, 1)}
    together = ((0, 1),)
    for activation in (None, "relu"):
        traits = Traits((0, 1), linear=activation is None, adjoint=together)
        for name, shape in shapes.items():
            yield Case("bias", f"{name}, {activation}", _bias(shape, activation), traits)
        yield Case("bias", f"C={_MANY}, {activation}", _bias((3, _MANY), activation), traits, large=True)
        yield Case("bias", f"tiles, {activation}", _bias((3, 40, 41, 9), activation), traits, large=True)


def _elementwise() -> Iterator[Case]:
    shapes = {"4 axes": (2, 3, 4, 5), "2 axes": (3, 7), "1 axis": (5,), "one number": (1, 1, 1, 1)}
    for name, shape in shapes.items():
        yield Case("relu", name, _one(Draw.off_zero, shape), Traits((0,), adjoint=((0,),)))
        yield Case("elu", name, _one(Draw.off_zero, shape), Traits((0,)))
    yield Case("relu", "tiles", _one(Draw.off_zero, (5, 7001)), Traits((0,), adjoint=((0,),)), large=True)
    yield Case("elu", "tiles", _one(Draw.off_zero, (5, 7001)), Traits((0,)), large=True)

    linear = Traits((0,), linear=True, adjoint=((0,),))
    for rate in (0.0, 0.3, 0.5, 0.9):
        yield Case("dropout", f"rate {rate}", _dropout((2, 3, 4, 5), rate), linear)
    yield Case("dropout", "1 axis, not a multiple of 4", _dropout((7,), 0.5), linear)
    yield Case("dropout", "2 axes", _dropout((5, 9), 0.5), linear)
    yield Case("dropout", "tiles", _dropout((5, 7001), 0.5), linear, large=True)


def _pools() -> Iterator[Case]:
    linear = Traits((0,), linear=True, adjoint=((0,),))
    for name, build, large in _windows(lambda shape, geometry: _pool(Draw.distinct, shape, geometry), more={}):
        yield Case("max_pool", name, build, Traits((0,), adjoint=((0,),)), large)
    dilated = _pool(Draw.distinct, (1, 4, 7), Geometry(3, dilation=(1, 2), padding="valid"))
    yield Case("max_pool", "3x3, columns apart", dilated, Traits((0,), adjoint=((0,),)))
    for name, build, large in _windows(lambda shape, geometry: _pool(Draw.normal, shape, geometry), more={}):
        yield Case("avg_pool", name, build, linear, large)
    for channels in (1, 17):
        geometry = Geometry(3, 2)
        yield Case("max_pool", f"C={channels}", _pool(Draw.distinct, (1, 4, 3), geometry, channels), Traits((0,), adjoint=((0,),)))
        yield Case("avg_pool", f"C={channels}", _pool(Draw.normal, (1, 4, 3), geometry, channels), linear)
    for shape in ((2, 3, 4, 5), (1, 1, 1, 1), (3, 2, 1, 17)):
        yield Case("global_avg_pool", "x".join(map(str, shape)), _one(Draw.normal, shape), linear)
    yield Case("global_avg_pool", f"C={_MANY}", _one(Draw.normal, (2, 2, 1, _MANY)), linear, large=True)
    yield Case("global_avg_pool", "tiles", _one(Draw.normal, (9, 40, 17, 5)), linear, large=True)


def _dense() -> Iterator[Case]:
    traits = Traits((0, 1, 2), linear=True, adjoint=((0, 2), (1, 2)))
    for images, channels, filters, large in ((2, 3, 4, False), (1, 1, 1, False), (3, 17, 5, False), (1300, 5, 3, True)):
        name = f"N={images}, C={channels}, F={filters}"
        yield Case("dense", name, _dense_layer(images, channels, filters), traits, large)


def _joins() -> Iterator[Case]:
    for name, shape, large in (("4 axes", (2, 3, 4, 5), False), ("2 axes", (3, 7), False), ("tiles", (5, 7001), True)):
        yield Case("add", name, _two(shape), Traits((0, 1), linear=True, adjoint=((0, 1),)), large)
    traits = Traits((0,), linear=True, adjoint=((0,),))
    for name, widths in (("one", (3,)), ("two", (2, 5)), ("four, as in an Inception module", (1, 4, 2, 17))):
        yield Case("concat", name, _concat((2, 3, 2), widths), traits)
    yield Case("concat", "tiles", _concat((2, 70, 17), (9, 8)), traits, large=True)


def _losses() -> Iterator[Case]:
    for images, classes, smoothing, scale, large in (
        (3, 4, 0.0, 3, False),
        (3, 4, 0.1, 3, False),
        (1, 2, 0.0, 3, False),
        (2, 1, 0.1, 3, False),
        (2, 17, 0.5, 3, False),
        (3, 4, 0.1, 1000, False),
        (20, 4, 0.1, 10_000, True),
        (700, 11, 0.1, 3, True),
    ):
        name = f"N={images}, K={classes}, smoothing {smoothing}, logits of about {scale}"
        for what, draw_labels in (("", Draw.labels), (", shares", Draw.shares)):
            build = _softmax(draw_labels, images, classes, smoothing, scale)
            yield Case("softmax_cross_entropy", name + what, build, Traits((0,)), large)
    for images, classes, scale, large in (
        (3, 4, 3, False),
        (1, 1, 3, False),
        (2, 17, 3, False),
        (3, 4, 1000, False),
        (700, 100, 3, True),
    ):
        name = f"N={images}, K={classes}, logits of about {scale}"
        yield Case("sigmoid_cross_entropy", name, _sigmoid(images, classes, scale), Traits((0,)), large)


def _conv(shape, geometry, channels=2, filters=3):
    return lambda draw: (draw.normal(*shape, channels), draw.normal(*geometry.kernel, channels, filters), geometry)


def _grouped(shape, geometry, channels=4, filters=6, segments=2):
    def build(draw):
        return draw.normal(*shape, channels), draw.normal(*geometry.kernel, channels // segments, filters), geometry, segments

    return build


def _wide_segments(shape, geometry):
    return _grouped(shape, geometry, 6, 8, 2)


def _depthwise(shape, geometry, channels=3, multiplier=1):
    return lambda draw: (draw.normal(*shape, channels), draw.normal(*geometry.kernel, channels, multiplier), geometry)


def _pointwise(shape, channels, filters):
    return lambda draw: (draw.normal(*shape, channels), draw.normal(channels, filters))


def _separable_conv(shape, geometry, order, activation=None, channels=2, multiplier=2, filters=3, before=None):
    """Spatial first: (kh, kw, C, M), then (C*M, F). Pointwise first: (C, F), then (kh, kw, F, M)."""
    spatial_first = order == "spatial_first"
    depthwise_channels = channels if spatial_first else filters
    pointwise_channels = channels * multiplier if spatial_first else channels

    def build(draw):
        x = draw.off_zero(*shape, channels) if before else draw.normal(*shape, channels)
        depthwise_weight = draw.normal(*geometry.kernel, depthwise_channels, multiplier)
        return x, depthwise_weight, draw.normal(pointwise_channels, filters), geometry, order, activation, before

    return build


def _plain_separable(shape, geometry, channels=2, filters=3):
    """Spatial first, nothing between, without the settings that say so."""
    build = _separable_conv(shape, geometry, "spatial_first", None, channels, 2, filters)
    return lambda draw: build(draw)[:4]


def _with_bias(build, activation):
    """An operation's arguments with a bias for every filter, and what follows it."""

    def biased(draw):
        *arrays, geometry = build(draw)
        return *arrays, draw.normal(arrays[-1].shape[-1]), geometry, activation

    return biased


def _with_addend(build, before):
    """An operation's arguments, what stands before it where it can be said, and an addend."""

    def added(draw):
        x, *others, bias, geometry, activation = build(draw)
        addend = draw.normal(*spec.windows_shape(x.shape, bias.size, geometry))
        return x, *others, bias, geometry, activation, *before, addend

    return added


def _norm_separable_conv(shape, geometry, activation=None, channels=3, multiplier=1, filters=2):
    images, *size = shape

    def build(draw):
        # One more image: two numbers alone normalise to 1 and -1, whatever they are, and their gradient is what rounding leaves
        x, gamma, beta, epsilon, _ = _batch_norm((images + 1, *size, channels))(draw)
        weights = draw.normal(*geometry.kernel, channels, multiplier), draw.normal(channels * multiplier, filters)
        return x, gamma, beta, *weights, geometry, epsilon, activation

    return build


def _batch_norm(shape, epsilon=1e-3, activation=None):
    def build(draw):
        channels = shape[-1]
        x = 2 * draw.normal(*shape) + draw.normal(channels)
        return x, draw.normal(channels), draw.normal(channels), epsilon, activation

    return build


def _batch_norm_inference(shape, epsilon=1e-3, activation=None):
    def build(draw):
        x, gamma, beta, mean = draw.normal(*shape), *(draw.normal(shape[-1]) for _ in range(3))
        return x, gamma, beta, mean, 0.5 + draw.uniform(shape[-1]), epsilon, activation

    return build


def _bias(shape, activation):
    return lambda draw: (draw.normal(*shape), draw.normal(shape[-1]), activation)


def _one(kind, shape):
    return lambda draw: (kind(draw, *shape),)


def _two(shape):
    return lambda draw: (draw.normal(*shape), draw.normal(*shape))


def _dropout(shape, rate):
    return lambda draw: (draw.normal(*shape), rate, Stream(3, Purpose.DROPOUT, 7, 11))


def _pool(kind, shape, geometry, channels=2):
    return lambda draw: (kind(draw, *shape, channels), geometry)


def _dense_layer(images, channels, filters):
    return lambda draw: (draw.normal(images, channels), draw.normal(channels, filters), draw.normal(filters))


def _concat(shape, widths):
    return lambda draw: ([draw.normal(*shape, width) for width in widths],)


def _softmax(draw_labels, images, classes, smoothing, scale):
    return lambda draw: (scale * draw.normal(images, classes), draw_labels(draw, images, classes), smoothing)


def _sigmoid(images, classes, scale):
    return lambda draw: (scale * draw.normal(images, classes), draw.uniform(images, classes))
