"""Small arrays written out, number by number, with what is being looked at marked."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from xception_np.show.style import COLOURS, styled

_CELL = 0.36  # inches
_PALE = 2.5  # so many times the largest number would have the strongest colour: print on it can be read


class Grid(NamedTuple):
    """An array to be written out.

    name : str
    numbers : (rows, columns) array
        NaN is left empty.
    marked : (slice, slice), optional
        Rows and columns that get a frame; with a step, each number gets its own.
    padding : ((top, bottom), (left, right))
        How many of the rows and columns at the edges are padding, drawn grey.
    """

    name: str
    numbers: np.ndarray
    marked: tuple[slice, slice] | None = None
    padding: tuple[tuple[int, int], tuple[int, int]] = ((0, 0), (0, 0))


def number_grids(rows: Sequence[Sequence[Grid]], title: str) -> Figure:
    """Arrays beside and below each other; orange is above 0, purple below.

    Parameters
    ----------
    rows : sequences of Grid, each of the same length
    title : str
    """
    widths = [max(row[k].numbers.shape[1] for row in rows) for k in range(len(rows[0]))]
    heights = [max(grid.numbers.shape[0] for grid in row) for row in rows]
    size = (min(11.0, _CELL * sum(widths) + 0.4 * len(widths) + 0.4), _CELL * sum(heights) + 0.45 * len(heights) + 0.5)
    with styled():
        figure = Figure(figsize=(max(size[0], 0.09 * len(title)), size[1]), layout="constrained")
        panels = figure.subplots(len(rows), len(widths), squeeze=False, width_ratios=widths, height_ratios=heights)
        for line, row in zip(panels, rows, strict=True):
            for axes, grid in zip(line, row, strict=True):
                _draw(axes, grid)
        figure.suptitle(title, fontsize=11)
    return figure


def _draw(axes, grid: Grid) -> None:
    numbers = grid.numbers
    largest = np.nanmax(np.abs(numbers)) if np.isfinite(numbers).any() else 0
    bound = _PALE * (largest or 1)
    axes.imshow(numbers, cmap=colormaps["PuOr_r"].with_extremes(bad="#F7F7F7"), vmin=-bound, vmax=bound)
    for (row, column), number in np.ndenumerate(numbers):
        if not _inside(row, column, grid):
            axes.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, facecolor="#DDDDDD", edgecolor="none"))
        if np.isfinite(number):  # and 0 rather than -0
            axes.text(column, row, f"{number + 0.0:.3g}", ha="center", va="center", fontsize=10)
    if grid.marked is not None:
        _frame(axes, *(range(size)[part] for size, part in zip(numbers.shape, grid.marked, strict=True)))
    axes.set_xticks(np.arange(-0.5, numbers.shape[1]), minor=True)
    axes.set_yticks(np.arange(-0.5, numbers.shape[0]), minor=True)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.grid(which="minor", color="white", alpha=1, linewidth=1.5)
    axes.tick_params(which="minor", length=0)
    for side in axes.spines.values():
        side.set_visible(False)
    axes.set_title(grid.name, fontsize=10.5)


def _frame(axes, rows: range, columns: range) -> None:
    """One frame around neighbours, or one each where there are gaps between them."""
    if rows.step == columns.step == 1:
        boxes = [(columns.start, rows.start, len(columns), len(rows))]
    else:
        boxes = [(column, row, 1, 1) for row in rows for column in columns]
    for left, top, width, height in boxes:
        box = Rectangle((left - 0.5, top - 0.5), width, height, fill=False, edgecolor=COLOURS["blue"], linewidth=2.5, zorder=3)
        axes.add_patch(box)
        box.set_clip_on(False)  # at an edge half of it would be cut off


def _inside(row: int, column: int, grid: Grid) -> bool:
    (top, bottom), (left, right) = grid.padding
    height, width = grid.numbers.shape
    return top <= row < height - bottom and left <= column < width - right
