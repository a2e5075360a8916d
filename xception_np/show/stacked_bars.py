"""Wholes, and the parts they are made of."""

from collections.abc import Mapping, Sequence
from itertools import cycle

from matplotlib.figure import Figure

from xception_np.show.style import COLOURS, in_rows, styled


def stacked_bars(
    names: Sequence[str], parts: Mapping[str, Sequence[float]], label: str, title: str, written: str = "{:.2f}"
) -> Figure:
    """A bar for each name, made of its parts, with their numbers and that of the whole.

    Parameters
    ----------
    names : of the wholes, from top to bottom
    parts : for each part a number, 0 or more, for every name
    label : what the numbers are, with their unit
    title : str
    written : str
        How a number is written.
    """
    with styled():
        figure = Figure(figsize=(9, 1.8 + 0.6 * len(names)), layout="constrained")
        axes = figure.subplots()
        ends = [0.0] * len(names)
        for (name, values), colour in zip(parts.items(), cycle(COLOURS.values()), strict=False):
            bars = axes.barh(range(len(names)), values, 0.6, left=ends, color=colour, label=name)
            axes.bar_label(bars, [written.format(value) for value in values], label_type="center", color="white", weight="bold")
            ends = [end + value for end, value in zip(ends, values, strict=True)]
        for row, end in enumerate(ends):
            axes.text(end, row, f"  {written.format(end)}", va="center", weight="bold")
        in_rows(axes, names)
        axes.set_xlabel(label)
        axes.set_title(title, fontsize=12)
        figure.legend(loc="outside lower center", ncols=len(parts))
    return figure
