"""`xception-np spectrum`."""

import json

import pytest
from command import run


def test_a_table_of_the_divisors():
    result = run("spectrum", "--batch", 8)
    assert (result.returncode, result.stderr) == (0, "")
    words = [line.split() for line in result.stdout.splitlines()]
    assert result.stdout.startswith("728 channels, 8 pictures of 19 x 19 pixels\n")
    assert ["1", "regular", "5,299,840", "15,305,937,920", "52.30", "279.11", "383.72"] in words
    assert ["4", "Inception", "1,722,448", "4,974,429,824", "38.65", "122.74", "159.51"] in words
    assert ["728", "Xception", "536,536", "1,549,515,968", "34.13", "43.30", "1.12"] in words
    assert len([line for line in words if line and line[0].isdigit() and "channels," not in line]) == 16


def test_the_numbers_are_those_of_cost():
    """Xception's middle flow, as `cost` counts it."""
    layers = {row["name"]: row for row in json.loads(run("cost", "xception", "--by", "layer", "--json").stdout)["rows"]}
    facts = json.loads(run("spectrum", "--segments", 728, "--json").stdout)
    assert facts["input_shape"] == [1, 19, 19, 728]
    [row] = facts["rows"]
    assert (row["segments"], row["place"], facts["picture"]) == (728, "Xception", None)
    for half, name in (("spatial", "block5_sepconv1_depthwise"), ("pointwise", "block5_sepconv1_pointwise")):
        for number in ("parameters", "macs", "bytes_moved", "intensity"):
            assert row[half][number] == layers[name][number]
    assert row["total"]["macs"] == row["spatial"]["macs"] + row["pointwise"]["macs"]


def test_a_picture(tmp_path):
    result = run("spectrum", "--channels", 12, "--png", "spectrum.png", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines()[-1] == "picture spectrum.png"
    first = (tmp_path / "spectrum.png").read_bytes()
    assert first.startswith(b"\x89PNG")
    arguments = ("--channels", 12, "--segments", 2, "--segments", 6, "--png", "spectrum.png", "--json")
    assert json.loads(run("spectrum", *arguments, cwd=tmp_path).stdout)["picture"] == "spectrum.png"
    assert (tmp_path / "spectrum.png").read_bytes() != first


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--segments", 3], "segments is 3; expected a number that divides C=728 and F=728: the nearest are 2 and 4"),
        (["--segments", 0], "segments is 0; expected a number that divides C=728 and F=728: the nearest is 1"),
        (["--channels", 0], "channels is 0; expected an integer, 1 or more"),
        (["--batch", 10**400], "invalid value for '--batch'"),
        (["--channels", 10**9], "invalid value for '--channels'"),
        (["--height", 0], "height is 0; expected an integer, 1 or more"),
        (["--width", -1], "width is -1; expected an integer, 1 or more"),
        (["--batch", 0], "batch is 0; expected an integer, 1 or more"),
        (["--png", "notes.txt"], "png is notes.txt, a file that is no PNG picture"),
        (["--png", "nowhere/spectrum.png"], "png is nowhere/spectrum.png; expected the path of a file"),
        (["--channels", "many"], "invalid value for '--channels'"),
    ],
)
def test_a_mistake_is_one_sentence_and_status_2(tmp_path, arguments, sentence):
    (tmp_path / "notes.txt").write_text("mine")
    result = run("spectrum", *arguments, cwd=tmp_path)
    assert (result.returncode, result.stdout) == (2, "")
    assert sentence in result.stderr
    assert result.stderr.count("\n") == 1
    assert [path.read_text() for path in tmp_path.iterdir()] == ["mine"]
