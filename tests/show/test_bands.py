"""Lines with bands."""

import numpy as np

from experiments.summary import Line
from xception_np.show import bands


def test_means_bands_and_every_value_are_drawn(tmp_path):
    line = Line(np.array([1.0, 2.0, 8.0]), np.array([[50.0, 60], [70, 70], [80, np.nan]]))
    references = {"chance": (np.array([1, 8]), np.array([10, 10]))}
    figure = bands({"a": line}, "S", "accuracy (%)", "a figure", references, doubling=True)
    axes = figure.axes[0]
    mean, dots, chance = axes.lines
    assert list(mean.get_ydata()) == [55, 70, 80] and len(dots.get_ydata()) == 6
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["a", "chance"]
    assert list(chance.get_ydata()) == [10, 10]
    low, high = axes.collections[0].get_paths()[0].get_extents().get_points()[:, 1]
    assert (low, high) == (50, 70)
    assert [text.get_text() for text in axes.get_xticklabels()] == ["1", "2", "8"]
    assert (axes.get_xlabel(), axes.get_ylabel(), axes.get_title()) == ("S", "accuracy (%)", "a figure")
    figure.savefig(tmp_path / "bands.png")
