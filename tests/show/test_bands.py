"""Lines with bands, and rows of pictures."""

import numpy as np

from experiments.summary import Line
from xception_np.show import bands, picture_rows, rank_errors


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


def test_rows_of_pictures_have_names(tmp_path):
    pictures = np.arange(2 * 4 * 4 * 3, dtype=np.uint8).reshape(2, 4, 4, 3)
    figure = picture_rows({"two": pictures, "one": pictures[:1]}, "pictures")
    assert [axes.get_title(loc="left") for axes in figure.axes[::2]] == ["two", "one"]
    assert [len(axes.images) for axes in figure.axes] == [1, 1, 1, 0]
    np.testing.assert_array_equal(figure.axes[1].images[0].get_array(), pictures[1])
    figure.savefig(tmp_path / "rows.png")


def test_there_are_no_ticks_between_whole_places():
    line = Line(np.array([1.0, 2.0, 3.0]), np.ones((3, 2)))
    axes = bands({"a": line}, "epoch", "accuracy (%)", "a figure").axes[0]
    assert all(float(tick).is_integer() for tick in axes.get_xticks())
    line = Line(np.array([0.0, 0.25, 1.0]), np.ones((3, 2)))
    assert not all(float(tick).is_integer() for tick in bands({"a": line}, "knob", "", "").axes[0].get_xticks())


def test_many_series_look_different():
    names = [str(number) for number in range(42)]
    figure = rank_errors({name: [0.5, 0.25] for name in names}, "42 kernels")
    assert len({(line.get_color(), line.get_marker()) for line in figure.axes[0].lines}) == len(names)
