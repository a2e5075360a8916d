"""Which check notices which bug."""

from collections.abc import Sequence
from textwrap import fill

import numpy as np
from matplotlib.figure import Figure

from xception_np.show.style import COLOURS, styled


def verdicts(bugs: Sequence[str], checks: Sequence[str], caught: np.ndarray, title: str) -> Figure:
    """A table of dots: full where a check (column) notices a bug (row), hollow where it does not.

    Parameters
    ----------
    bugs, checks : names of the rows and of the columns
    caught : (bugs, checks) array of bool
    title : str
    """
    with styled():
        figure = Figure(figsize=(9, 1.6 + 0.36 * len(bugs)), layout="constrained")
        axes = figure.subplots()
        for seen, face, label in ((True, COLOURS["blue"], "noticed"), (False, "white", "not noticed")):
            rows, columns = np.nonzero(caught == seen)
            edge = COLOURS["blue" if seen else "orange"]
            axes.scatter(columns, rows, s=130, facecolors=face, edgecolors=edge, linewidths=1.8, label=label, zorder=3)
        axes.set_xticks(range(len(checks)), [fill(name, 12) for name in checks], fontsize=10)
        axes.set_yticks(range(len(bugs)), bugs)
        axes.set_xlim(-0.5, len(checks) - 0.5)
        axes.set_ylim(len(bugs) - 0.5, -0.5)  # the first bug on top
        axes.tick_params(length=0, labeltop=True, labelbottom=False)
        axes.spines[:].set_visible(False)
        figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=2, fontsize=10)
        figure.suptitle(title)
    return figure
