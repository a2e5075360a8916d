"""Rows of pictures."""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from xception_np.show.style import styled


def picture_rows(rows: Mapping[str, np.ndarray], title: str) -> Figure:
    """A row of pictures for every name, (n, H, W, 3) of uint8 each."""
    columns = max(map(len, rows.values()))
    with styled():
        figure = Figure(figsize=(9, 0.5 + 1.4 * len(rows)), layout="constrained")
        grid = figure.subplots(len(rows), columns, squeeze=False)
        for axes in grid.flat:
            axes.set_axis_off()
        for places, (name, pictures) in zip(grid, rows.items(), strict=True):
            places[0].set_title(name, loc="left", fontsize=11)
            for axes, picture in zip(places, pictures, strict=False):
                axes.imshow(picture)
        figure.suptitle(title)
    return figure
