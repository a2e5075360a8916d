"""Where a network's parameters, multiply-adds, memory and time are."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from xception_np.cost import Row
from xception_np.show.style import COLOURS, styled

_MANY = 24  # rows that have room for large print


class _Panel(NamedTuple):
    """Bars of one quantity: what it is called, its number in a row, and the colour."""

    label: str
    number: Callable[[Row], float]
    colour: str


_COUNTED = (
    _Panel("parameters (million)", lambda row: row.cost.parameters / 1e6, COLOURS["blue"]),
    _Panel("multiply-adds (billion)", lambda row: row.cost.macs / 1e9, COLOURS["blue"]),
    _Panel("memory moved (MiB)", lambda row: row.cost.bytes_moved / 2**20, COLOURS["green"]),
    _Panel("kept in training (MiB)", lambda row: row.cost.bytes_cached / 2**20, COLOURS["green"]),
)
_PREDICTED = _Panel("predicted", lambda row: 1e3 * (row.predicted or 0), COLOURS["sky"])
_MEASURED = _Panel("measured", lambda row: 1e3 * (row.measured or 0), COLOURS["orange"])


def cost_bars(rows: Sequence[Row], title: str) -> Figure:
    """A bar for each layer, kind or module, with its share of the whole: parameters, multiply-adds, memory and, if known, time.

    Parameters
    ----------
    rows : what `cost.rows` returned
    title : str
    """
    panels = [[panel] for panel in _COUNTED]
    times = [_PREDICTED] * (rows[0].predicted is not None) + [_MEASURED] * (rows[0].measured is not None)
    if times:
        panels.append(times)
    roomy = len(rows) <= _MANY
    with styled():
        figure = Figure(figsize=(11, 1.6 + (0.4 if roomy else 0.2) * len(rows)), layout="constrained")
        for axes, bars in zip(figure.subplots(1, len(panels), sharey=True), panels, strict=True):
            _bars(axes, rows, bars, 9 if roomy else 7)
        first = figure.axes[0]
        first.set_yticks(range(len(rows)), [row.name for row in rows], fontsize=11 if roomy else 8)
        first.set_ylim(len(rows) - 0.5, -0.5)  # the first row on top
        figure.suptitle(title)
    return figure


def _bars(axes, rows: Sequence[Row], panels: Sequence[_Panel], fontsize: int) -> None:
    """One panel: the bars of a row lie one under the other."""
    height = 0.8 / len(panels)
    for number, (label, value, colour) in enumerate(panels):
        values = [value(row) for row in rows]
        places = [row + (number - (len(panels) - 1) / 2) * height for row in range(len(rows))]
        axes.barh(places, values, height, color=colour, label=label)
        whole = sum(values)
        for place, each in zip(places, values, strict=True):
            if each:
                share = f" {100 * each / whole:.0f}%" if each >= 0.005 * whole else " <1%"
                axes.text(each, place, share, va="center", fontsize=fontsize)
    axes.set_axisbelow(True)
    axes.grid(axis="y", visible=False)
    axes.tick_params(axis="y", length=0)
    axes.margins(x=0.25)  # room for the shares
    axes.xaxis.set_major_locator(MaxNLocator(3))
    axes.xaxis.set_major_formatter("{x:,g}")
    if len(panels) > 1 or panels[0] in (_PREDICTED, _MEASURED):
        axes.set_xlabel("time (ms)")
        axes.legend(loc="lower right", fontsize=9)
    else:
        axes.set_xlabel(panels[0].label)
