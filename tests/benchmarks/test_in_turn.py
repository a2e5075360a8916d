"""Contenders of a few lines: what they answer, and what is made of it."""

import os
import sys

import numpy as np
import pytest

from benchmarks import in_turn, picture

CONTENDER = """
import sys, time
import numpy as np
sys.path.insert(0, {root!r})
from benchmarks import in_turn

def work_of(subject):
    print("what a library has to say")
    if subject == "fails":
        raise ValueError("no such subject")
    return in_turn.Work(lambda: time.sleep({seconds}), lambda _: [{factor} * np.arange(4.0), np.array(2.0)])

in_turn.serve(work_of)
"""


@pytest.fixture
def contenders(pytestconfig, monkeypatch):
    """Commands of contenders that take so many seconds, and whose results are this factor off."""
    monkeypatch.setattr(in_turn, "PAUSE", 0.0)

    def commands(**settings):
        root = str(pytestconfig.rootpath)
        return {
            name: [sys.executable, "-c", CONTENDER.format(root=root, seconds=seconds, factor=factor)]
            for name, (seconds, factor) in settings.items()
        }

    return commands


def test_who_takes_twice_as_long(contenders):
    with in_turn.started(contenders(first=(0.05, 1.0), second=(0.1, 1.0))) as processes:
        in_turn.meet(processes, "sleep", 1e-6)
        results = in_turn.measure(processes, "sleep", 3)
    assert results["first"].times_first == 1
    assert 1.2 < results["second"].times_first < 3
    for result, seconds in zip(results.values(), (0.05, 0.1), strict=True):
        assert seconds <= result.fastest <= result.median <= result.slowest
        assert result.peak_bytes > 2**20


def test_results_that_differ_are_not_timed(contenders):
    with in_turn.started(contenders(first=(0.0, 1.0), second=(0.0, 1.01))) as processes:
        in_turn.meet(processes, "sleep", 0.02)
    with (
        in_turn.started(contenders(first=(0.0, 1.0), second=(0.0, 1.01))) as processes,
        pytest.raises(SystemExit, match=r"results of second and first differ by 0\.01 of their size; expected at most 0\.001"),
    ):
        in_turn.meet(processes, "sleep", 1e-3)


FORGETFUL = CONTENDER.replace("{factor} *", "({factor} if next(calls) else 1.0) *").replace(
    "in_turn.serve", "import itertools; calls = itertools.count(); in_turn.serve"
)


def test_a_second_step_that_differs_is_not_timed(pytestconfig):
    """As of one whose gradients go nowhere."""
    root = str(pytestconfig.rootpath)
    commands = {
        name: [sys.executable, "-c", FORGETFUL.format(root=root, seconds=0.0, factor=k)]
        for name, k in (("first", 1.0), ("second", 2.0))
    }
    with (
        in_turn.started(commands) as processes,
        pytest.raises(
            SystemExit, match=r"results of second and first, the second time, differ by 1 of their size; expected at most 0\.1"
        ),
    ):
        in_turn.meet(processes, "sleep", 1e-3)


def test_not_a_number_differs(contenders):
    with (
        in_turn.started(contenders(first=(0.0, 1.0), second=(0.0, "float('nan')"))) as processes,
        pytest.raises(SystemExit, match="differ"),
    ):
        in_turn.meet(processes, "sleep", 1e-3)


def test_one_that_ends_is_named(contenders, capfd):
    with (
        in_turn.started(contenders(first=(0.0, 1.0))) as processes,
        pytest.raises(SystemExit, match="the process of first ended without an answer to 'fails'"),
    ):
        in_turn.meet(processes, "fails", 1e-3)
    assert "no such subject" in capfd.readouterr().err


def test_one_that_ends_between_two_turns_is_named(contenders):
    """What it was to be asked is still unwritten then, and must not be what is said."""
    with pytest.raises(SystemExit, match="the process of first ended"), in_turn.started(contenders(first=(0.0, 1.0))) as processes:
        in_turn.meet(processes, "sleep", 1e-3)
        processes["first"].kill()
        processes["first"].wait()
        in_turn.ask("first", processes["first"], "sleep")


