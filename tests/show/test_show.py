"""Pictures: that they show what they are given."""

from itertools import pairwise

import numpy as np
import pytest

from xception_np import cost, emulator, models
from xception_np.data import Dataset
from xception_np.errors import InputError
from xception_np.show import (
    compared_curves,
    confusion_matrix,
    cost_bars,
    explanation,
    feature_maps,
    kernel_accesses,
    kernels,
    prediction_grid,
    roofline,
    summed_maps,
    training_curves,
)
from xception_np.show.comparison import Curves
from xception_np.training import Progress, Validation
from xception_np.training.history import History


def history(steps=40):
    return [Progress(k, k / 10, 2 / k, min(1.0, k / 30), 0.1, 100.0, k * 0.5, (steps - k) * 0.5) for k in range(1, steps + 1)]


def test_curves_show_every_step_and_the_held_out_accuracy(tmp_path):
    figure = training_curves(history(), "a run", held_out_accuracy=0.875)
    loss, accuracy, rate, memory = figure.axes
    np.testing.assert_allclose(loss.lines[0].get_ydata(), [2 / k for k in range(1, 41)])
    average = loss.lines[1].get_ydata()  # of a step and the one on either side, of 40
    assert average[20] == pytest.approx((2 / 20 + 2 / 21 + 2 / 22) / 3)
    assert average[-1] == pytest.approx((2 / 39 + 2 / 40) / 2)
    assert accuracy.lines[-1].get_ydata() == [87.5]
    assert (rate.get_ylabel(), memory.get_xlabel()) == ("learning rate", "epochs")
    np.testing.assert_array_equal(memory.lines[0].get_ydata(), [0] * 40)
    figure.savefig(tmp_path / "curves.png")


def test_a_run_of_one_step_has_curves(tmp_path):
    training_curves(history(1), "a run").savefig(tmp_path / "curves.png")


def test_curves_show_validation():
    validations = [Validation(10, 1.0, 0.5, 0.5, 5.0), Validation(40, 4.0, 0.4, 0.75, 20.0)]
    line = training_curves(history(), "a run", validations=validations).axes[1].lines[-1]
    assert (list(line.get_xdata()), list(line.get_ydata())) == ([1, 4], [50, 75])
    assert line.get_label() == "validation pictures"


def test_runs_are_drawn_over_each_other(tmp_path):
    runs = {**{f"run {k}": Curves(history(40 + k)) for k in range(8)}, "_last": Curves(history(48))}
    runs["run 0"] = Curves(history(40), [Validation(40, 4.0, 0.4, 0.75, 20.0)])
    figure = compared_curves(runs)
    loss, by_minutes, accuracy, _ = figure.axes
    lines = {line.get_label(): line for line in loss.lines}
    assert list(lines) == list(runs)
    assert [text.get_text() for text in figure.legends[0].get_texts()] == list(runs)
    assert len(lines["_last"].get_ydata()) == 48
    assert lines["run 0"].get_ydata()[20] == pytest.approx((2 / 20 + 2 / 21 + 2 / 22) / 3)  # as alone
    assert by_minutes.lines[0].get_xdata()[-1] == pytest.approx(40 * 0.5 / 60)
    assert list(accuracy.lines[1].get_ydata()) == [75]
    assert len({(line.get_color(), line.get_linestyle()) for line in loss.lines}) == 9
    figure.savefig(tmp_path / "compare.png")


def test_names_are_no_mathematics(tmp_path):
    """What stands between two "$" is a formula to matplotlib, and an error if it is none."""
    confusion_matrix(np.eye(2, dtype=int), ["$a_{$", "b"], "a run on $x_{$").savefig(tmp_path / "confusion.png")


def test_names_of_folders_may_be_no_text(tmp_path):
    compared_curves({"runs/caf\udce9": Curves(history())}).savefig(tmp_path / "curves.png")


