"""Pictures with what a model says about them."""

import numpy as np
from matplotlib.figure import Figure

from xception_np.data import Pictures
from xception_np.show.style import COLOURS, letter_size, styled

_INCHES = 1.25  # of a picture, side by side
_LARGEST = 9  # size of letters, points


def prediction_grid(dataset: Pictures, probabilities: np.ndarray, title: str, columns: int = 8, rows: int = 4) -> Figure:
    """The pictures that the model is least sure of or gets wrong first, each with its prediction.

    Parameters
    ----------
    dataset : Pictures
    probabilities : (N, classes) array
    title : str
    columns, rows : int
        Size of the grid at most; of few pictures it is smaller.
    """
    predicted = probabilities.argmax(axis=1)
    confidence = probabilities[np.arange(len(predicted)), dataset.labels]
    chosen = np.argsort(confidence, kind="stable")[: columns * rows]
    pictures = dataset.read(chosen)
    rows = -(-len(chosen) // columns)
    with styled():
        figure = Figure(figsize=(columns * _INCHES, rows * 1.5 + 0.8), layout="constrained")
        names = [dataset.classes[k] for k in {*predicted[chosen], *dataset.labels[chosen]}]
        size = letter_size([f"{name} 100%" for name in names], _INCHES, _LARGEST)
        for axes, k, picture in zip(figure.subplots(rows, columns, squeeze=False).flat, chosen, pictures, strict=False):
            axes.imshow(picture, interpolation="nearest")
            right = predicted[k] == dataset.labels[k]
            says = f"{dataset.classes[predicted[k]]} {probabilities[k, predicted[k]]:.0%}"
            truth = "" if right else f"\nis {dataset.classes[dataset.labels[k]]}"
            colour = COLOURS["blue"] if right else COLOURS["orange"]
            axes.set_title(says + truth, fontsize=size, color=colour, fontweight="normal" if right else "bold")
        for axes in figure.axes:
            axes.set_axis_off()
        figure.suptitle(title, fontsize=11)
    return figure