def test_one_convolution_is_drawn_too(tmp_path):
    result = in_turn.Result(0.2, 0.1, 0.3, 1.0, 2**20, 0.0)
    picture.save({"convolution/16/8/1/4": {"xception_np": result, "torch": result}}, tmp_path / "times.png")
    assert (tmp_path / "times.png").read_bytes().startswith(b"\x89PNG")


def test_the_numbers_of_an_array_tell_its_size_and_its_order():
    array = np.random.default_rng(1).standard_normal((3, 5))
    numbers = np.array([in_turn._numbers(each) for each in (array, 2 * array, array[::-1], -array, 0 * array)])
    np.testing.assert_allclose(numbers[1], [2 * numbers[0, 0], numbers[0, 1]])
    assert abs(numbers[2, 1] - numbers[0, 1]) > 0.1
    np.testing.assert_allclose(numbers[3], [numbers[0, 0], -numbers[0, 1]])
    assert numbers[4].tolist() == [0, 0]


UNABLE = CONTENDER.replace(
    '    if subject == "fails"', '    if {factor} == 2.0:\n        raise InputError("no twin of this")\n    if subject == "fails"'
).replace("from benchmarks import in_turn", "from benchmarks import in_turn\nfrom xception_np.errors import InputError")


def test_one_that_cannot_is_left_out(pytestconfig, capfd):
    root = str(pytestconfig.rootpath)
    commands = {
        name: [sys.executable, "-c", UNABLE.format(root=root, seconds=0.0, factor=factor)]
        for name, factor in (("first", 1.0), ("second", 2.0), ("third", 1.0))
    }
    with in_turn.started(commands) as processes:
        assert list(in_turn.meet(processes, "sleep", 1e-6)) == ["first", "third"]
    assert "sleep: second cannot compute it: no twin of this" in capfd.readouterr().err
    with in_turn.started({"second": commands["second"]}) as processes, pytest.raises(SystemExit, match="2"):
        in_turn.meet(processes, "sleep", 1e-6)


PEAKS = CONTENDER.replace("lambda: time.sleep({seconds})", "lambda: np.ones(int(subject) * 2**17).sum()").replace(
    "{factor} * np.arange(4.0)", "np.ones(1)"
)


@pytest.mark.skipif(not os.access("/proc/self/clear_refs", os.W_OK), reason="this system knows no peak since some time")
def test_the_peak_of_a_subject_is_its_own(pytestconfig):
    command = [sys.executable, "-c", PEAKS.format(root=str(pytestconfig.rootpath), seconds=0.0, factor=1.0)]
    with in_turn.started({"one": command}) as processes:
        peaks = []
        for subject in ("200", "1"):
            in_turn.meet(processes, subject, 1e-6)
            peaks.append(in_turn.measure(processes, subject, 1)["one"].peak_bytes)
    assert 150 * 2**20 < peaks[0] - peaks[1] < 250 * 2**20


def test_the_largest_peak_counts(monkeypatch):
    monkeypatch.setattr(in_turn, "PAUSE", 0.0)
    peaks = iter([3, 5, 4])
    monkeypatch.setattr(in_turn, "ask", lambda *_: {"seconds": 1.0, "faults": 0.0, "peak_bytes": next(peaks)})
    assert in_turn.measure({"one": None}, "a subject", 3)["one"].peak_bytes == 5


def test_a_spectrum_that_somebody_cannot_compute_in_full(tmp_path):
    result = in_turn.Result(0.2, 0.1, 0.3, 1.0, 2**20, 0.0)
    found = {
        "convolution/16/8/1/1": {"xception_np": result, "torch": result},
        "convolution/16/8/1/2": {"xception_np": result},
    }
    picture.save(found, tmp_path / "times.png")
    assert (tmp_path / "times.png").read_bytes().startswith(b"\x89PNG")
