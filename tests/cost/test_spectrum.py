"""The spectrum's numbers: by hand, and the same as those of a network's layers."""

import numpy as np
import pytest

from xception_np import cost, models
from xception_np.errors import InputError
from xception_np.models import modules
from xception_np.models.table import Conv
from xception_np.ops import spec


def test_points_by_hand():
    """C = 4, 2 x 3 pixels: a 3x3 of 9 * 4 * 4 / S and a 1x1 of 16 parameters, at 6 positions; x, y of 24 numbers in each."""
    points = cost.spectrum((1, 2, 3, 4))
    assert [(point.segments, point.place) for point in points] == [(1, "regular"), (2, ""), (4, "Xception")]
    assert [point.total.parameters for point in points] == [144 + 16, 72 + 16, 36 + 16]
    assert [point.total.macs for point in points] == [6 * 160, 6 * 88, 6 * 52]
    assert [point.total.bytes_moved for point in points] == [4 * (96 + 160), 4 * (96 + 88), 4 * (96 + 52)]
    assert points[2].spatial.intensity == 6 * 36 / (4 * (48 + 36))


def test_the_paper_names_some():
    places = {point.segments: point.place for point in cost.spectrum((1, 1, 1, 12))}
    assert places == {1: "regular", 2: "", 3: "Inception", 4: "Inception", 6: "", 12: "Xception"}


def test_points_are_what_a_module_costs():
    """At every S, Figure 3's two convolutions, counted as layers of a network are."""
    shape = (2, 5, 4, 12)
    for point in cost.spectrum(shape):
        chain, _ = modules.build((Conv(12, 1), Conv(12, 3, segments=point.segments)), channels=12)
        pointwise, spatial = (line.cost for line in cost.count(chain, shape))
        assert (point.pointwise, point.spatial) == (pointwise, spatial)


@pytest.mark.parametrize(("name", "segments"), [("xception", 728), ("xception:segments=4", 4), ("xception:segments=1", 1)])
def test_points_are_xceptions_middle_flow(name, segments):
    lines = {line.name: line.cost for line in cost.count(models.outline(models.find(name)), (1, 299, 299, 3))}
    [point] = cost.spectrum((1, 19, 19, 728), [segments])
    halves = [cost for name, cost in lines.items() if name.startswith("block5_sepconv2") and cost.macs]
    assert spec.total(halves)[:3] == point.total[:3]  # parameters, MACs, bytes moved


def test_connections_are_blocks():
    for segments in (1, 2, 3, 6):
        expected = np.kron(np.eye(segments), np.ones((6 // segments, 6 // segments)))
        np.testing.assert_array_equal(cost.connections(6, segments), expected)


def test_what_does_not_divide_is_refused():
    for call in (lambda: cost.spectrum((1, 19, 19, 728), [3]), lambda: cost.connections(728, 3)):
        with pytest.raises(
            InputError, match="segments is 3; expected a number that divides C=728 and F=728: the nearest are 2 and 4"
        ):
            call()
    with pytest.raises(InputError, match="width is 0"):
        cost.spectrum((1, 19, 0, 728))
