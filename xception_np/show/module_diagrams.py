"""A module as boxes and arrows, drawn from the words of its table."""

from collections.abc import Mapping
from typing import NamedTuple

from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from xception_np.errors import InputError
from xception_np.models.table import Conv, Mean, Pool, Relu, Towers
from xception_np.show.style import COLOURS, styled

_WIDTH = 3.0  # of a diagram without towers; each tower of another is 1 wide, and each row of boxes 1 high
_HEIGHT = 0.5  # of a box
_GAP = 0.12  # between boxes side by side
_POOL = "#CCCCCC"


class _Box(NamedTuple):
    """One convolution or pool; ReLUs are part of it, as in the paper's drawings."""

    text: str
    colour: str
    segments: int
    rectified: bool


def module_diagrams(modules: Mapping[str, tuple], title: str) -> Figure:
    """Modules side by side, input below and output above, as the paper draws them.

    A convolution in S segments is S boxes. A dark line on top of a box is the ReLU after it.

    Parameters
    ----------
    modules : words of tables by name
        Such as `models.modules.figure_2(3, 64)`.
    title : str
    """
    drawings = {name: _paths(words) for name, words in modules.items()}
    rows = max(max(map(len, paths)) for paths in drawings.values())
    with styled():
        figure = Figure(figsize=(11, 1.5 + 0.55 * rows), layout="constrained")
        panels = figure.subplots(1, len(modules), width_ratios=list(map(_width, drawings.values())), squeeze=False)
        for axes, (name, paths) in zip(panels[0], drawings.items(), strict=True):
            _diagram(axes, paths, rows)
            axes.set_title(name, fontsize=11)
        figure.suptitle(title)
    return figure


def _paths(words: tuple) -> list[list[_Box]]:
    """The boxes of every tower, from the input up; one path where there are no towers."""
    match words:
        case (Towers(towers),):
            return [_boxes(tower.rows) for tower in towers]
        case _:
            return [_boxes(words)]


def _boxes(words: tuple) -> list[_Box]:
    boxes: list[_Box] = []
    for word in words:
        match word:
            case Conv(_, kernel, _, _, segments):
                colour = COLOURS["yellow"] if kernel == 1 else COLOURS["sky"]
                boxes.append(_Box(_kernel(kernel), colour, segments, False))
            case Pool():
                boxes.append(_Box("max", _POOL, 1, False))
            case Mean():
                boxes.append(_Box("avg", _POOL, 1, False))
            case Relu() if boxes:
                boxes[-1] = boxes[-1]._replace(rectified=True)
            case _:
                raise InputError(f"word is {word!r}; expected Conv, Pool or Mean, and Relu after one of them")
    return boxes


def _kernel(kernel) -> str:
    height, width = (kernel, kernel) if isinstance(kernel, int) else kernel
    return f"{height}x{width}"


def _width(paths: list[list[_Box]]) -> float:
    return max(len(paths), _WIDTH)


def _diagram(axes, paths: list[list[_Box]], rows: int) -> None:
    width, top = _width(paths), rows + 1
    share = width / len(paths)
    for k, path in enumerate(paths):
        left = k * share
        below = [left + share / 2]
        for row, box in enumerate(path, start=1):
            below = _draw(axes, box, left, share, row, below)
        for centre in below:
            _arrow(axes, (centre, len(path) + _HEIGHT / 2), (centre, top - 0.3))
    many = len(paths) > 1 or paths[0][-1].segments > 1
    axes.text(width / 2, 0, "input", ha="center", va="center")
    axes.text(width / 2, top, "concat" if many else "output", ha="center", va="center")
    axes.set_xlim(0, width)
    axes.set_ylim(-0.3, top + 0.3)
    axes.set_axis_off()


def _draw(axes, box: _Box, left: float, share: float, row: int, below: list[float]) -> list[float]:
    """The boxes of one convolution, with arrows from what is below; returns their centres."""
    each = share / box.segments
    centres = [left + (segment + 0.5) * each for segment in range(box.segments)]
    for centre in centres:
        start, width = centre - (each - _GAP) / 2, each - _GAP
        bottom = row - _HEIGHT / 2
        axes.add_patch(Rectangle((start, bottom), width, _HEIGHT, facecolor=box.colour, edgecolor="none"))
        axes.text(centre, row, box.text, ha="center", va="center", fontsize=10 if each > 0.7 else 8)
        if box.rectified:
            axes.plot((start, start + width), (bottom + _HEIGHT,) * 2, color="black", linewidth=2.5, solid_capstyle="butt")
    for x in max(below, centres, key=len):
        _arrow(axes, (x, row - 1 + (_HEIGHT / 2 if row > 1 else 0.3)), (x, row - _HEIGHT / 2))
    return centres


def _arrow(axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    axes.annotate("", end, start, arrowprops={"arrowstyle": "->", "color": COLOURS["grey"], "shrinkA": 0, "shrinkB": 0})
