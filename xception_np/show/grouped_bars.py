"""A few numbers side by side, for each of several things."""

from collections.abc import Mapping, Sequence
from itertools import cycle

from matplotlib.figure import Figure

from xception_np.show.style import COLOURS, in_rows, styled


def grouped_bars(
    names: Sequence[str],
    series: Mapping[str, Sequence[float]],
    label: str,
    title: str,
    written: str = "{:.2f}",
    mark: float | None = None,
) -> Figure:
    """For each name a bar of every series, one under the other, with its number.

    Parameters
    ----------
    names : what is measured, from top to bottom
    series : for each of several measurements a number for every name
    label : what the numbers are, with their unit
    title : str
    written : str
        How a number is written at the end of its bar.
    mark : float, optional
        Where a line is drawn from top to bottom, such as 1 for ratios.
    """
    height = 0.8 / len(series)
    with styled():
        figure = Figure(figsize=(9, 1.7 + (0.2 + 0.17 * len(series)) * len(names)), layout="constrained")
        axes = figure.subplots()
        for number, ((name, values), colour) in enumerate(zip(series.items(), cycle(COLOURS.values()), strict=False)):
            places = [row + (number - (len(series) - 1) / 2) * height for row in range(len(names))]
            bars = axes.barh(places, values, height, color=colour, label=name)
            numbers = axes.bar_label(bars, [written.format(value) for value in values], fontsize=10, padding=5)
            for text in numbers:
                text.set_bbox({"facecolor": "white", "edgecolor": "none", "pad": 1})  # readable on the mark
        if mark is not None:
            axes.axvline(mark, color="black", linewidth=1, zorder=1.5)
        in_rows(axes, names)
        axes.set_xlabel(label)
        axes.set_title(title, fontsize=12)
        if len(series) > 1:
            figure.legend(loc="outside lower center", ncols=len(series))
    return figure
