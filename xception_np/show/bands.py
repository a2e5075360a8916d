"""Lines with what may be chance around them."""

from collections.abc import Mapping
from typing import Protocol

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, NullLocator

from xception_np.show.style import COLOURS, looks, styled


class Measured(Protocol):
    """A line: places, means, standard errors (NaN where there is none), and every value (places, seeds)."""

    x: np.ndarray
    each: np.ndarray

    @property
    def mean(self) -> np.ndarray: ...  # noqa: D102
    @property
    def error(self) -> np.ndarray: ...  # noqa: D102


def bands(
    lines: Mapping[str, Measured],
    xlabel: str,
    ylabel: str,
    title: str,
    references: Mapping[str, tuple[np.ndarray, np.ndarray]] | None = None,
    doubling: bool = False,
) -> Figure:
    """Means as lines, a standard error on either side as a band, every single value as a small dot.

    Parameters
    ----------
    lines : what was measured, by name
    xlabel, ylabel, title : str
    references : (x, y) of further lines by name, drawn grey and dashed: what should be, not what was measured
    doubling : bool
        Whether places double along the axis, as numbers of segments do; each is labelled then.
    """
    with styled():
        figure = Figure(figsize=(9, 4.8), layout="constrained")
        axes = figure.subplots()
        for (name, line), (colour, marker) in zip(lines.items(), looks(), strict=False):
            axes.plot(line.x, line.mean, "-", marker=marker, color=colour, label=name, markersize=6)
            axes.fill_between(line.x, line.mean - line.error, line.mean + line.error, color=colour, alpha=0.2, linewidth=0)
            axes.plot(np.repeat(line.x, line.each.shape[1]), line.each.ravel(), ".", color=colour, alpha=0.5, markersize=4)
        for name, (x, y) in (references or {}).items():
            axes.plot(x, y, "--", color=COLOURS["grey"], label=name)
        places = sorted({float(x) for line in lines.values() for x in line.x})
        if doubling:
            axes.set_xscale("log", base=2)
            axes.set_xticks(places, [f"{place:g}" for place in places])
            axes.xaxis.set_minor_locator(NullLocator())
        elif all(map(float.is_integer, places)):  # epochs, say: there is no half of one
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_xlabel(xlabel)
        axes.set_ylabel(ylabel)
        axes.set_title(title, fontsize=12)
        axes.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), fontsize=9)
    return figure
