"""`xception-np selfcheck`."""

import json
from functools import partial
from pathlib import Path

import command
import numpy as np
import pytest

from xception_np import arrays, kernels, ops
from xception_np.check import cases
from xception_np.check.updates import UPDATES
from xception_np.commands import selfcheck
from xception_np.emulator import MissingCompiler, toolchain
from xception_np.ops.relu import cpu

run = partial(command.run, "selfcheck")


@pytest.mark.parametrize("implementation", ["reference", "cpu", "emulated"])
def test_a_right_implementation(tmp_path, implementation):
    if implementation == "emulated":
        try:
            toolchain.compiler()
        except MissingCompiler as error:
            pytest.skip(str(error))
    result = run("relu", "add", "--implementation", implementation, "--report", "report.json", cwd=tmp_path)
    assert (result.returncode, result.stderr) == (0, "")
    count = 2 * len(cases.of("relu")) + 2 * len(cases.of("add")) + 2
    assert result.stdout.splitlines()[-2:] == ["report report.json", f"{implementation}: all right, {count} cases"]
    assert (f"are {kernels.EVIDENCE}." in result.stdout) == (implementation == "emulated")
    assert [path.name for path in tmp_path.iterdir()] == ["report.json"]
    facts = json.loads((tmp_path / "report.json").read_text())
    assert (facts["implementation"], facts["right"], facts["kernels"]) == (implementation, True, kernels.EVIDENCE)
    assert {"numpy", "python", "cores"} < facts["environment"].keys()
    assert ("g++" in facts["environment"]) == (implementation == "emulated")
    assert len(facts["outcomes"]) == count
    assert {(each["operation"], each["dtype"]) for each in facts["outcomes"]} == {
        (operation, dtype) for operation in ("relu", "add") for dtype in ("float32", "float64")
    }
    assert all(0 <= each["used"] <= 1 and each["wrong"] == [] for each in facts["outcomes"])


@pytest.mark.slow
def test_all_operations_and_updates(tmp_path):
    result = run("--implementation", "cpu", "--report", "report.json", cwd=tmp_path)
    assert (result.returncode, result.stderr) == (0, "")
    facts = json.loads((tmp_path / "report.json").read_text())
    assert {each["operation"] for each in facts["outcomes"]} == {*ops.__all__, selfcheck.UPDATES}
    names = {each["case"] for each in facts["outcomes"] if each["operation"] == selfcheck.UPDATES}
    assert names == {*UPDATES, "sum of squares", "muon"}
    assert len(facts["sources"]) == sum(1 for _ in Path(kernels.__file__).parent.rglob("*.cu"))


def wrong_results(x):
    return arrays.empty_like(x), cpu.Cache(x)


def checked(monkeypatch, capsys, forward):
    """Standard output of the command where relu's forward pass is another one, which is to end with status 1."""
    monkeypatch.setattr(cpu, "forward", forward)
    with pytest.raises(SystemExit) as end:
        selfcheck.run("cpu", ["relu"], None, False)
    assert end.value.code == 1
    return capsys.readouterr().out


RIGHT = cpu.forward


def test_wrong_numbers(monkeypatch, capsys):
    def forward(x):
        y, cache = RIGHT(x)
        y.ravel()[-1] += 1
        return y, cache

    said = checked(monkeypatch, capsys, forward)
    assert "wrong: relu.cpu, 4 axes: y like reference: worst error" in said
    assert said.splitlines()[-1].startswith("cpu: something is wrong, ")


def test_what_is_not_the_same_twice(monkeypatch, capsys):
    calls = iter(range(10**6))

    def forward(x):
        y, cache = RIGHT(x)
        y *= 1 + 1e-15 * next(calls)
        return y, cache

    assert "wrong: relu.cpu, 4 axes: 3 different results in 3 runs" in checked(monkeypatch, capsys, forward)


def test_what_writes_beside_its_array(monkeypatch, capsys):
    def forward(x):
        y, cache = RIGHT(x)
        np.lib.stride_tricks.as_strided(y.ravel(), (y.size + 1,))[-1] = 0
        return y, cache

    assert "wrong: relu.cpu, 4 axes: something was written beside" in checked(monkeypatch, capsys, forward)


def test_what_raises(monkeypatch, capsys):
    def forward(x):
        raise ZeroDivisionError("by accident")

    assert "wrong: relu.cpu, by hand: ZeroDivisionError: by accident" in checked(monkeypatch, capsys, forward)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--implementation", "tpu"], "implementation is 'tpu'; expected one of 'reference', 'cpu', 'gpu', 'emulated'"),
        (["reul"], "operation is 'reul'; expected one of "),
        (["--report", "nowhere/report.json"], "report is nowhere/report.json; expected the path of a file, in a folder"),
        (["--report", "."], "report is .; expected the path of a file, in a folder that exists"),
        (["--report", "notes.txt"], "file notes.txt cannot be read; expected a report, or a path where no file is"),
        (["--report", "facts.json"], "report is facts.json, a file that is no report; choose another one"),
    ],
)
def test_a_mistake_is_one_sentence_and_status_2(tmp_path, arguments, sentence):
    for name in ("notes.txt", "facts.json"):
        (tmp_path / name).write_text('["mine"]' if name == "facts.json" else "mine")
    result = run(*arguments, cwd=tmp_path)
    assert (result.returncode, result.stdout) == (2, "")
    assert sentence in result.stderr
    assert result.stderr.count("\n") == 1
    assert [path.read_text() for path in sorted(tmp_path.iterdir(), reverse=True)] == ["mine", '["mine"]']


@pytest.mark.no_gpu
def test_without_a_gpu_it_says_what_is_missing():
    try:
        arrays.device("gpu")
    except arrays.InputError as error:
        result = run("--implementation", "gpu")
        assert (result.returncode, result.stdout) == (2, "")
        assert result.stderr == f"xception-np: {error}\n"
    else:
        pytest.skip("there is a GPU")
