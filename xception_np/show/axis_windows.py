"""Where windows lie along one axis of an image, padding included."""

from collections.abc import Sequence

from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from xception_np.geometry import Geometry
from xception_np.show.style import COLOURS, styled


def axis_windows(rules: Sequence[tuple[str, Geometry, int]], title: str) -> Figure:
    """For each rule the positions of an axis, padding in grey, and below them every window.

    Parameters
    ----------
    rules : (name, geometry, size) triples
        The geometry's horizontal numbers are drawn, for an image that is so wide.
    title : str
    """
    drawn = [_axis(geometry, size) for _, geometry, size in rules]
    with styled():
        figure = Figure(figsize=(11, 0.6 + sum(0.85 + 0.17 * len(starts) for _, starts in drawn)), layout="constrained")
        panels = figure.subplots(len(rules), 1, squeeze=False, sharex=True, height_ratios=[3 + len(starts) for _, starts in drawn])
        for axes, (name, geometry, size), (pads, starts) in zip(panels[:, 0], rules, drawn, strict=True):
            _positions(axes, size, pads)
            for row, start in enumerate(starts):
                place = start - 0.45, -1.2 - 0.55 * row
                axes.add_patch(Rectangle(place, geometry.extent[1] - 0.1, 0.35, facecolor=COLOURS["blue"], edgecolor="none"))
            axes.set_ylim(-1.2 - 0.55 * len(starts), 0.6)
            axes.set_title(f"{name}: padding {pads[0]} before, {pads[1]} after; {len(starts)} windows", loc="left", fontsize=10.5)
            axes.set_axis_off()
        first = max(pads[0] for pads, _ in drawn)
        end = max(size + pads[1] for (_, _, size), (pads, _) in zip(rules, drawn, strict=True))
        panels[0, 0].set_xlim(-first - 0.5, end - 0.5)
        figure.suptitle(title)
    return figure


def _axis(geometry: Geometry, size: int) -> tuple[tuple[int, int], list[int]]:
    """((before, after), first position of every window)."""
    height = geometry.extent[0]  # tall enough for one row of windows
    before, after = geometry.pads(height, size)[1]
    return (before, after), [o * geometry.stride[1] - before for o in range(geometry.output_size(height, size)[1])]


def _positions(axes, size: int, pads: tuple[int, int]) -> None:
    for position in range(-pads[0], size + pads[1]):
        inside = 0 <= position < size
        colour = COLOURS["yellow"] if inside else "#CCCCCC"
        axes.add_patch(Rectangle((position - 0.45, -0.45), 0.9, 0.9, facecolor=colour, edgecolor="none"))
        axes.text(position, 0, str(position) if inside else "pad", ha="center", va="center", fontsize=9)
