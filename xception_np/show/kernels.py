"""What convolutions look for."""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from xception_np.show.style import styled

COLUMNS = 16


def kernels(layers: Mapping[str, np.ndarray], title: str) -> Figure:
    """The kernels of several layers, each a small picture; 16 side by side.

    Parameters
    ----------
    layers : (n, kh, kw) array for each name
        Each kernel from blue (negative) over white (0) to red, on its own scale; or (n, kh, kw, 3), colours from 0 to 1.
    title : str
    """
    rows = {name: -(-len(group) // COLUMNS) for name, group in layers.items()}
    with styled():
        figure = Figure(figsize=(9.5, 0.6 + 0.33 * len(layers) + 0.6 * sum(rows.values())), layout="constrained")
        figure.suptitle(title, fontsize=12)
        parts = figure.subfigures(len(layers), 1, squeeze=False, height_ratios=[count + 0.55 for count in rows.values()])[:, 0]
        for part, (name, group) in zip(parts, layers.items(), strict=True):
            part.suptitle(name, fontsize=10)
            grid = part.subplots(rows[name], COLUMNS, squeeze=False).flat
            for axes in grid[:]:
                axes.set_axis_off()
            for axes, kernel in zip(grid, group, strict=False):
                most = abs(kernel).max() or 1  # of nothing but 0: white
                axes.imshow(kernel, cmap="RdBu_r", vmin=-most, vmax=most)
    return figure
