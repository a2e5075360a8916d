"""The times as bars: a panel a subject, a bar a contender, whiskers from the fastest turn to the slowest; a spectrum as lines."""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from benchmarks.in_turn import Result
from xception_np.commands.output import save_figure

# Okabe and Ito's, which the colour-blind can tell apart
COLOURS = {"xception_np": "#0072b2", "torch": "#e69f00", "torch.nchw": "#009e73", "blas": "#999999"}
OTHER = "#e69f00"


def save(results: dict[str, dict[str, Result]], path: Path) -> None:
    """Draw all subjects into a PNG file."""
    spectra: dict[str, dict[str, dict[str, Result]]] = {}
    panels: dict[str, dict[str, Result]] = {}
    for subject, times in results.items():
        if subject.startswith("convolution/"):
            rest, _, segments = subject.rpartition("/")
            spectra.setdefault(rest, {})[segments] = times
        else:
            panels[subject] = times
    for rest in [rest for rest, found in spectra.items() if len(found) == 1]:  # one convolution is no line
        panels |= {f"{rest}/{segments}": times for segments, times in spectra.pop(rest).items()}
    heights = [0.6 + 0.35 * len(times) for times in panels.values()] + [3.5] * len(spectra)
    figure = Figure(figsize=(8, sum(heights) + 0.5 * len(heights)), dpi=150, layout="constrained")
    axes = figure.subplots(len(heights), 1, height_ratios=heights, squeeze=False)
    for axis, (subject, times) in zip(axes[:, 0], panels.items(), strict=False):
        _bars(axis, subject, times)
    for axis, (rest, found) in zip(axes[len(panels) :, 0], spectra.items(), strict=True):
        _lines(axis, rest, found)
    save_figure(figure, path)


def _bars(axis, subject: str, times: dict[str, Result]) -> None:
    names = list(times)
    medians = [1e3 * result.median for result in times.values()]
    low = [1e3 * (result.median - result.fastest) for result in times.values()]
    high = [1e3 * (result.slowest - result.median) for result in times.values()]
    axis.barh(
        names, medians, xerr=(low, high), color=[COLOURS.get(name, OTHER) for name in names], error_kw={"lw": 1, "capsize": 2}
    )
    for y, (name, median) in enumerate(zip(names, medians, strict=True)):
        axis.annotate(
            f"{median:,.4g}" + ("" if name == names[0] else f"   {times[name].times_first:.2f} x"),
            (1e3 * times[name].slowest, y),
            xytext=(6, 0),
            textcoords="offset points",
            va="center",
            fontsize=8,
        )
    axis.margins(x=0.2)
    axis.invert_yaxis()
    axis.set_title(subject, loc="left", fontsize=9)
    axis.set_xlabel("milliseconds: median, fastest to slowest", fontsize=8)
    axis.spines[["top", "right"]].set_visible(False)


def _lines(axis, rest: str, found: dict[str, dict[str, Result]]) -> None:
    segments = [int(number) for number in found]
    for name in dict.fromkeys(name for times in found.values() for name in times):
        medians = [1e3 * times[name].median if name in times else np.nan for times in found.values()]
        axis.plot(segments, medians, "o-", label=name, color=COLOURS.get(name), markersize=4)
    axis.set_xscale("log", base=2)
    axis.set_yscale("log")
    axis.set_xticks(segments, [str(number) for number in segments], fontsize=7)
    axis.minorticks_off()
    axis.set_xlabel("segments, from regular to depthwise", fontsize=8)
    axis.set_ylabel("milliseconds", fontsize=8)
    axis.set_title(f"{rest}, forward and backward", loc="left", fontsize=9)
    axis.legend(frameon=False, fontsize=8)
    axis.spines[["top", "right"]].set_visible(False)
