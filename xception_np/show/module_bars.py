"""Quantities along a network."""

from collections.abc import Mapping, Sequence
from itertools import cycle

from matplotlib.figure import Figure

from xception_np.show.style import COLOURS, styled


def module_bars(names: Sequence[str], quantities: Mapping[str, Sequence[float]], title: str, written: str = "{:,g}") -> Figure:
    """One panel for each quantity, one bar for each module, with its number; the network runs from left to right.

    Parameters
    ----------
    names : of the modules, in the order in which they run
    quantities : for each a number for every module; its name is the panel's label, with the unit
    title : str
    written : str
        How a number is written.
    """
    with styled():
        figure = Figure(figsize=(9.5, 0.9 + 1.7 * len(quantities)), layout="constrained")
        panels = figure.subplots(len(quantities), 1, sharex=True, squeeze=False)[:, 0]
        for axes, (label, values), colour in zip(panels, quantities.items(), cycle(COLOURS.values()), strict=False):
            bars = axes.bar(range(len(names)), values, 0.8, color=colour)
            axes.bar_label(bars, [written.format(value) for value in values], fontsize=9)
            axes.set_ylabel(label, fontsize=10)
            axes.yaxis.set_major_formatter("{x:,g}")
            axes.set_axisbelow(True)
            axes.grid(axis="x", visible=False)
            axes.margins(x=0.01, y=0.15)  # room for the numbers
        panels[-1].set_xticks(range(len(names)), names, rotation=40, ha="right", rotation_mode="anchor", fontsize=10)
        figure.align_ylabels()
        figure.suptitle(title, fontsize=12)
    return figure
