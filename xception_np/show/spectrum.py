"""The spectrum from regular to depthwise: which channels a filter sees, and what that costs."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, NullFormatter

from xception_np.cost import Point
from xception_np.ops.spec import Cost
from xception_np.show.style import COLOURS, logarithmic, styled

_LINED = 24  # channels between which lines can be drawn
_CELLS = 200  # more of them than this are not told apart at a notebook's width


class _Panel(NamedTuple):
    label: str
    number: Callable[[Cost], float]
    logarithmic: bool = False


_PANELS = (
    _Panel("parameters", lambda cost: cost.parameters),
    _Panel("multiply-adds", lambda cost: cost.macs),
    _Panel("memory moved (bytes)", lambda cost: cost.bytes_moved),
    _Panel("multiply-adds per byte", lambda cost: cost.intensity, logarithmic=True),
)


def connections(matrices: Sequence[tuple[str, np.ndarray]], title: str) -> Figure:
    """Which input channels (rows) each filter (columns) sees, a square for each matrix.

    Parameters
    ----------
    matrices : (name, (C, F) array) pairs
        Anything but 0 is a connection. Of more than 200 channels some share a cell, which is filled if any is connected.
    title : str
    """
    with styled():
        figure = Figure(figsize=(11, 2.7), layout="constrained")
        panels = figure.subplots(1, len(matrices), sharey=True, squeeze=False)[0]
        for axes, (name, matrix) in zip(panels, matrices, strict=True):
            _matrix(axes, name, matrix)
        panels[0].set_ylabel("input channel")
        figure.suptitle(title)
    return figure


def spectrum(points: Sequence[Point], matrices: Sequence[tuple[str, np.ndarray]], title: str, at: int | None = None) -> Figure:
    """Connections of a few points above; below, over the segments: parameters, multiply-adds, memory and intensity.

    Parameters
    ----------
    points : what `cost.spectrum` returned
    matrices : (name, (C, F) array) pairs
    title : str
    at : int, optional
        Segments to mark.
    """
    with styled():
        figure = Figure(figsize=(11, 6.2), layout="constrained")
        above, below = figure.subfigures(2, 1, squeeze=False, height_ratios=(1.1, 1))[:, 0]
        squares = above.subplots(1, len(matrices), sharey=True, squeeze=False)[0]
        for axes, (name, matrix) in zip(squares, matrices, strict=True):
            _matrix(axes, name, matrix)
        squares[0].set_ylabel("input channel")
        for axes, panel in zip(below.subplots(1, len(_PANELS)), _PANELS, strict=True):
            _curves(axes, panel, points, at)
        below.legend(*below.axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=4, fontsize=10)
        figure.suptitle(title)
    return figure


def _matrix(axes, name: str, matrix: np.ndarray) -> None:
    channels, filters = matrix.shape
    seen = np.where(_coarse(matrix)[..., None] != 0, to_rgb(COLOURS["blue"]), to_rgb("#EEEEEE"))
    axes.imshow(seen, interpolation="nearest", extent=(0.5, filters + 0.5, channels + 0.5, 0.5))
    axes.grid(False)
    axes.set_title(name, fontsize=11)
    axes.set_xlabel("filter")
    for axis, count in ((axes.xaxis, filters), (axes.yaxis, channels)):
        axis.set_ticks([1, count] if count > 1 else [1])
    if channels <= _LINED:  # lines between the channels, where they can be told apart
        axes.set_xticks(np.arange(0.5, filters), minor=True)
        axes.set_yticks(np.arange(0.5, channels), minor=True)
        axes.grid(which="minor", color="white", alpha=1, linewidth=1)
        axes.tick_params(which="minor", length=0)


def _coarse(matrix: np.ndarray) -> np.ndarray:
    """The matrix, or the largest of every so many rows and columns where they are too many to be told apart."""
    step = -(-max(matrix.shape) // _CELLS)
    rows, columns = (np.arange(0, size, step) for size in matrix.shape)
    return np.maximum.reduceat(np.maximum.reduceat(np.abs(matrix), rows, axis=0), columns, axis=1)


def _curves(axes, panel: _Panel, points: Sequence[Point], at: int | None) -> None:
    """The two halves, and both: sums for what is counted, the quotient of sums for the intensity."""
    segments = [point.segments for point in points]
    lines = (
        ("spatial convolution", "o-", COLOURS["sky"], lambda point: point.spatial),
        ("1x1 convolution", ".-", COLOURS["yellow"], lambda point: point.pointwise),
        ("both", "o-", "black", lambda point: point.total),
    )
    for label, look, colour, cost in lines:
        values = [panel.number(cost(point)) for point in points]
        axes.plot(segments, values, look, color=colour, label=label, markersize=3.5, linewidth=1.5)
    named = [point for point in points if point.place]
    places = [point.segments for point in named], [panel.number(point.total) for point in named]
    axes.plot(*places, "s", color=COLOURS["orange"], markersize=6, zorder=3, label="named in the paper")
    if at is not None:
        axes.axvline(at, color=COLOURS["orange"], linewidth=1.5, label="here")
    axes.set_xscale("log")
    axes.set_xticks([point.segments for point in named], [f"{point.segments}" for point in named])
    axes.xaxis.set_minor_formatter(NullFormatter())
    if panel.logarithmic:
        axes.set_yscale("log")
        logarithmic(axes.yaxis)
    else:
        axes.set_ylim(bottom=0)
        axes.yaxis.set_major_formatter(EngFormatter())
    axes.set_title(panel.label, fontsize=10.5)
    axes.set_xlabel("segments S")
