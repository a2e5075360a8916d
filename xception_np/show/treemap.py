"""Where in networks a quantity is: rectangles whose areas are shares of the whole."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle
from matplotlib.patheffects import withStroke
from squarify import squarify

from xception_np.cost import Line
from xception_np.show.style import COLOURS, styled

_COLOURS = {
    "regular": COLOURS["green"],
    "pointwise": COLOURS["blue"],
    "pointwise, strided": COLOURS["sky"],
    "depthwise": COLOURS["orange"],
    "dense": COLOURS["yellow"],
    "grouped": COLOURS["purple"],
}
_GREY = COLOURS["grey"]
_UNITS = {"parameters": "parameters", "macs": "multiply-adds"}
_LETTER = 0.022, 0.06  # room for a letter, as parts of a panel's width and height


class _Place(NamedTuple):
    x: float
    y: float
    width: float
    height: float


def treemap(networks: Mapping[str, Sequence[Line]], quantities: Sequence[str], title: str) -> Figure:
    """A square for each network (column) and quantity (row), cut into modules, and each module into its operations.

    Areas are shares of the network's total, which stands above; colours are kinds of layer. Modules are named where there is room.

    Parameters
    ----------
    networks : what `cost.count` returned, by the names of the networks
    quantities : "parameters", "macs" or both
    title : str
    """
    with styled():
        figure = Figure(figsize=(9.5, 0.9 + 3.5 * len(quantities)), layout="constrained")
        grid = figure.subplots(len(quantities), len(networks), squeeze=False)
        kinds: dict[str, None] = {}  # in their order
        for row, quantity in zip(grid, quantities, strict=True):
            for axes, (name, lines) in zip(row, networks.items(), strict=True):
                numbers = {line: getattr(line.cost, quantity) for line in lines if getattr(line.cost, quantity)}
                kinds |= dict.fromkeys(line.kind for line in numbers)
                _draw(axes, numbers)
                axes.set_title(f"{name}\n{sum(numbers.values()):,} {_UNITS[quantity]}", fontsize=10)
        handles = [Patch(color=colour, label=kind) for kind, colour in _COLOURS.items() if kind in kinds]
        others = ", ".join(kind for kind in kinds if kind not in _COLOURS)
        handles += [Patch(color=_GREY, label=others)] * bool(others)
        figure.legend(handles=handles, loc="outside lower center", ncols=len(handles), fontsize=10)
        figure.suptitle(title, fontsize=12)
    return figure


def _draw(axes, numbers: Mapping[Line, float]) -> None:
    axes.set_axis_off()
    axes.set_aspect("equal")
    axes.set_xlim(0, 1)
    axes.set_ylim(1, 0)  # the largest on top, at the left
    modules: dict[str, dict[Line, float]] = {}
    for line, number in numbers.items():
        modules.setdefault(line.module, {})[line] = number
    totals = {module: sum(inside.values()) for module, inside in modules.items()}
    for module, place in _cut(totals, _Place(0, 0, 1, 1)):
        for line, inner in _cut(modules[module], place):
            colour = _COLOURS.get(line.kind, _GREY)
            axes.add_patch(Rectangle(inner[:2], *inner[2:], facecolor=colour, edgecolor="white", linewidth=0.4))
        axes.add_patch(Rectangle(place[:2], *place[2:], fill=False, edgecolor="white", linewidth=2))
        _write(axes, module, place)


def _cut(numbers: Mapping[Any, float], place: _Place) -> Iterator[tuple[Any, _Place]]:
    """Rectangles that fill a place, the largest first, each as near to a square as it can be."""
    scale = place.width * place.height / sum(numbers.values())
    largest = sorted(numbers, key=numbers.__getitem__, reverse=True)
    for name, found in zip(largest, squarify([scale * numbers[name] for name in largest], *place), strict=True):
        yield name, _Place(found["x"], found["y"], found["dx"], found["dy"])


def _write(axes, text: str, place: _Place) -> None:
    """The module's name in the middle of its place; upright where only that fits."""
    length, height = _LETTER[0] * len(text), _LETTER[1]
    upright = place.width < length
    across, along = (place.height, place.width) if upright else (place.width, place.height)
    if across >= length and along >= height:
        middle = place.x + place.width / 2, place.y + place.height / 2
        shadow = [withStroke(linewidth=2, foreground="black", alpha=0.6)]
        look = {"color": "white", "fontsize": 8.5, "rotation": 90 if upright else 0, "path_effects": shadow}
        axes.text(*middle, text, ha="center", va="center", **look)
