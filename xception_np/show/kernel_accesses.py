"""What CUDA kernels ask of memory: line by line, and thread by thread."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from xception_np.emulator import Access, LineUse, Report
from xception_np.emulator.report import SECTOR, WARP
from xception_np.emulator.source import body
from xception_np.errors import InputError
from xception_np.show.style import COLOURS, styled

_WIDTH, _ROW, _MAP = 17.0, 0.18, 1.35  # inches
_ABOVE = 3  # rows for the kernel's name and the columns'
_CHARACTERS = 94  # of a source line that are shown
_MOST_BANDS = 80  # sectors that can be told apart


class _Column(NamedTuple):
    """A number of a line's use of a buffer, None where it has none; its colour runs from white, at `low`, to `high`."""

    label: str
    number: Callable[[LineUse, list[Access]], float | None]
    colours: str
    low: float
    high: float | None  # the largest, if it is None


_COLUMNS = (
    _Column("bytes asked,\nblock 0", lambda _, accesses: sum(each.size for each in accesses), "Blues", 0, None),
    _Column(
        "different,\nblock 0", lambda _, accesses: sum({each.offset: each.size for each in accesses}.values()), "Blues", 0, None
    ),
    _Column("sectors a\nrequest", lambda use, _: None if use.least_passes else use.sectors_per_request, "Oranges", 1, WARP),
    _Column("bank\nconflicts", lambda use, _: use.bank_conflicts if use.least_passes else None, "Oranges", 1, 8),
)


