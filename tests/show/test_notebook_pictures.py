"""The notebooks' pictures: that they show what they are given."""

import numpy as np
import pytest

from xception_np import cost, show
from xception_np.errors import InputError
from xception_np.geometry import Geometry
from xception_np.models import modules
from xception_np.models.table import Conv, Relu, Sep
from xception_np.show import Grid


def matrices(channels, *segments):
    return [(f"S = {s}", cost.connections(channels, s)) for s in segments]


def texts(axes):
    return [text.get_text() for text in axes.texts]


def test_connections_are_blue_where_a_filter_sees_a_channel(tmp_path):
    figure = show.connections(matrices(6, 1, 3, 6), "six channels")
    first, second, third = figure.axes
    assert [axes.get_title() for axes in figure.axes] == ["S = 1", "S = 3", "S = 6"]
    blue = first.images[0].get_array()[0, 0]
    seen = (np.asarray(second.images[0].get_array()) == blue).all(axis=-1)
    np.testing.assert_array_equal(seen, np.kron(np.eye(3), np.ones((2, 2))))
    assert (np.asarray(third.images[0].get_array()) == blue).all(axis=-1).sum() == 6
    assert (first.get_ylabel(), third.get_xlabel()) == ("input channel", "filter")
    figure.savefig(tmp_path / "connections.png")


def test_many_channels_share_cells():
    """728 are drawn as 182 cells of 4, none of which hides a connection."""
    seen = np.asarray(show.connections(matrices(728, 728), "").axes[0].images[0].get_array())
    assert seen.shape[:2] == (182, 182)
    assert (seen == seen[0, 0]).all(axis=-1).sum() == 182


def test_the_spectrum_shows_both_halves_and_their_sum(tmp_path):
    points = cost.spectrum((2, 5, 5, 12))
    figure = show.spectrum(points, matrices(12, 1, 4), "twelve channels", at=6)
    *squares, parameters, macs, moved, intensity = figure.axes
    assert len(squares) == 2
    spatial, pointwise, both, named, here = parameters.lines
    np.testing.assert_array_equal(both.get_data(), [[1, 2, 3, 4, 6, 12], [9 * 144 / s + 144 for s in (1, 2, 3, 4, 6, 12)]])
    np.testing.assert_array_equal(spatial.get_ydata() + np.array(pointwise.get_ydata()), both.get_ydata())
    assert list(named.get_xdata()) == [1, 3, 4, 12]
    assert list(here.get_xdata()) == [6, 6]
    assert list(macs.lines[2].get_ydata()) == [point.total.macs for point in points]
    assert list(moved.lines[0].get_ydata()) == [point.spatial.bytes_moved for point in points]
    assert list(intensity.lines[2].get_ydata()) == [point.total.intensity for point in points]
    assert [axes.get_title() for axes in (parameters, intensity)] == ["parameters", "multiply-adds per byte"]
    assert [text.get_text() for text in figure.subfigs[1].legends[0].get_texts()][-1] == "here"
    figure.savefig(tmp_path / "spectrum.png")
    assert len(show.spectrum(points, matrices(12, 1), "").axes[1].lines) == 4  # nothing is marked


def test_a_module_is_drawn_from_its_table(tmp_path):
    drawn = {
        "Figure 1": modules.figure_1(4),
        "Figure 3": modules.figure_3(3, 4),
        "Figure 4": modules.figure_4(5),
        "separable": (Conv(6, 3, segments=6), Conv(6, 1), Relu()),
        "in width and height": (Conv(4, (1, 7)), Conv(4, (7, 1))),
    }
    figure = show.module_diagrams(drawn, "modules")
    one, three, four, separable, factored = figure.axes
    assert [text for text in texts(one) if text] == ["1x1", "1x1", "3x3", "1x1", "3x3", "3x3", "avg", "1x1", "input", "concat"]
    assert len(one.lines) == 7  # the ReLUs: a pool has none
    assert [text for text in texts(three) if text] == ["1x1", "3x3", "3x3", "3x3", "input", "concat"]
    assert len(four.patches) == 6
    widths = [box.get_width() for box in four.patches]
    assert widths[0] > 5 * widths[1]
    assert [text for text in texts(separable) if text] == [*["3x3"] * 6, "1x1", "input", "output"]
    assert len(separable.lines) == 1
    assert [text for text in texts(factored) if text][:2] == ["1x7", "7x1"]
    figure.savefig(tmp_path / "modules.png")


