"""Several training runs in one picture."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from matplotlib.figure import Figure

from xception_np.data.dataset import shown
from xception_np.errors import InputError
from xception_np.show.curves import moving_average
from xception_np.show.style import COLOURS, logarithmic, styled
from xception_np.training.history import Progress, Validation

_LOOKS = [(colour, line) for line in ("-", "--", ":", "-.") for colour in COLOURS.values()]
_LETTERS = 120  # of a name, in a line of the legend


class Curves(NamedTuple):
    """What a run measured."""

    history: Sequence[Progress]
    validations: Sequence[Validation] = ()


def compared_curves(runs: Mapping[str, Curves]) -> Figure:
    """Loss and accuracy of runs, over the epochs and over the minutes: moving averages over the steps as lines, validation as dots.

    Colours repeat after seven runs, then with another kind of line.

    Parameters
    ----------
    runs : curves by name

    Raises
    ------
    InputError
        If there are more than can be told apart.
    """
    if len(runs) > len(_LOOKS):
        raise InputError(f"runs are {len(runs)}; expected at most {len(_LOOKS)}, as many lines as can be told apart")
    names = [name if len(name) <= _LETTERS else f"...{name[3 - _LETTERS :]}" for name in map(shown, runs)]
    columns = 2 if max(map(len, names)) <= _LETTERS // 2 else 1
    with styled():
        figure = Figure(figsize=(11, 7 + 0.23 * max(0, -(-len(names) // columns) - 4)), layout="constrained")
        panels = figure.subplots(2, 2, sharex="col", sharey="row")
        for (name, curves), (colour, line) in zip(runs.items(), _LOOKS, strict=False):
            losses = moving_average([progress.loss for progress in curves.history])[1]
            percents = moving_average([100 * progress.accuracy for progress in curves.history])[1]
            measured = [100 * validation.accuracy for validation in curves.validations]
            for column, (places, validated) in enumerate(_places(curves)):
                loss, accuracy = panels[:, column]
                loss.plot(places, losses, line, color=colour, label=name)
                accuracy.plot(places, percents, line, color=colour)
                accuracy.plot(validated, measured, "o", color=colour, markersize=4)
        for axes, label in zip(panels[1], ("epochs", "minutes"), strict=True):
            axes.set_xlabel(label)
        panels[0, 0].set_ylabel("training loss (nats)")
        panels[0, 0].set_yscale("log")
        logarithmic(panels[0, 0].yaxis)
        panels[1, 0].set_ylabel("accuracy (%)")
        figure.suptitle("Training: moving averages (lines); validation pictures (dots)", fontsize=11)
        # With their names: left to itself, a legend leaves out what begins with "_"
        figure.legend(panels[0, 0].lines, names, loc="outside lower center", ncols=columns)
    return figure


def _places(curves: Curves) -> list[tuple[list[float], list[float]]]:
    """Where steps and validations lie: in epochs, then in minutes."""
    return [
        ([step.epoch for step in curves.history], [validation.epoch for validation in curves.validations]),
        ([step.seconds / 60 for step in curves.history], [validation.seconds / 60 for validation in curves.validations]),
    ]
