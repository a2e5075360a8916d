"""The look of all pictures: colours that colour-blind readers can tell apart, readable at a notebook's width."""

import matplotlib

# Okabe and Ito, "Color Universal Design" (2008)
COLOURS = {"blue": "#0072B2", "orange": "#D55E00", "green": "#009E73", "yellow": "#E69F00", "grey": "#777777"}


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
        }
    )
