"""What layers reach of what a machine allows."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from xception_np.cost import Line, Machine, predict
from xception_np.ops import spec
from xception_np.ops.spec import Cost
from xception_np.show.style import logarithmic, looks, styled


def roofline(
    lines: Sequence[Line],
    machine: Machine,
    title: str,
    measured: Mapping[str, float] | None = None,
    training: bool = False,
) -> Figure:
    """Every operation as a point under the machine's roof: the speed it reaches, over its multiply-adds per byte.

    What multiplies nothing, such as batch normalisation, stands beside it: bytes a second, over the bytes it moves.

    Parameters
    ----------
    lines : what `cost.count` returned
    machine : cost.Machine
    title : str
    measured : seconds by the names of lines, optional
        What `cost.time_layers` returned; the points are where `cost.predict` puts them otherwise.
    training : bool
        Whether the times are those of a training step, forward and backward.
    """
    seconds = predict(lines, machine, training) if measured is None else measured
    how = "predicted" if measured is None else "measured"
    work = {line.name: spec.total(line.passes(training)) for line in lines}
    products = [line for line in lines if work[line.name].macs]
    others = [line for line in lines if not work[line.name].macs and work[line.name].bytes_moved]
    with styled():
        figure = Figure(figsize=(11, 5.2), layout="constrained")
        left, right = figure.subplots(1, 2, width_ratios=(3, 2))
        _points(left, products, work, seconds, lambda cost: cost.intensity, lambda cost: cost.macs / 1e9)
        _roof(left, machine)
        left.set_xlabel("multiply-adds per byte moved")
        left.set_ylabel(f"GMAC/s, {how}")
        _points(right, others, work, seconds, lambda cost: cost.bytes_moved / 2**20, lambda cost: cost.bytes_moved / 1e9)
        right.axhline(machine.bandwidth / 1e9, color="black", label=f"memory: {machine.bandwidth / 1e9:.1f} GB/s")
        right.set_xlabel("moved (MiB), where nothing is multiplied")
        right.set_ylabel(f"GB/s, {how}")
        right.set_ylim(bottom=0)
        right.set_xscale("log")
        logarithmic(right.xaxis)
        for axes in (left, right):
            axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.14), ncols=3, fontsize=9)
        figure.suptitle(title)
    return figure


def _points(axes, lines: Sequence[Line], work: Mapping[str, Cost], seconds: Mapping[str, float], place, amount) -> None:
    """A point for each line, a colour and a marker for each kind."""
    for kind, (colour, marker) in zip(dict.fromkeys(line.kind for line in lines), looks(), strict=False):
        names = [line.name for line in lines if line.kind == kind]
        places = [place(work[name]) for name in names]
        speeds = [amount(work[name]) / seconds[name] for name in names]
        axes.plot(places, speeds, marker, color=colour, label=kind, markersize=7, alpha=0.75, markeredgewidth=0)


def _roof(axes, machine: Machine) -> None:
    """The lesser of what memory and what the multipliers allow."""
    axes.set_xscale("log")
    axes.set_yscale("log")
    low, high = axes.get_xlim()
    places = np.geomspace(min(low, machine.ridge / 4), max(high, machine.ridge * 4), 200)
    roof = np.minimum(machine.peak, machine.bandwidth * places) / 1e9
    label = f"machine: {machine.peak / 1e9:.0f} GMAC/s, {machine.bandwidth / 1e9:.1f} GB/s"
    axes.plot(places, roof, color="black", label=label)
    logarithmic(axes.xaxis)
    logarithmic(axes.yaxis)
