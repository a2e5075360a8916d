"""The experiments: equal counts, points that are found again, and a command that goes on where it was."""

import pytest
from typer.testing import CliRunner

from experiments import __main__ as command
from experiments import figures, networks, store, training
from experiments.figures import FIGURES, Point
from xception_np import data, models
from xception_np.errors import InputError
from xception_np.models.table import Sep
from xception_np.training import Settings

BASE = networks.counts(networks.separable(networks.BASE))


def within(found, wanted):
    return abs(found - wanted) <= networks.TOLERANCE * wanted


@pytest.mark.parametrize("of", ["parameters", "macs"])
@pytest.mark.parametrize("segments", figures.SEGMENTS)
def test_counts_are_equal_along_the_spectrum(segments, of):
    widths = networks.equal(segments, of)
    table = networks.separable(widths, segments)
    found = getattr(networks.counts(table), of)
    assert within(found, getattr(BASE, of))
    assert all(width % (segments or 1) == 0 for width in widths[:3])
    if segments is not None:
        assert found == networks._closed_form(widths, segments, of)
    models.from_table(table)  # the builder takes it


def test_other_networks_have_as_many_parameters():
    for figure in (figures.ablations, figures.modules):
        for point in figure():
            if point.line == "no-residual":  # the convolutions of the shortcuts are gone
                assert networks.counts(point.table).parameters < BASE.parameters
                continue
            assert within(networks.counts(point.table).parameters, BASE.parameters), point.name
    wanted = networks.counts(networks.glyphs(4, 1, 8)).parameters
    for point in figures.joint():
        assert within(networks.counts(point.table).parameters, wanted), point.name
        models.from_table(point.table)


def test_depthwise_is_no_number_of_segments():
    rows = [row for module in networks.glyphs(8, 8, 4).modules for row in module.rows if isinstance(row, Sep)]
    assert [row.segments for row in rows] == [None]


@pytest.mark.parametrize("name", FIGURES)
def test_points_of_a_figure_have_names_of_their_own(name):
    names = [point.name for point in FIGURES[name]()]
    assert len(names) == len(set(names))


@pytest.fixture
def small(monkeypatch, tmp_path):
    """A figure of two points that take a moment, and a folder for its results."""
    table = networks.glyphs(4, 4, 4)
    settings = Settings(epochs=2, batch=16)
    points = [Point("a line", knob, table, f"glyphs:{knob:g}", settings) for knob in (0.0, 1.0)]
    monkeypatch.setitem(FIGURES, "small", lambda: points)
    monkeypatch.setattr(store.read, "__defaults__", (tmp_path,))
    monkeypatch.setattr(store.add, "__defaults__", (tmp_path,))
    monkeypatch.setattr(training, "load", lambda name: data.glyphs.load(float(name.partition(":")[2]), train=32, test=16))
    return tmp_path


def run(*arguments):
    return CliRunner().invoke(command.app, arguments)


@pytest.mark.slow
def test_what_is_measured_is_written_and_not_measured_again(small):
    assert run("run", "small", "--minutes", "0").exit_code == 0
    first = run("run", "small", "--seeds", "1")
    assert first.exit_code == 0 and len(first.stdout.splitlines()) == 2, first.output
    kept = store.read("small")
    assert [(found.x, found.seed) for found in kept] == [(0, 0), (1, 0)]
    assert all(len(found.accuracy) == len(found.loss) == 2 for found in kept)
    assert kept[0].parameters == networks.counts(networks.glyphs(4, 4, 4)).parameters
    assert kept[0].settings["seed"] == 0 and kept[0].environment["python"] and kept[0].command == "python -m experiments run small"
    store.write("small", kept[:1], small)  # as if it had been stopped after the first
    again = run("run", "small", "--seeds", "1")
    assert len(again.stdout.splitlines()) == 1
    assert [found.accuracy for found in store.read("small")] == [found.accuracy for found in kept]  # to the same bits
    assert run("run", "small", "--seeds", "1").stdout == "small: nothing is missing\n"
    assert [seed for seed, _ in command.missing("small", 3)] == [1, 1, 2, 2]
    assert not [path for path in small.iterdir() if path.name != "small.json"]


def test_what_another_figure_has_is_not_trained_again(small, monkeypatch):
    assert run("run", "small", "--seeds", "1").exit_code == 0
    points = [point._replace(line="another line") for point in FIGURES["small"]()]
    monkeypatch.setitem(FIGURES, "other", lambda: points)
    monkeypatch.setattr(training, "train", None)
    assert run("run", "other", "--seeds", "1").exit_code == 0
    assert [found.line for found in store.read("other")] == ["another line"] * 2
    assert [found.accuracy for found in store.read("other")] == [found.accuracy for found in store.read("small")]


def test_a_figure_that_there_is_not():
    result = run("run", "nothing")
    assert isinstance(result.exception, InputError) and "expected one of joint, ablations" in str(result.exception)


@pytest.mark.parametrize("name", FIGURES)
def test_results_are_of_the_points_as_they_are(name):
    points = {point.name: point for point in FIGURES[name]()}
    for found in store.read(name):
        point = points[found.point]
        assert (found.parameters, found.macs) == networks.counts(point.table)
        assert Settings(**found.settings) == training.settings_of(point, found.seed)  # an older result knew fewer
        assert len(found.accuracy) == point.settings.epochs


def test_an_estimate_counts_what_would_be_trained(small, monkeypatch):
    points = FIGURES["small"]()
    monkeypatch.setitem(FIGURES, "other", lambda: points)
    monkeypatch.setattr(command, "_chosen", lambda figure: ["small", "other"] if figure == "all" else [figure])
    monkeypatch.setattr(training, "seconds_a_step", lambda point: 0.5)
    said = run("estimate", "all").stdout
    assert "small: 6 trainings, " in said and "other: 0 trainings, 0 minutes" in said
    monkeypatch.setattr(training, "train", lambda point, seed, name, data: measured(point, seed))
    assert run("run", "small", "--seeds", "1").exit_code == 0
    said = run("estimate", "other").stdout
    assert "other: 4 trainings, " in said


def measured(point, seed):
    return store.Measured(
        **dict.fromkeys(store.Measured._fields)
        | {"point": point.name, "line": point.line, "x": point.x, "seed": seed, "model": point.table.name, "data": point.data}
        | {"settings": training.settings_of(point, seed).to_json(), "accuracy": [0.5], "loss": [1.0], "seconds": 1.0}
    )


def test_other_pictures_are_not_filed_as_cifar10(small):
    point = FIGURES["small"]()[0]._replace(data="cifar10")
    with pytest.raises(InputError, match=r"data is glyphs:0.5, which holds glyphs:0\.5; expected cifar10"):
        training.train(point, 0, "small", "glyphs:0.5")
