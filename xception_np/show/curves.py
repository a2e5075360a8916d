"""How a training run went, as a picture."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from xception_np.show.style import COLOURS, letter_size, logarithmic, styled
from xception_np.training.history import Progress, Validation

_INCHES = 9  # of the picture, across


def training_curves(
    history: Sequence[Progress],
    title: str,
    held_out_accuracy: float | None = None,
    validations: Sequence[Validation] = (),
) -> Figure:
    """Loss, accuracy, learning rate and memory over the epochs: each step a faint dot, their moving average a line.

    Parameters
    ----------
    history : steps of a run
    title : str
    held_out_accuracy : float, optional
        Accuracy at the end on pictures not trained on, 0 to 1; drawn as a diamond.
    validations : measurements on the validation pictures, drawn as a line with circles
    """
    epochs = np.array([progress.epoch for progress in history])
    with styled():
        figure = Figure(figsize=(_INCHES, 7.5), layout="constrained")
        loss, accuracy, rate, memory = figure.subplots(4, 1, sharex=True, height_ratios=(2, 2, 1, 1))
        _smoothed(loss, epochs, [progress.loss for progress in history], COLOURS["blue"])
        loss.set_ylabel("training loss (nats)")
        loss.set_yscale("log")
        logarithmic(loss.yaxis)
        _smoothed(accuracy, epochs, [100 * progress.accuracy for progress in history], COLOURS["blue"])
        accuracy.set_ylabel("accuracy (%)")
        if validations:
            passes, percents = [line.epoch for line in validations], [100 * line.accuracy for line in validations]
            accuracy.plot(passes, percents, "o-", color=COLOURS["yellow"], markersize=4, label="validation pictures")
        if held_out_accuracy is not None:
            label = f"held out: {held_out_accuracy:.1%}"
            accuracy.plot(epochs[-1:], [100 * held_out_accuracy], "D", color=COLOURS["orange"], label=label, zorder=3)
        accuracy.legend(loc="lower right")
        rate.plot(epochs, [progress.rate for progress in history], color=COLOURS["green"])
        rate.set_ylabel("learning rate")
        mebibytes = [progress.memory / 2**20 for progress in history]
        memory.plot(epochs, mebibytes, color=COLOURS["grey"])
        memory.set_ylabel("memory (MiB)")
        memory.set_ylim(0, max(1.2 * max(mebibytes), 1))
        memory.set_xlabel("epochs")
        figure.suptitle(title, fontsize=letter_size([title], _INCHES, 13))
    return figure


def _smoothed(axes, epochs: np.ndarray, values: list[float], colour: str) -> None:
    reach, average = moving_average(values)
    axes.plot(epochs, values, ".", color=colour, alpha=0.25, markersize=4, markeredgewidth=0, label="training, each step")
    axes.plot(epochs, average, color=colour, label=f"training, mean of {2 * reach + 1} steps")


def moving_average(values: Sequence[float]) -> tuple[int, np.ndarray]:
    """The mean of each value and those within `reach`, a fortieth of all, on either side; returns reach and means."""
    reach = len(values) // 40
    places = np.arange(len(values))
    starts, ends = np.maximum(places - reach, 0), np.minimum(places + reach + 1, len(values))
    sums = np.cumsum(np.concatenate(([0.0], values)))
    return reach, (sums[ends] - sums[starts]) / (ends - starts)
