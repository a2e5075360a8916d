"""Pictures along a network and inside of one show the numbers that they are given."""

import numpy as np
import pytest

from xception_np.show import depth_lines, kernels, module_bars, summed_maps


def test_modules_run_from_left_to_right(tmp_path):
    quantities = {"side (pixels)": [147, 74, 1], "parameters": [19_488, 35_264, 0]}
    figure = module_bars(["block1", "block2", "end"], quantities, "a network")
    sides, parameters = figure.axes
    assert [bar.get_height() for bar in sides.patches] == [147, 74, 1]
    assert [text.get_text() for text in parameters.texts] == ["19,488", "35,264", "0"]
    assert (sides.get_ylabel(), parameters.get_ylabel()) == tuple(quantities)
    assert [label.get_text() for label in parameters.get_xticklabels()] == ["block1", "block2", "end"]
    figure.savefig(tmp_path / "modules.png")


def test_lines_are_the_middle_of_several_runs(tmp_path):
    runs = np.array([[1.0, 10, np.nan], [3, 30, np.nan], [2, 50, np.nan]])
    figure = depth_lines(["a", "b", "c"], {"plain": runs, "other": runs[:1]}, "norm", "two networks")
    (axes,) = figure.axes
    np.testing.assert_array_equal(axes.lines[0].get_ydata(), [2, 30, np.nan])
    band = axes.collections[0].get_paths()[0].get_extents()
    assert (band.ymin, band.ymax) == (1, 50)
    assert axes.get_yscale() == "log"
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["plain", "other"]
    assert axes.get_ylabel() == "norm"
    figure.savefig(tmp_path / "depth.png")


def test_kernels_are_drawn_on_their_own_scale(tmp_path):
    random = np.random.default_rng(0)
    grey, colours = random.standard_normal((18, 3, 3)), random.uniform(0, 1, (2, 3, 3, 3))
    figure = kernels({"depthwise": grey, "stem": colours}, "a network")
    drawn = [axes.images[0] for axes in figure.axes if axes.images]
    assert len(drawn) == 20
    for image, kernel in zip(drawn, [*grey, *colours], strict=True):
        np.testing.assert_array_equal(image.get_array(), kernel)
    assert drawn[17].get_clim() == (-abs(grey[17]).max(), abs(grey[17]).max())
    assert [part.get_suptitle() for part in figure.subfigs] == ["depthwise", "stem"]
    figure.savefig(tmp_path / "kernels.png")


def test_terms_and_their_sum_share_a_scale(tmp_path):
    main, shortcut = np.array([[1.0, -2]]), np.array([[3.0, 0]])
    maps = {"main": main, "shortcut": shortcut, "dx": main + shortcut}
    figure = summed_maps({"block5": maps, "block6": maps}, "a gradient")
    panels = [axes for axes in figure.axes if axes.get_title()]
    assert [axes.get_title() for axes in panels] == ["main", "shortcut", "dx"] * 2
    for axes, values in zip(panels, [*maps.values()] * 2, strict=True):
        np.testing.assert_array_equal(axes.images[0].get_array(), values)
        assert axes.images[0].get_clim() == (-4, 4)
    assert [axes.texts[0].get_text() for axes in panels[:3]] == ["", "+", "="]
    assert panels[3].get_ylabel() == "block6"
    figure.savefig(tmp_path / "sum.png")


@pytest.mark.parametrize("count", [1, 16])
def test_few_kernels_leave_the_rest_empty(count):
    figure = kernels({"depthwise": np.ones((count, 3, 3))}, "a network")
    assert sum(bool(axes.images) for axes in figure.axes) == count
