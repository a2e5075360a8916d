"""A sum, term by term, as pictures."""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from xception_np.show.style import styled


def summed_maps(rows: Mapping[str, Mapping[str, np.ndarray]], title: str) -> Figure:
    """Terms and their sum side by side, one sum a row, all of a row on one scale: blue is negative, white 0, red positive.

    Parameters
    ----------
    rows : for each name the maps (h, w) by what they are; the last is the sum of the others
    title : str
    """
    columns = max(len(maps) for maps in rows.values())
    with styled():
        figure = Figure(figsize=(9.5, 0.7 + 2.9 * len(rows)), layout="constrained")
        for row, (name, maps) in zip(figure.subplots(len(rows), columns, squeeze=False), rows.items(), strict=True):
            most = max(abs(values).max() for values in maps.values()) or 1
            signs = ["", *["+"] * (len(maps) - 2), "="]
            for axes, (what, values), sign in zip(row, maps.items(), signs, strict=True):
                drawn = axes.imshow(values, cmap="RdBu_r", vmin=-most, vmax=most)
                axes.set_title(what, fontsize=10)
                axes.set_xticks([])
                axes.set_yticks([])
                axes.grid(False)
                axes.text(-0.1, 0.5, sign, transform=axes.transAxes, ha="center", va="center", fontsize=18)
            row[0].set_ylabel(name)
            figure.colorbar(drawn, ax=row, shrink=0.8, format="{x:g}")
        figure.suptitle(title, fontsize=12)
    return figure
