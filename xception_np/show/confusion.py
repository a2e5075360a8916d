"""Which classes are taken for which."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from xception_np.show.style import styled

_NAMED = 30  # classes whose names and numbers can be read at a notebook's width
_LETTER = 0.09  # inches that a letter takes


def confusion_matrix(counts: np.ndarray, classes: Sequence[str], title: str) -> Figure:
    """A square for each pair of classes: of the pictures of a class (row), what part was taken for each (column).

    Parameters
    ----------
    counts : (classes, classes) array of integers
        As `training.confusion` gives them.
    classes : names
    title : str
    """
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    readable = len(classes) <= _NAMED
    names = _LETTER * max(map(len, classes)) if readable else 0
    size = 2 + 0.5 * len(classes) + names if readable else 10
    with styled():
        figure = Figure(figsize=(max(size + 1, _LETTER * (len(title) + 2)), size), layout="constrained")
        axes = figure.subplots()
        axes.grid(False)
        # One hue from light to dark: brightness alone carries the number.
        image = axes.imshow(100 * share, cmap="Blues", vmin=0, vmax=100)
        figure.colorbar(image, label="% of the pictures of a class", shrink=0.8)
        axes.set_xlabel("taken for")
        axes.set_ylabel("is")
        if readable:
            axes.set_xticks(range(len(classes)), classes, rotation=90)
            axes.set_yticks(range(len(classes)), classes)
            for (row, column), count in np.ndenumerate(counts):
                if count:
                    colour = "white" if share[row, column] > 0.5 else "black"
                    axes.text(column, row, str(count), ha="center", va="center", color=colour, fontsize=9)
        figure.suptitle(title, fontsize=11)
    return figure
