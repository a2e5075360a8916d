"""What a layer makes of a picture, channel by channel."""

import numpy as np
from matplotlib.figure import Figure

from xception_np.show.style import styled

COLUMNS, ROWS = 8, 6


def feature_maps(maps: np.ndarray, title: str) -> Figure:
    """The channels that vary most, each from its least value (dark) to its largest (bright).

    Parameters
    ----------
    maps : (h, w, C) array
    title : str
    """
    channels = maps.shape[2]
    spread = maps.reshape(-1, channels).std(axis=0)
    chosen = np.sort(np.argsort(-spread, kind="stable")[: COLUMNS * ROWS])
    rows = -(-len(chosen) // COLUMNS)
    with styled():
        figure = Figure(figsize=(COLUMNS * 1.2, rows * 1.4 + 0.7), layout="constrained")
        for axes, channel in zip(figure.subplots(rows, COLUMNS, squeeze=False).flat, chosen, strict=False):
            axes.imshow(maps[..., channel], cmap="viridis")
            axes.set_title(str(channel), fontsize=9)
        for axes in figure.axes:
            axes.set_axis_off()
        which = f"its {channels} channels" if len(chosen) == channels else f"{len(chosen)} of its {channels} channels, by number"
        figure.suptitle(f"{title}: {which}", fontsize=11)
    return figure
