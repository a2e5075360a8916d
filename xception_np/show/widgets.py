"""Pictures that move: a slider beside a figure, for JupyterLab (extra `notebooks`).

Every widget in a notebook has a static twin, a figure that is saved with it, for pages that run nothing.
"""

import io
from collections.abc import Callable, Sequence

from matplotlib.figure import Figure


def slider(name: str, values: Sequence, draw: Callable[..., Figure], says: Callable[..., str] | None = None, start=None):
    """A slider over values, and the figure of the one that is chosen.

    Parameters
    ----------
    name : str
        What stands before the slider.
    values : sequence
    draw : callable
        value -> figure. Each is drawn once.
    says : callable, optional
        value -> a line of text above the figure.
    start : optional
        The first value shown; by default the first of all.

    Returns
    -------
    ipywidgets.VBox
    """
    import ipywidgets

    class Slider(ipywidgets.VBox):
        def __repr__(self):  # what a page shows that runs no widgets
            return "A slider, where this notebook is run; the next figure shows the same without one."

    drawn: dict = {}
    picture = ipywidgets.Image(format="png", layout=ipywidgets.Layout(max_width="100%"))
    text = ipywidgets.HTML()
    choice = ipywidgets.SelectionSlider(
        options=list(values),
        value=values[0] if start is None else start,
        description=name,
        continuous_update=False,
        style={"description_width": "initial"},
        layout=ipywidgets.Layout(width="60%"),
    )

    def show(change=None) -> None:
        value = choice.value
        if value not in drawn:
            drawn[value] = _png(draw(value)), says(value) if says else ""
        picture.value, text.value = drawn[value]

    choice.observe(show, "value")
    show()
    return Slider([choice, text, picture])


def _png(figure: Figure) -> bytes:
    file = io.BytesIO()
    figure.savefig(file, format="png")
    return file.getvalue()
