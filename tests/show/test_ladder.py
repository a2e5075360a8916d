"""Rungs, their times and what each gained."""

import pytest

from xception_np.show import ladder


def test_rungs_lead_down(tmp_path):
    figure = ladder({"plain": 0.6, "tiled": 0.15, "fused": 0.1}, "a step")
    (axes,) = figure.axes
    milliseconds, places = axes.lines[0].get_data()
    assert list(milliseconds) == pytest.approx([600, 150, 100])
    assert list(places) == [0, 1, 2]
    assert axes.yaxis_inverted()
    assert [label.get_text() for label in axes.get_yticklabels()] == ["plain", "tiled", "fused"]
    assert [text.get_text() for text in axes.texts] == ["600 ms", "150 ms   4.00 × as fast", "100 ms   1.50 × as fast"]
    assert axes.get_xlabel() == "time (ms)"
    figure.savefig(tmp_path / "ladder.png")
