"""The networks: Xception's form with as few layers as will do, and widths chosen so that their counts are the same.

block1   3x3, stride 2                           32 pixels -> 16
block2   two convolutions, pooled, residual      16 -> 8
block3   two convolutions, residual
block4   two convolutions, pooled, residual      8 -> 4
block5   one convolution, then the mean over the picture

A convolution is separable, in S segments (S = C: depthwise). The widths of stem, blocks 2 and 3, and block 4 are multiples
of S and of 4, which fill a machine's vectors; that of block 5 is any number. `equal` searches for those nearest to the form of
BASE with the count wanted.
"""

import functools
import itertools
import math
from typing import NamedTuple

from xception_np import cost, models
from xception_np.models.modules import figure_1
from xception_np.models.table import Conv, Norm, Plain, Pool, Relu, Residual, Sep, Table

NORM = Norm(momentum=0.9)
WIDEST = 128
WHOLE = 4  # channels: widths are multiples of it
TOLERANCE = 0.02


class Widths(NamedTuple):
    """Channels of the stem, of blocks 2 and 3, of block 4, and of block 5."""

    stem: int
    entry: int
    middle: int
    last: int


BASE = Widths(32, 32, 64, 128)


class Counts(NamedTuple):
    """What a network costs, of one picture."""

    parameters: int
    macs: int


def counts(table: Table) -> Counts:
    """Parameters and multiply-adds from the builder's layers."""
    found = cost.total(cost.count(models.outline(table), table.input_shape))
    return Counts(found.parameters, found.macs)


def separable(widths: Widths, segments: int | None = None, classes: int = 10) -> Table:
    """The network above; depthwise without a number of segments."""
    entry, middle = Sep(widths.entry, segments=segments), Sep(widths.middle, segments=segments)
    return Table(
        name=f"tiny {'-'.join(map(str, widths))}, {f'{segments} segments' if segments else 'depthwise'}",
        input_size=32,
        classes=classes,
        norm=NORM,
        source="this project",
        modules=(
            Plain("block1", (Conv(widths.stem, stride=2), Relu())),
            Residual("block2", (entry, Relu(), entry, Pool()), shortcut=(Conv(widths.entry, kernel=1, stride=2),)),
            Residual("block3", (Relu(), entry, Relu(), entry)),
            Residual("block4", (Relu(), middle, Relu(), middle, Pool()), shortcut=(Conv(widths.middle, kernel=1, stride=2),)),
            Plain("block5", (Relu(), Sep(widths.last, segments=segments), Relu())),
        ),
    )


def inception(width: int, last: int, classes: int = 10) -> Table:
    """The same with Inception modules (Figure 1), four towers of `width` channels, and no residual connections."""
    module = figure_1(width)
    return Table(
        name=f"tiny inception {width}, {last}",
        input_size=32,
        classes=classes,
        norm=NORM,
        source="this project",
        modules=(
            Plain("block1", (Conv(4 * width, stride=2), Relu())),
            *(Plain(f"block2{k}", module) for k in "ab"),
            Plain("block2", (Pool(),)),
            *(Plain(f"block3{k}", module) for k in "ab"),
            *(Plain(f"block4{k}", module) for k in "ab"),
            Plain("block4", (Pool(),)),
            Plain("block5", (Conv(last, kernel=1), Relu())),
        ),
    )


@functools.cache
def equal(segments: int | None, of: str) -> Widths:
    """The widths at which a number of segments costs as much as BASE does depthwise, to 2%.

    Parameters
    ----------
    segments : int, or None for depthwise
    of : "parameters" or "macs"
    """
    if segments is None:
        return BASE
    wanted = getattr(counts(separable(BASE)), of)
    step = math.lcm(segments, WHOLE)
    multiples = [[width for width in range(step, WIDEST + 1, step) if 0.3 * base <= width <= 1.6 * base] for base in BASE[:3]]
    fitting = []
    for stem, entry, middle in itertools.product(*multiples):
        last = _last(stem, entry, middle, segments, of, wanted)
        if last >= 1:
            fitting.append(Widths(stem, entry, middle, last))
    return min(fitting, key=_deviation)


def _last(stem: int, entry: int, middle: int, segments: int, of: str, wanted: int) -> int:
    """The width of block 5 with which a network comes nearest to a count, which is linear in it; 0 if none is near enough."""
    low, high = (_closed_form(Widths(stem, entry, middle, last), segments, of) for last in (0, 1))
    last = round((wanted - low) / (high - low))
    found = low + last * (high - low)
    return last if last >= 1 and abs(found - wanted) <= TOLERANCE * wanted else 0


def _closed_form(widths: Widths, segments: int, of: str) -> int:
    """What `counts` finds, as a sum: a thousand networks need not be built to find one. A test compares the two."""
    stem, entry, middle, last = widths
    norm = 2 if of == "parameters" else 0

    def sep(channels: int, filters: int) -> int:
        return 9 * channels * channels // segments + (channels + norm) * filters

    places = (1, 1, 1, 1) if of == "parameters" else (256, 64, 16, 1)
    head = 10 * last + (10 if of == "parameters" else 0)
    at_16 = (27 + norm) * stem + sep(stem, entry) + sep(entry, entry)
    at_8 = (stem + norm) * entry + 2 * sep(entry, entry) + sep(entry, middle) + sep(middle, middle)
    at_4 = (entry + norm) * middle + sep(middle, last)
    return places[0] * at_16 + places[1] * at_8 + places[2] * at_4 + places[3] * head


def _deviation(widths: Widths) -> float:
    """How far widths are from the form of BASE: the spread of the logarithms of their ratios to it."""
    ratios = [math.log(width / base) for width, base in zip(widths, BASE, strict=True)]
    mean = sum(ratios) / len(ratios)
    return sum((ratio - mean) ** 2 for ratio in ratios)


@functools.cache
def equal_inception() -> Table:
    """Inception modules with as many parameters as BASE, to 2%."""
    wanted = counts(separable(BASE)).parameters
    width = next(width for width in range(WIDEST, 0, -WHOLE) if counts(inception(width, 1)).parameters < wanted)
    low, high = (counts(inception(width, last)).parameters for last in (1, 2))
    return inception(width, 1 + round((wanted - low) / (high - low)))


def glyphs(stem: int, segments: int, filters: int) -> Table:
    """One spatial convolution: blocks of 2x2 pixels to `stem` channels, a 3x3 in S segments, a 1x1, the mean over the picture."""
    spatial = Sep(filters, segments=None if segments == stem else segments)
    return Table(
        name=f"one layer {stem}-{filters}, {segments} segments",
        input_size=32,
        classes=6,
        norm=NORM,
        source="this project",
        modules=(Plain("block1", (Conv(stem, kernel=2, stride=2), Relu())), Plain("block2", (spatial, Relu()))),
    )


@functools.cache
def equal_filters(stem: int, segments: int) -> Table:
    """With such a stem, the 1x1 so wide that there are as many parameters as with a regular convolution of 4 channels, to 2%."""
    wanted = counts(glyphs(4, 1, 8)).parameters
    low, high = (counts(glyphs(stem, segments, filters)).parameters for filters in (1, 2))
    return glyphs(stem, segments, 1 + round((wanted - low) / (high - low)))
