"""`--implementation`: the same command on another implementation."""

import json

import numpy as np
import pytest
from command import run
from PIL import Image

from xception_np import data, implementations, models
from xception_np.commands import evaluate, predict
from xception_np.training import Evaluation

ALIKE = 1e-5  # of a loss: float32 rounds in other places, and every step lets that grow, in proportion to the learning rate


@pytest.fixture
def pictures(tmp_path):
    """Two classes of noise: no number is equal to another by more than chance, as digits on a flat ground are."""
    random = np.random.default_rng(0)
    for part, count in (("train", 40), ("val", 2)):
        for label in ("one", "other"):
            (folder := tmp_path / "pictures" / part / label).mkdir(parents=True)
            for k in range(count):
                Image.fromarray(random.integers(0, 256, (32, 32, 3), np.uint8)).save(folder / f"{k}.png")
    return tmp_path / "pictures"


def losses(folder, pictures, implementation):
    """The losses of ten steps of xception_small, by the command that anybody would use."""
    settings = ["--steps", 10, "--batch", 8, "--lr", 3e-4, "--grow-from", 1, "--averaging", 0, "--augment", "none"]
    options = ["--data", pictures, "--size", 32, "--model", "xception_small", "--implementation", implementation, "--out", folder]
    result = run("train", *options, *settings, "--json")
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["steps"] == 10
    assert json.loads((folder / "config.json").read_text())["implementation"] == implementation
    return [json.loads(line)["loss"] for line in (folder / "metrics.jsonl").read_text().splitlines()]


@pytest.mark.slow
@pytest.mark.usefixtures("needs_compiler")
def test_ten_steps_of_xception_small_on_the_emulated_gpu(tmp_path, pictures):
    here, there = (losses(tmp_path / implementation, pictures, implementation) for implementation in ("cpu", "emulated"))
    assert np.ptp(here) > 0.01  # it learns, or at least it moves
    np.testing.assert_allclose(there, here, rtol=ALIKE)


def test_the_reference_trains_too(tmp_path, pictures):
    options = ["--steps", 1, "--batch", 4, "--implementation", "reference", "--out", tmp_path / "run", "--json"]
    result = run("train", "--data", pictures, "--size", 32, *options)
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("name", ["reference", "emulated"])
def test_predictions_are_computed_by_it(monkeypatch, capsys, pictures, name):
    by = []
    monkeypatch.setattr(
        models.Model, "predict", lambda self, x: by.append((implementations.default(), self.place)) or np.eye(1, 10)
    )
    predict.run([pictures / "val" / "one" / "0.png"], "box", None, 1, name, as_json=False)
    assert by == [(name, implementations.place(name))] and "airplane" in capsys.readouterr().out


def test_the_reference_measures(monkeypatch, capsys):
    by = []
    measured = Evaluation(np.eye(10), np.arange(10), 1.0)
    monkeypatch.setattr(evaluate.training, "evaluate", lambda *_: by.append(implementations.default()) or measured)
    monkeypatch.setattr(evaluate, "_held_out", lambda *_: data.load("digits").test)
    evaluate.run(evaluate.Request("box", None, "digits", None, 0, None, "reference"), as_json=False)
    assert by == ["reference"] and capsys.readouterr().out.startswith("accuracy 100.00%")


@pytest.mark.usefixtures("needs_compiler")
@pytest.mark.parametrize("name", ["reference", "emulated"])
def test_predictions_are_the_same(pictures, name):
    picture = pictures / "val" / "one" / "0.png"
    found = [json.loads(run("predict", picture, "--implementation", each, "--json").stdout) for each in ("cpu", name)]
    here, there = (answers[str(picture)] for answers in found)
    assert [answer["class"] for answer in here] == [answer["class"] for answer in there]
    np.testing.assert_allclose([answer["probability"] for answer in there], [answer["probability"] for answer in here], rtol=1e-4)


def test_the_reference_evaluates_what_it_fine_tuned(tmp_path):
    out = tmp_path / "run"
    computes = ["--implementation", "reference", "--json"]
    tuned = run("fine-tune", "--data", "digits", "--minutes", 0.01, "--batch", 4, "--out", out, *computes)
    assert tuned.returncode == 0, tuned.stderr
    assert json.loads((out / "config.json").read_text())["implementation"] == "reference"
    evaluated = run("evaluate", "--checkpoint", json.loads(tuned.stdout)["checkpoint"], "--data", "digits", *computes)
    assert json.loads(evaluated.stdout)["accuracy"] == json.loads(tuned.stdout)["accuracy"]


@pytest.mark.no_gpu
@pytest.mark.parametrize("command", [["predict", "nowhere.png"], ["evaluate", "--checkpoint", "box", "--data", "digits"]])
def test_no_gpu_to_ask_is_one_sentence(command):
    result = run(*command, "--implementation", "gpu")
    assert (result.returncode, result.stderr.count("\n")) == (2, 1)
    assert result.stderr.startswith("xception-np: implementation 'gpu' needs ")


@pytest.mark.no_gpu
def test_no_gpu_is_one_sentence(tmp_path):
    result = run("train", "--implementation", "gpu", "--out", tmp_path / "run")
    assert result.returncode == 2
    assert result.stderr.startswith("xception-np: implementation 'gpu' needs ")
    assert result.stderr.count("\n") == 1
    assert not (tmp_path / "run").exists()


def test_a_mistyped_implementation(tmp_path):
    result = run("train", "--implementation", "cuda", "--out", tmp_path / "run")
    assert result.returncode == 2
    assert "implementation is 'cuda'; expected one of 'reference', 'cpu', 'gpu', 'emulated'" in result.stderr
