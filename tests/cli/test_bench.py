"""`xception-np bench`: that it runs and says what it should, not how fast."""

import json
import re

import pytest
from command import run


def figures(*arguments):
    result = run("bench", *arguments, "--rounds", 1, "--json")
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


@pytest.mark.parametrize(("options", "what"), [([], "training"), (["--inference"], "inference")])
def test_a_network(options, what):
    found = figures("xception_small", "--batch", 2, "--size", 16, *options)
    assert (found["model"], found["what"], found["batch"], found["size"]) == ("xception_small", what, 2, 16)
    assert found["images_per_second"] == pytest.approx(2 / found["median"])


@pytest.mark.usefixtures("needs_compiler")
def test_on_a_device():
    found = figures("xception_small", "--batch", 1, "--size", 16, "--implementation", "emulated")
    assert (found["implementation"], found["what"]) == ("emulated", "training")
    points = figures("spectrum", "--channels", 4, "--size", 3, "--batch", 1, "--implementation", "emulated")["points"]
    assert [point["segments"] for point in points] == [1, 2, 4]


def test_the_spectrum():
    found = figures("spectrum", "--channels", 6, "--size", 5, "--batch", 2)
    assert [point["segments"] for point in found["points"]] == [1, 2, 3, 6]
    assert [point["macs"] for point in found["points"]] == [3 * 9 * 50 * 6 * width for width in (6, 3, 2, 1)]


@pytest.mark.slow
def test_the_ladder():
    found = run("bench", "--ladder", "--rounds", 1)
    assert found.returncode == 0, found.stderr
    assert len(re.findall(r" \d+\.\d\dx *$", found.stdout, re.MULTILINE)) == 5  # what each rung but the first gained
    assert "on all cores" in found.stdout


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["nothing"], "model is 'nothing'; expected one of xception"),
        (["--batch", 0], "batch is 0; expected an integer, 1 or more"),
        (["--batch", 10**9], "invalid value for '--batch'"),
        (["spectrum", "--channels", 10**9], "invalid value for '--channels'"),
        (["--rounds", 0], "rounds is 0; expected an integer, 1 or more"),
        (["--channels", 8], "channels is 8; expected it with bench spectrum only"),
        (["--implementation", "none"], "implementation is 'none'; expected one of 'reference', 'cpu'"),
        (["--inference", "--implementation", "emulated"], "inference is True; expected it with cpu or reference"),
        (["--ladder", "--implementation", "reference"], "implementation is 'reference'; expected it without --ladder"),
        (["--ladder", "xception"], "what is 'xception'; expected it without --ladder"),
        (["--ladder", "--batch", 2], "batch is 2; expected it without --ladder"),
        (["spectrum", "--inference"], "inference is True; expected it with a network"),
    ],
)
def test_what_makes_no_sense(options, message):
    result = run("bench", *options)
    assert result.returncode == 2
    assert message in result.stderr
    assert result.stderr.count("\n") == 1