def test_numbers_are_written_out_and_framed(tmp_path):
    numbers = np.array([[1.0, -2.0, np.nan], [-0.0, 0.25, 3.0]])
    grids = [Grid("x", numbers, (slice(0, 2), slice(1, 3))), Grid("y", numbers, (slice(0, 2, 1), slice(0, 3, 2)), ((1, 0), (0, 1)))]
    figure = show.number_grids([grids, grids], "numbers")
    assert len(figure.axes) == 4
    x, y = figure.axes[:2]
    assert texts(x) == ["1", "-2", "0", "0.25", "3"]
    assert [(box.get_xy(), box.get_width(), box.get_height()) for box in x.patches] == [((0.5, -0.5), 2, 2)]
    padding, frames = y.patches[:4], y.patches[4:]
    assert sorted(box.get_xy() for box in padding) == [(-0.5, -0.5), (0.5, -0.5), (1.5, -0.5), (1.5, 0.5)]
    assert len(frames) == 4  # every second column: each number has its own
    assert (x.get_title(), y.get_title()) == ("x", "y")
    figure.savefig(tmp_path / "numbers.png")


def test_windows_lie_where_geometry_puts_them(tmp_path):
    figure = show.axis_windows([("even", Geometry(3, 2), 8), ("odd", Geometry(3, 2), 7)], "a pool")
    even, odd = figure.axes
    assert texts(even) == [*map(str, range(8)), "pad"]
    assert texts(odd) == ["pad", *map(str, range(7)), "pad"]
    assert [bar.get_x() + 0.45 for bar in even.patches[9:]] == pytest.approx([0, 2, 4, 6])
    assert [bar.get_x() + 0.45 for bar in odd.patches[9:]] == pytest.approx([-1, 1, 3, 5])
    assert even.get_title(loc="left") == "even: padding 0 before, 1 after; 4 windows"
    figure.savefig(tmp_path / "windows.png")


def test_images_have_one_scale(tmp_path):
    images = np.arange(24.0).reshape(2, 3, 4)
    figure = show.image_rows([("above", images), ("below", -2 * images)], "images", unit="weight")
    *panels, bar = figure.axes
    assert [axes.get_ylabel() for axes in panels] == ["above", "", "below", ""]
    assert {axes.images[0].get_clim() for axes in panels} == {(-46, 46)}
    np.testing.assert_array_equal(panels[3].images[0].get_array(), -2 * images[1])
    assert bar.get_ylabel() == "weight"
    figure.savefig(tmp_path / "images.png")
    show.image_rows([("nothing", 0 * images)], "").savefig(tmp_path / "nothing.png")


def test_errors_are_drawn_over_the_rank(tmp_path):
    figure = show.rank_errors({"one": [0.5, 0.25, 0], "other": [0.8, 0.1, 0]}, "lost")
    [axes] = figure.axes
    one, other = axes.lines
    np.testing.assert_array_equal(one.get_data(), [[1, 2, 3], [50, 25, 0]])
    assert other.get_label() == "other"
    assert axes.get_ylabel() == "lost (% of the kernel's norm)"
    figure.savefig(tmp_path / "errors.png")


def test_a_slider_draws_what_is_chosen():
    pytest.importorskip("ipywidgets", reason="ipywidgets is not installed: pip install -e '.[notebooks]'")
    drawn = []

    def draw(value):
        drawn.append(value)
        return show.rank_errors({str(value): [value]}, "")

    slider = show.slider("value", (1, 2, 3), draw, lambda value: f"now {value}", start=2)
    choice, text, picture = slider.children
    assert (choice.description, text.value, drawn) == ("value", "now 2", [2])
    before = bytes(picture.value)
    assert before.startswith(b"\x89PNG")
    choice.value = 3
    assert (text.value, drawn) == ("now 3", [2, 3])
    assert bytes(picture.value) != before
    choice.value = 2
    assert (bytes(picture.value), drawn) == (before, [2, 3])  # each is drawn once
    assert repr(slider).startswith("A slider, where this notebook is run")


@pytest.mark.parametrize("words", [(Relu(), Conv(4)), (Sep(4),)])
def test_words_that_have_no_box(words):
    with pytest.raises(InputError, match="expected Conv, Pool or Mean, and Relu after one of them"):
        show.module_diagrams({"a module": words}, "")
