"""Areas are shares, and what lies inside of what."""

import pytest
from matplotlib.patches import Rectangle

from xception_np import cost, models
from xception_np.show import treemap
from xception_np.show.style import COLOURS


@pytest.fixture(scope="module")
def networks():
    names = {"Xception": "xception", "VGG-16": "vgg16"}
    tables = {name: models.find(key) for name, key in names.items()}
    return {name: cost.count(models.outline(table), cost.pictures_shape(table)) for name, table in tables.items()}


def rectangles(axes, filled=True):
    return [patch for patch in axes.patches if isinstance(patch, Rectangle) and patch.get_fill() == filled]


def area(patches):
    return sum(patch.get_width() * patch.get_height() for patch in patches)


def coloured(axes, colour):
    return [patch for patch in rectangles(axes) if patch.get_facecolor()[:3] == pytest.approx(rgb(colour))]


def rgb(colour):
    return [int(COLOURS[colour][k : k + 2], 16) / 255 for k in (1, 3, 5)]


def test_areas_are_shares_of_the_total(networks, tmp_path):
    figure = treemap(networks, ("parameters", "macs"), "two networks")
    xception_parameters, vgg_parameters, xception_macs, vgg_macs = figure.axes
    for axes in figure.axes:
        assert area(rectangles(axes)) == pytest.approx(1)
        assert area(rectangles(axes, filled=False)) == pytest.approx(1)  # the modules' frames
    assert area(coloured(xception_parameters, "orange")) == pytest.approx(207_432 / 22_855_952)  # depthwise
    assert area(coloured(xception_macs, "blue")) == pytest.approx(7_574_141_568 / 8_357_403_496)  # pointwise
    assert area(coloured(vgg_macs, "green")) == pytest.approx(0.992, abs=1e-3)
    largest = max(area([patch]) for patch in rectangles(vgg_parameters))
    assert largest == pytest.approx((7 * 7 * 512 + 1) * 4096 / 138_357_544)  # fc1
    figure.savefig(tmp_path / "treemap.png")


def test_panels_say_whose_they_are(networks):
    figure = treemap(networks, ("macs",), "two networks")
    assert [axes.get_title() for axes in figure.axes] == [
        "Xception\n8,357,403,496 multiply-adds",
        "VGG-16\n15,470,264,320 multiply-adds",
    ]
    named = {text.get_text() for text in figure.axes[0].texts}
    assert named == {f"block{k}" for k in range(1, 15)}
    legend = [text.get_text() for text in figure.legends[0].get_texts()]
    assert legend == ["regular", "pointwise", "pointwise, strided", "depthwise", "dense"]  # none without multiply-adds


def test_every_kind_is_named():
    table = models.find("xception_small:segments=4")
    lines = cost.count(models.outline(table), cost.pictures_shape(table))
    figure = treemap({"S = 4": lines}, ("parameters",), "one network")
    legend = [text.get_text() for text in figure.legends[0].get_texts()]
    assert legend == ["regular", "pointwise", "pointwise, strided", "dense", "grouped", "batch norm"]


def test_a_modules_operations_lie_in_its_frame(networks):
    axes = treemap(networks, ("macs",), "two networks").axes[0]
    frames = [patch.get_bbox() for patch in rectangles(axes, filled=False)]
    for patch in rectangles(axes):
        middle = patch.get_bbox().corners().mean(axis=0)
        assert sum(frame.contains(*middle) for frame in frames) == 1
