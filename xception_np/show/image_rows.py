"""Rows of small images with one scale for all: kernels, maps, and what differs between them."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from xception_np.show.style import styled


def image_rows(rows: Sequence[tuple[str, np.ndarray]], title: str, unit: str = "value") -> Figure:
    """A row of images for each name: orange above 0, purple below, white at 0, with the same scale everywhere.

    Parameters
    ----------
    rows : (name, (images, height, width) array) pairs
    title : str
    unit : str
        What the scale says.
    """
    bound = max(float(np.abs(images).max()) for _, images in rows) or 1.0
    columns = len(rows[0][1])
    each = 9.0 / columns
    with styled():
        figure = Figure(figsize=(11, each * len(rows) + 0.8), layout="compressed")
        panels = figure.subplots(len(rows), columns, squeeze=False)
        for line, (name, images) in zip(panels, rows, strict=True):
            for axes, image in zip(line, images, strict=True):
                drawn = axes.imshow(image, cmap="PuOr_r", vmin=-bound, vmax=bound, interpolation="nearest")
                axes.set_xticks([])
                axes.set_yticks([])
                for side in axes.spines.values():
                    side.set_visible(False)
            line[0].set_ylabel(name, rotation=0, ha="right", va="center")
        figure.colorbar(drawn, ax=panels, label=unit, aspect=30, pad=0.02)
        figure.suptitle(title)
    return figure