def test_losses_of_a_run_that_diverges_are_drawn(tmp_path):
    lines = [line._replace(loss=10.0 ** (2 * line.step)) for line in history(19)]
    written = History(tmp_path / "metrics.jsonl", Progress)
    for line in lines:
        written.append(line)
    assert written.lines == lines
    compared_curves({"run": Curves(written.lines)}).savefig(tmp_path / "compared.png")
    training_curves(written.lines, "a run").savefig(tmp_path / "curves.png")


def test_long_names_and_titles_are_within_the_picture():
    names = ["tabby_cat_with_a_long_name", "golden_retriever_and_friends"]
    figure = confusion_matrix(
        np.eye(2, dtype=int), names, "xception_compact on cats_and_dogs: 95.0% of 400 held-out pictures right"
    )
    figure.draw_without_rendering()
    box = figure._suptitle.get_window_extent()
    assert box.x0 > 0 and box.x1 < figure.bbox.width
    square = figure.axes[0].get_window_extent()
    assert square.width > 0.2 * figure.bbox.width
    title = f"xception_compact on {'a_folder_of_pictures_' * 4}: 95.0% of 400 held-out pictures right"
    says = "English springer, English springer spaniel, Springer 87%"
    for figure in (
        training_curves(history(), title),
        explanation(np.zeros((1, 8, 8, 3), np.uint8), np.ones((1, 2, 2)), [says], title),
    ):
        figure.draw_without_rendering()
        box = figure._suptitle.get_window_extent()
        assert box.x0 > 0 and box.x1 < figure.bbox.width
    left, right, _ = figure.axes
    assert left._left_title.get_window_extent().x1 < right.get_window_extent().x0 + 1
    runs = {f"{'a_folder/' * 20}run {k}": Curves(history()) for k in range(2)}
    figure = compared_curves(runs)
    figure.draw_without_rendering()
    box = figure.legends[0].get_window_extent()
    assert box.x0 > 0 and box.x1 < figure.bbox.width
    assert [text.get_text()[-5:] for text in figure.legends[0].get_texts()] == ["run 0", "run 1"]


def test_no_more_runs_than_can_be_told_apart():
    figure = compared_curves({f"run {k}": Curves(history()) for k in range(28)})
    figure.draw_without_rendering()
    assert figure.legends[0].get_window_extent().y1 < figure.axes[2].get_window_extent().y0
    assert len({(line.get_color(), line.get_linestyle()) for line in figure.axes[0].lines}) == 28
    with pytest.raises(InputError, match="runs are 29; expected at most 28"):
        compared_curves({f"run {k}": Curves(history()) for k in range(29)})


@pytest.mark.parametrize("classes", [3, 100])
def test_confusion_is_a_share_of_each_row(tmp_path, classes):
    counts = np.zeros((classes, classes), int)
    counts[0, :3] = [3, 1, 0]
    counts[2, 2] = 5  # class 1 has no pictures
    figure = confusion_matrix(counts, [f"class {k}" for k in range(classes)], "a run")
    axes = figure.axes[0]
    np.testing.assert_allclose(axes.images[0].get_array()[:3, :3], [[75, 25, 0], [0, 0, 0], [0, 0, 100]])
    assert [text.get_text() for text in axes.texts] == (["3", "1", "5"] if classes == 3 else [])
    figure.savefig(tmp_path / "confusion.png")


def test_the_grid_starts_with_the_worst(tmp_path):
    images = np.zeros((5, 8, 8, 3), np.uint8)
    images[:, 0, 0, 0] = range(5)
    dataset = Dataset("digits", images, np.array([0, 1, 0, 1, 0]), ("cat", "dog"))
    right = np.array([0.9, 0.8, 0.3, 0.6, 0.99])  # probability of the right class
    probabilities = np.where(np.arange(2) == dataset.labels[:, None], right[:, None], 1 - right[:, None])
    figure = prediction_grid(dataset, probabilities, "five", columns=3, rows=2)
    drawn = [axes for axes in figure.axes if axes.images]
    assert [axes.images[0].get_array()[0, 0, 0] for axes in drawn] == [2, 3, 1, 0, 4]
    assert drawn[0].get_title() == "dog 70%\nis cat"
    assert drawn[1].get_title() == "dog 60%"
    figure.savefig(tmp_path / "grid.png")


