"""Bars have the lengths and the numbers that they are given."""

import pytest

from xception_np.show import grouped_bars, stacked_bars
from xception_np.show.style import COLOURS


def test_grouped_bars_lie_one_under_the_other(tmp_path):
    series = {"guessed": [10, 20, 30], "measured": [11.4, 25, 0]}
    figure = grouped_bars(["a", "b", "c"], series, "time (%)", "a network", written="{:.0f}%", mark=15)
    (axes,) = figure.axes
    assert [bar.get_width() for bar in axes.patches] == [10, 20, 30, 11.4, 25, 0]
    assert [text.get_text() for text in axes.texts] == ["10%", "20%", "30%", "11%", "25%", "0%"]
    middles = [bar.get_y() + bar.get_height() / 2 for bar in axes.patches]
    assert middles == pytest.approx([-0.2, 0.8, 1.8, 0.2, 1.2, 2.2])
    assert [label.get_text() for label in axes.get_yticklabels()] == ["a", "b", "c"]
    assert axes.yaxis_inverted()
    assert list(axes.lines[0].get_xdata()) == [15, 15]
    assert axes.get_xlabel() == "time (%)"
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["guessed", "measured"]
    figure.savefig(tmp_path / "bars.png")


@pytest.mark.parametrize("draw", [grouped_bars, stacked_bars])
def test_more_series_than_colours_are_all_drawn(draw):
    series = {f"part {k}": [1.0 + k] for k in range(len(COLOURS) + 2)}
    figure = draw(["a"], series, "seconds", "a step")
    assert [bar.get_width() for bar in figure.axes[0].patches] == [1.0 + k for k in range(len(COLOURS) + 2)]


def test_one_series_needs_no_legend():
    figure = grouped_bars(["a"], {"alone": [1]}, "seconds", "a network")
    assert not figure.legends
    assert not figure.axes[0].lines


def test_stacked_bars_end_at_the_sum(tmp_path):
    figure = stacked_bars(["a", "b"], {"computing": [1, 2], "waiting": [3, 0.5]}, "seconds", "a step")
    (axes,) = figure.axes
    assert [(bar.get_x(), bar.get_width()) for bar in axes.patches] == [(0, 1), (0, 2), (1, 3), (2, 0.5)]
    assert [text.get_text().strip() for text in axes.texts] == ["1.00", "2.00", "3.00", "0.50", "4.00", "2.50"]
    assert axes.get_xlabel() == "seconds"
    figure.savefig(tmp_path / "bars.png")
