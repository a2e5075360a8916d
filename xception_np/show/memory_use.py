"""What a kernel asked of memory, as the emulator saw it."""

from collections.abc import Sequence

from matplotlib.figure import Figure

from xception_np.emulator import Report
from xception_np.show.style import COLOURS, logarithmic, styled


def memory_use(reports: Sequence[Report], title: str) -> Figure:
    """For every kernel, and every array of it: bytes that all threads asked for, bytes that differ, and pieces of 32 a request.

    Parameters
    ----------
    reports : what `emulator.checking()` gave
    title : str
    """
    names, asked, unique, sectors = [], [], [], []
    for report in reports:
        for use in report.buffers.values():
            lines = [line for line in report.lines if line.buffer == use.name]
            requests = sum(line.requests for line in lines)
            verb = "writes" if use.asked_written else "reads"
            names.append(f"{report.kernel} {verb} {use.name}")
            asked.append((use.asked_read + use.asked_written) / 1024)
            unique.append((use.unique_read + use.unique_written) / 1024)
            sectors.append(sum(line.sectors for line in lines) / requests if requests else 0)
    places = range(len(names))
    with styled():
        figure = Figure(figsize=(9, 1.4 + 0.42 * len(names)), layout="constrained")
        left, right = figure.subplots(1, 2, sharey=True, width_ratios=(3, 2))
        left.barh([place - 0.2 for place in places], asked, 0.38, color=COLOURS["orange"], label="asked for by all threads")
        left.barh([place + 0.2 for place in places], unique, 0.38, color=COLOURS["blue"], label="different bytes")
        for place, (many, few) in enumerate(zip(asked, unique, strict=True)):
            left.text(many, place - 0.2, f" {many / few:.3g}x" if few else "", va="center", fontsize=9)
        left.set_xscale("log")
        logarithmic(left.xaxis)
        left.margins(x=0.15)
        left.set_xlabel("KiB")
        right.barh(places, sectors, 0.5, color=COLOURS["green"])
        right.axvline(4, color=COLOURS["grey"], linestyle="--", label="32 floats in a row")
        right.set_xlabel("pieces of 32 bytes a request")
        right.set_xlim(left=0)
        left.set_yticks(places, names)
        left.set_ylim(len(names) - 0.5, -0.5)  # the first on top
        for axes in (left, right):
            axes.grid(axis="y", visible=False)
            axes.set_axisbelow(True)
            axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.16), fontsize=9, ncols=2)
        figure.suptitle(title)
    return figure
