"""The look of all pictures: colours that colour-blind readers can tell apart, readable at a notebook's width."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import cycle

import matplotlib
from matplotlib.ticker import LogLocator, NullFormatter

# Okabe and Ito, "Color Universal Design" (2008)
COLOURS = {
    "blue": "#0072B2",
    "orange": "#D55E00",
    "green": "#009E73",
    "yellow": "#E69F00",
    "purple": "#CC79A7",
    "sky": "#56B4E9",
    "grey": "#777777",
}
_LETTER = 0.65  # width of a bold letter, in parts of its size
_MARKERS = "osD^vP"  # one less than the colours: it takes 42 series until both repeat


def styled():
    """A `with` block whose pictures have the project's look; the user's own settings come back after it."""
    return matplotlib.rc_context(
        {
            "axes.grid": True,
            "axes.spines.right": False,
            "axes.spines.top": False,
            "figure.dpi": 110,
            "font.size": 11,
            "grid.alpha": 0.3,
            "legend.frameon": False,
            "text.parse_math": False,  # names of classes and folders are as they are
        }
    )


def letter_size(texts: Iterable[str], inches: float, largest: float) -> float:
    """Points of letters, at most `largest`, so that the longest text is no wider than so many inches, even if it is bold."""
    longest = max(map(len, texts), default=0)
    return min(largest, 72 * inches / (_LETTER * max(longest, 1)))


def looks() -> Iterator[tuple[str, str]]:
    """Colours and markers for series, without an end, and of the first 42 no two alike."""
    return zip(cycle(COLOURS.values()), cycle(_MARKERS), strict=False)


def in_rows(axes, names: Sequence[str]) -> None:
    """Rows of bars from top to bottom, each with its name, and room for a number at its end."""
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_axisbelow(True)
    axes.grid(axis="y", visible=False)
    axes.tick_params(axis="y", length=0)
    axes.margins(x=0.1)


def logarithmic(axis) -> None:
    """Powers of ten, and their doubles and halves, written as plain numbers."""
    axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.set_major_formatter("{x:g}")
    axis.set_minor_formatter(NullFormatter())
