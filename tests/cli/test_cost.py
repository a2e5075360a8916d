"""`xception-np cost`."""

import json
from functools import partial

import command
import pytest

MACHINE = ("--machine", 100, 10, 50)
run = partial(command.run, "cost")


def test_a_table_to_the_last_digit():
    result = run("xception")
    assert (result.returncode, result.stderr) == (0, "")
    words = [line.split() for line in result.stdout.splitlines()]
    assert words[0] == ["xception,", "1", "picture", "of", "299", "x", "299", "pixels"]
    assert ["depthwise", "207,432", "132,190,344", "112.85", "5.67", "1.12"] in words
    assert ["total", "22,855,952", "8,357,403,496", "606.20", "104.42", "13.15"] in words


def test_layers_of_a_batch_in_json():
    facts = json.loads(run("xception_small", "--by", "layer", "--size", 48, "--batch", 2, *MACHINE, "--json").stdout)
    assert facts["input_shape"] == [2, 48, 48, 3]
    assert facts["machine"] == {"peak": 100e9, "bandwidth": 10e9, "call": 50e-6}
    first = facts["rows"][0]
    assert (first["name"], first["parameters"], first["macs"]) == ("block1_conv1", 27 * 16, 2 * 48 * 48 * 27 * 16)
    assert first["bytes_moved"] == 4 * (2 * 48 * 48 * (3 + 16) + 27 * 16)
    assert first["predicted"] == pytest.approx(first["macs"] / 100e9 + first["bytes_moved"] / 10e9 + 50e-6)
    assert first["measured"] is None
    for name in ("parameters", "macs", "bytes_moved", "bytes_cached"):
        assert facts["total"][name] == sum(row[name] for row in facts["rows"])
    assert facts["total"]["predicted"] == pytest.approx(sum(row["predicted"] for row in facts["rows"]))


def test_what_gpus_take_at_least():
    result = run("xception", "--batch", 32, "--gpus")
    assert result.returncode == 0, result.stderr
    assert "A100 40 GB, ms at least" in result.stdout
    assert "a model and not a measurement" in result.stdout
    assert "H100 SXM: 66.9 TFLOP/s, 3,350 GB/s" in result.stdout
    facts = json.loads(run("xception", "--batch", 32, "--gpus", "--by", "layer", "--json").stdout)
    where = [row["name"] for row in facts["rows"]].index("block5_sepconv1_pointwise")
    for name, microseconds in (("A100 40 GB", 628), ("H100 SXM", 183), ("RTX 4090", 148)):
        least = facts["at_least"][name]
        assert 1e6 * least["rows"][where] == pytest.approx(microseconds, rel=3e-3)
        assert least["total"] == pytest.approx(sum(least["rows"]))
    assert json.loads(run("xception", "--json").stdout)["at_least"] == {}


def test_measured_beside_predicted_and_pictures(tmp_path):
    arguments = ("xception_small", "--training", "--measure", *MACHINE, "--out", "bars.png", "--roofline", "roof.png")
    result = run(*arguments, "--by", "module", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert "predicted/measured" in result.stdout
    assert (
        "Times of a training step, forward and backward, predicted from 100.0 GMAC/s, 10.0 GB/s and 50.0 µs a call" in result.stdout
    )
    assert result.stdout.splitlines()[-2:] == ["picture bars.png", "picture roof.png"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bars.png", "roof.png"]
    for path in tmp_path.iterdir():
        assert path.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["xcepton"], "model is 'xcepton'; expected one of xception"),
        (["xception", "--size", 0], "size is 0; expected an integer, 1 or more"),
        (["xception", "--measure", "--size", 10**9], "invalid value for '--size'"),
        (["xception", "--by", "colour"], "by is 'colour'; expected one of 'layer', 'kind', 'module'"),
        (["xception", "--training"], "training is True; expected it with what it is about, times: --predict"),
        (["xception", "--machine", 0, 1, 1], "peak is 0.0; expected"),
        (["xception", "--machine", 1e-310, 1, 1], "expected multiply-adds a second, a number of 1 or more"),
        (["xception", "--machine", 1, 1], "'--machine' requires 3 arguments"),
        (["xception", "--out", "notes.txt"], "out is notes.txt, a file that is no PNG picture"),
        (["xception", "--predict", "--roofline", "notes.txt"], "roofline is notes.txt, a file that is no PNG picture"),
        (["xception", "--out", "nowhere/bars.png"], "out is nowhere/bars.png; expected the path of a file"),
        (["xception", "--predict", "--out", "a.png", "--roofline", "./a.png"], "roofline is a.png, as out is; expected another"),
        ([], "missing argument 'MODEL'"),
    ],
)
def test_a_mistake_is_one_sentence_and_status_2(tmp_path, arguments, sentence):
    (tmp_path / "notes.txt").write_text("mine")
    result = run(*arguments, cwd=tmp_path)
    assert (result.returncode, result.stdout) == (2, "")
    assert sentence in result.stderr
    assert result.stderr.count("\n") == 1
    assert [path.read_text() for path in tmp_path.iterdir()] == ["mine"]