def kernel_accesses(launches: Sequence[tuple[Report, Sequence[str]]], title: str) -> Figure:
    """For every launch its source, with what each line asks for beside it, and which thread of a warp touches what.

    Bytes are those of the traced block, requests and conflicts those of all blocks. The maps have a point where a lane of the
    block's first warp reads (the darker, the more often) or writes.

    Parameters
    ----------
    launches : sequence of (Report, lines of the source file)
        What `emulator.check(..., trace=0)` reported, and the lines of the `.cu` file.
    title : str

    Raises
    ------
    InputError
        If there are no launches.
    """
    if not launches:
        raise InputError("no kernel was launched, so there is nothing to draw; expected a pass that launches one")
    parts = [(report, _rows(report, source), _touched(report)) for report, source in launches]
    heights = [max(_ROW * (_ABOVE + len(rows)), _MAP * -(-len(touched) // 2)) + 0.4 for _, rows, touched in parts]
    with styled():
        figure = Figure(figsize=(_WIDTH, sum(heights) + 0.6), layout="constrained")
        figure.suptitle(title)
        places = figure.subfigures(len(parts), 1, height_ratios=heights, squeeze=False)[:, 0]
        for place, height, (report, rows, touched) in zip(places, heights, parts, strict=True):
            left, right = place.subfigures(1, 2, width_ratios=(10, 6))
            _draw_source(left.subplots(), report, rows, height / _ROW)
            if touched:
                maps = right.subplots(-(-len(touched) // 2), 2, sharex=True, squeeze=False).ravel()
                for axes, buffer in zip(maps, touched, strict=False):
                    _draw_map(axes, report, buffer)
                for axes in maps[len(touched) :]:
                    axes.set_axis_off()
                right.supxlabel("thread of the first warp", fontsize=9)
    return figure


class _Row(NamedTuple):
    """A source line, and one of the things that it asks for, if any; a line that asks for more has more rows."""

    line: int
    text: str
    use: LineUse | None


def _rows(report: Report, source: Sequence[str]) -> list[_Row]:
    """The kernel's own lines, and others that asked for something."""
    first, last = body("\n".join(source), report.kernel)
    found = []
    for line in sorted({*range(first, last + 1), *(use.line for use in report.lines if use.line)}):
        text = source[line - 1].rstrip()
        text = text if len(text) <= _CHARACTERS else f"{text[: _CHARACTERS - 3]}..."
        found += [_Row(line, "" if k else text, use) for k, use in enumerate(report.at(line) or [None])]
    return found


def _draw_source(axes, report: Report, rows: Sequence[_Row], height: float) -> None:
    """The text to the left of 0, a column of numbers at each whole number to the right."""
    axes.set_xlim(-9.5, len(_COLUMNS))
    axes.set_ylim(height - _ABOVE, -_ABOVE)
    axes.axis("off")
    axes.text(-9.5, -2.9, f"{report.kernel} of {report.file}", va="top", fontsize=10, weight="bold")
    axes.text(-9.5, -1.6, f"grid {report.grid}, block {report.block}: {report.counts}", va="top", fontsize=8)
    wrong = {finding.line: finding for finding in report.findings}
    for place, row in enumerate(rows):
        colour = COLOURS["orange"] if row.line in wrong else "black"
        number = f"{row.line:4d}  " if row.text or not row.use else ""
        said = f"{number}{row.text}  <- {wrong[row.line].kind}" if row.text and row.line in wrong else number + row.text
        axes.text(-9.5, place + 0.5, said, family="monospace", fontsize=7.3, va="center", color=colour)
        if row.use:
            axes.text(-0.08, place + 0.5, f"{row.use.access} {row.use.buffer}", fontsize=7.5, va="center", ha="right")
    place = 0
    for column in _COLUMNS:
        numbers = [None if row.use is None else column.number(row.use, _accesses(report, row.use)) for row in rows]
        if any(number is not None for number in numbers):
            _draw_column(axes, place, column, numbers)
            place += 1


def _draw_column(axes, place: int, column: _Column, numbers: Sequence[float | None]) -> None:
    axes.text(place + 0.5, -0.1, column.label, fontsize=7.5, ha="center", va="bottom")
    high = column.high or max((number for number in numbers if number is not None), default=0)
    for row, number in enumerate(numbers):
        if number is not None:
            part = np.clip((number - column.low) / max(high - column.low, 1e-9), 0, 1)
            colour = colormaps[column.colours](0.65 * part)  # light enough for black print
            axes.add_patch(
                Rectangle((place + 0.03, row + 0.05), 0.94, 0.9, facecolor=colour, edgecolor=COLOURS["grey"], linewidth=0.3)
            )
            text = f"{number:,}" if isinstance(number, int) else f"{number:.3g}"
            axes.text(place + 0.5, row + 0.5, text, fontsize=7, ha="center", va="center")


def _draw_map(axes, report: Report, buffer: str) -> None:
    """Lanes across, numbers of the buffer upwards, with a stripe for every second sector."""
    mine = [each for each in report.accesses if each.buffer == buffer and each.thread < WARP]
    itemsize = min(each.size for each in mine)
    reads = Counter((each.thread, each.offset // itemsize) for each in mine if each.access == "read")
    writes = {(each.thread, each.offset // itemsize) for each in mine if each.access != "read"}
    places = [place for _, place in (*reads, *writes)]
    low, high, in_sector = min(places), max(places), max(1, SECTOR // itemsize)
    if (high - low) / in_sector <= _MOST_BANDS:
        for start in range(low // in_sector * in_sector, high + 1, 2 * in_sector):
            axes.axhspan(start - 0.5, start + in_sector - 0.5, color=COLOURS["grey"], alpha=0.13, linewidth=0)
    size = float(np.clip(700 / (high - low + 1), 5, 16))
    if reads:
        lanes, numbers = zip(*reads, strict=True)
        often = np.array(list(reads.values()))
        axes.scatter(lanes, numbers, s=size, c=often, cmap="Blues", vmin=-often.max(), vmax=often.max(), marker="s", linewidths=0)
    if writes:
        axes.scatter(*zip(*writes, strict=True), s=size, color=COLOURS["orange"], marker="s", linewidths=0)
    words = [*(["read"] if reads else []), *(["written"] if writes else [])]
    most = f", up to {max(reads.values())} times a thread" if reads and max(reads.values()) > 1 else ""
    axes.set_title(f"{buffer}: {' and '.join(words)}{most}", fontsize=9)
    axes.set_xlim(-0.7, WARP - 0.3)
    axes.set_ylim(low - 0.5 - 0.02 * (high - low), high + 0.5 + 0.02 * (high - low))
    axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))
    axes.tick_params(labelsize=8)
    axes.grid(visible=False)
    axes.set_ylabel("number", fontsize=9)


def _touched(report: Report) -> list[str]:
    """Buffers that the first warp of the traced block touched."""
    return list(dict.fromkeys(each.buffer for each in report.accesses if each.thread < WARP))


def _accesses(report: Report, use: LineUse) -> list[Access]:
    return [each for each in report.accesses if (each.line, each.buffer, each.access) == (use.line, use.buffer, use.access)]
