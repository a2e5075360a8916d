"""Where a network looked."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from xception_np.data.pictures import resize
from xception_np.show.style import letter_size, styled

_INCHES = 3  # of a picture, side by side


def explanation(pictures: np.ndarray, maps: np.ndarray, says: Sequence[str], title: str) -> Figure:
    """Each picture, and beside it the same one with the map laid over it.

    Parameters
    ----------
    pictures : (N, size, size, 3) array of uint8
    maps : (N, h, w) array
        From 0 to 1, as `models.inside.grad_cam` gives them; enlarged smoothly to the size of the pictures.
    says : N strings
        What is written over each picture.
    title : str
    """
    with styled():
        figure = Figure(figsize=(2 * _INCHES, _INCHES * len(pictures) + 1.2), layout="compressed")
        grid = figure.subplots(len(pictures), 2, squeeze=False)
        size = letter_size(says, _INCHES, 12)
        for (left, right), picture, evidence, text in zip(grid, pictures, maps, says, strict=True):
            height, width = picture.shape[:2]
            grey = np.repeat(np.round(255 * evidence).astype(np.uint8)[..., None], 3, axis=2)
            enlarged = resize(grey, (width, height), (0, 0, evidence.shape[1], evidence.shape[0]))[..., 0] / 255
            left.imshow(picture)
            right.imshow(picture.mean(axis=2), cmap="gray", vmin=0, vmax=255)
            drawn = right.imshow(enlarged, cmap="viridis", alpha=0.6, vmin=0, vmax=1)
            left.set_title(text, loc="left", fontsize=size)
            if not evidence.any():
                right.set_title("nothing here speaks for it", loc="left", fontsize=size)
            for axes in (left, right):
                axes.set_axis_off()
        bar = figure.colorbar(drawn, ax=grid[-1], location="bottom", shrink=0.9, aspect=40, pad=0.03)
        bar.set_label("evidence for the class, as a part of the most in the picture")
        figure.suptitle(title, fontsize=letter_size([title], 2 * _INCHES, 11))
    return figure