def test_long_names_do_not_run_into_each_other():
    dataset = Dataset("birds", np.zeros((3, 8, 8, 3), np.uint8), np.array([0, 1, 0]), ("English_springer", "Mozambique_nightjar"))
    figure = prediction_grid(dataset, np.eye(2)[[1, 0, 1]], "all wrong", columns=3, rows=1)
    figure.draw_without_rendering()
    titles = [axes.title.get_window_extent() for axes in figure.axes]
    assert all(left.x1 < right.x0 for left, right in pairwise(titles))


def test_an_explanation_shows_the_picture_and_the_map_over_it(tmp_path):
    pictures = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3), np.uint8)
    maps = np.zeros((2, 4, 4))
    maps[0, 1, 2] = 1
    figure = explanation(pictures, maps, ["cat 90%", "dog 50%"], "a network")
    left, right = figure.axes[:2]
    np.testing.assert_array_equal(left.images[0].get_array(), pictures[0])
    over = right.images[1].get_array()
    assert over.shape == (32, 32)
    row, column = np.unravel_index(over.argmax(), over.shape)
    assert (row // 8, column // 8) == (1, 2)
    assert [axes.get_title(loc="left") for axes in figure.axes[:4:2]] == ["cat 90%", "dog 50%"]
    figure.savefig(tmp_path / "why.png")


def test_feature_maps_show_the_channels_that_vary_most(tmp_path):
    maps = np.zeros((5, 4, 100), np.float32)
    varying = np.arange(1, 97, 2)
    maps[0, 0, varying] = varying
    figure = feature_maps(maps, "a layer")
    shown = [axes for axes in figure.axes if axes.images]
    assert [int(axes.get_title()) for axes in shown] == list(varying)
    np.testing.assert_array_equal(shown[3].images[0].get_array(), maps[..., 7])
    assert figure.get_suptitle() == "a layer: 48 of its 100 channels, by number"
    figure.savefig(tmp_path / "maps.png")
    assert "its 3 channels" in feature_maps(maps[..., :3], "a layer").get_suptitle()


MACHINE = cost.Machine(peak=100e9, bandwidth=20e9, call=0)


def xception():
    return cost.count(models.outline(models.find("xception")), (1, 299, 299, 3))


def test_bars_show_each_rows_number_and_share(tmp_path):
    lines = xception()
    predicted = cost.predict(lines, MACHINE)
    figure = cost_bars(cost.rows(lines, "kind", predicted, dict.fromkeys(predicted, 1e-3)), "a network")
    parameters, macs, _, kept, times = figure.axes
    assert [text.get_text() for text in parameters.get_yticklabels()][:4] == ["regular", "batch norm", "depthwise", "pointwise"]
    assert [bar.get_width() for bar in macs.patches][2:4] == [0.132190344, 7.574141568]
    assert [text.get_text() for text in macs.texts][:3] == [" 5%", " 2%", " 91%"]  # none for what multiplies nothing
    assert kept.patches[1].get_width() == sum(line.cost.bytes_cached for line in lines if line.kind == "batch norm") / 2**20
    assert times.patches[3].get_width() == pytest.approx(
        1e3 * sum(predicted[line.name] for line in lines if line.kind == "pointwise")
    )
    assert [bar.get_width() for bar in times.patches][9:11] == pytest.approx([2, 40])  # a millisecond for every operation
    assert [text.get_text() for text in times.get_legend().get_texts()] == ["predicted", "measured"]
    figure.savefig(tmp_path / "bars.png")
    assert len(cost_bars(cost.rows(lines, "layer"), "a network").axes) == 4


@pytest.mark.parametrize("training", [False, True])
def test_points_lie_where_they_are_predicted(tmp_path, training):
    lines = xception()
    figure = roofline(lines, MACHINE, "a network", training=training)
    products, others = figure.axes
    assert [line.get_label() for line in products.lines[:3]] == ["regular", "depthwise", "pointwise"]
    for line in products.lines[:-1]:
        intensity, speed = line.get_data()
        np.testing.assert_allclose(speed, 1 / (1 / 100 + 1 / (20 * np.array(intensity))))
        assert (speed < np.minimum(100, 20 * np.array(intensity))).all()  # under the roof
    np.testing.assert_allclose(others.lines[0].get_ydata(), 20)
    assert (products.get_ylabel(), others.get_ylabel()) == ("GMAC/s, predicted", "GB/s, predicted")
    figure.savefig(tmp_path / "roof.png")


def test_points_are_where_they_were_measured():
    lines = xception()
    measured = dict.fromkeys((line.name for line in lines), 2.0)
    products = roofline(lines, MACHINE, "a network", measured).axes[0]
    first = [line for line in lines if line.kind == "regular"]
    assert list(products.lines[0].get_ydata()) == [line.cost.macs / 1e9 / 2 for line in first]
    assert products.get_ylabel() == "GMAC/s, measured"


TRANSPOSED = """
extern "C" __global__ void turned(const float* x, float* y) {
    __shared__ float tile[32][32];
    tile[threadIdx.x][0] = x[threadIdx.x / 2];
    __syncthreads();
    y[threadIdx.x] = tile[threadIdx.x][1];
}
"""


def test_a_kernel_with_what_its_lines_ask_for_and_which_thread_touches_what(tmp_path):
    try:
        emulator.toolchain.compiler()
    except emulator.MissingCompiler as error:
        pytest.skip(str(error))
    kernel = emulator.RawModule(TRANSPOSED, file="turned.cu").get_function("turned")
    arrays = emulator.device.zeros(16, np.float32), emulator.device.empty(32, np.float32)
    report = emulator.check(kernel, 1, 32, arrays, trace=0)
    figure = kernel_accesses([(report, TRANSPOSED.splitlines())], "a kernel")
    source, *maps = figure.axes
    texts = [text.get_text() for text in source.texts]
    assert texts[:2] == ["turned of turned.cu", "grid (1, 1, 1), block (32, 1, 1): 32 threads, 1 block, 1 barrier"]
    assert "   5      __syncthreads();" in texts
    assert "   6      y[threadIdx.x] = tile[threadIdx.x][1];  <- uninitialised read" in texts
    assert "   2  " not in "".join(texts)  # the signature is not shown
    columns = [
        texts.index(name) for name in ("bytes asked,\nblock 0", "different,\nblock 0", "sectors a\nrequest", "bank\nconflicts")
    ]
    assert texts[columns[1] + 1 : columns[2]] == ["128", "64", "128", "128"]  # tile, x; tile, y
    assert texts[columns[2] + 1 : columns[3]] == ["2", "4"]
    assert texts[columns[3] + 1 :] == ["32", "32"]
    titles = [axes.get_title() for axes in maps[:3]]
    assert sorted(titles) == ["tile: read and written", "x: read", "y: written"]
    (of_x,) = maps[titles.index("x: read")].collections
    np.testing.assert_array_equal(of_x.get_offsets(), [[k, k // 2] for k in range(32)])
    figure.savefig(tmp_path / "accesses.png")


def test_zeros_are_white():
    twice = dict.fromkeys(("one", "sum"), np.zeros((2, 2)))
    for figure in (kernels({"a layer": np.zeros((1, 3, 3))}, ""), summed_maps({"a sum": twice}, "")):
        for image in (image for axes in figure.axes for image in axes.images):
            assert np.allclose(image.to_rgba(image.get_array())[0, 0], 1, atol=0.05)
