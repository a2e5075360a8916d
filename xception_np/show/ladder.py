"""What each improvement gained."""

from collections.abc import Mapping
from itertools import pairwise

from matplotlib.figure import Figure

from xception_np.show.style import COLOURS, logarithmic, styled


def ladder(seconds: Mapping[str, float], title: str) -> Figure:
    """A point for each rung, from the first to the last, with its time and how many times as fast it is as the rung above.

    Parameters
    ----------
    seconds : for each rung its time
    title : str
    """
    times = [1e3 * value for value in seconds.values()]
    gains = ["", *(f"   {above / below:.2f} × as fast" for above, below in pairwise(times))]
    with styled():
        figure = Figure(figsize=(9.5, 1.5 + 0.45 * len(times)), layout="constrained")
        axes = figure.subplots()
        axes.plot(times, range(len(times)), "o-", color=COLOURS["blue"], markersize=8)
        for row, (time, gain) in enumerate(zip(times, gains, strict=True)):
            beside = axes.annotate(f"{time:.3g} ms{gain}", (time, row), (12, 0), textcoords="offset points", va="center")
            beside.set_bbox({"facecolor": "white", "edgecolor": "none", "pad": 1})  # readable on the line
        axes.set_yticks(range(len(times)), list(seconds))
        axes.set_ylim(len(times) - 0.5, -0.5)  # the first rung on top
        axes.set_xscale("log")
        axes.set_xlim(0.7 * min(times), 4 * max(times))  # room for the numbers
        logarithmic(axes.xaxis)
        axes.set_xlabel("time (ms)")
        axes.set_title(title, fontsize=12)
    return figure
