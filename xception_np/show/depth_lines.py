"""Sizes along a network, from its first module to its last."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from xception_np.show.style import looks, styled


def depth_lines(names: Sequence[str], lines: Mapping[str, np.ndarray], label: str, title: str) -> Figure:
    """A line for each of several networks, or parts of one, over the modules, in powers of ten.

    Parameters
    ----------
    names : of the modules, in the order in which they run
    lines : (runs, modules) array for each name
        Of several runs the middle one is drawn, in a band from the least to the largest; NaN where there is nothing.
    label : what the numbers are, with their unit
    title : str
    """
    with styled():
        figure = Figure(figsize=(9.5, 4.8), layout="constrained")
        axes = figure.subplots()
        places = np.arange(len(names))
        for (name, runs), (colour, marker) in zip(lines.items(), looks(), strict=False):
            axes.plot(places, np.median(runs, axis=0), color=colour, marker=marker, markersize=5, label=name)
            axes.fill_between(places, runs.min(axis=0), runs.max(axis=0), color=colour, alpha=0.25, linewidth=0)
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter("{x:g}")
        axes.set_xticks(places, names, rotation=40, ha="right", rotation_mode="anchor", fontsize=10)
        axes.set_ylabel(label)
        axes.legend()
        axes.set_title(title, fontsize=12)
    return figure
