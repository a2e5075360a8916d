"""The command line: what a user types, right and wrong."""

import json
import os
import signal
import subprocess
import sys

import pytest

COMMAND = [sys.executable, "-c", "from xception_np.cli import main; main()"]


def run(*arguments, cwd=None):
    return subprocess.run([*COMMAND, *map(str, arguments)], capture_output=True, text=True, cwd=cwd, timeout=300, check=False)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A run of a few steps on digits: its folder, and what the command printed."""
    folder = tmp_path_factory.mktemp("cli") / "run"
    result = run("train", "--minutes", 0.03, "--batch", 32, "--out", folder, "--json")
    assert result.returncode == 0, result.stderr
    return folder, result


def test_train_writes_a_run_and_prints_json(trained):
    folder, result = trained
    facts = json.loads(result.stdout)
    assert facts["data"] == "digits"
    assert facts["held_out"] == 360
    assert 0 <= facts["accuracy"] <= 1
    for name in ("last.safetensors", "curves.png", "predictions.png", "metrics.jsonl", "config.json"):
        assert (folder / name).stat().st_size > 0
    assert "images/s" in result.stderr


def test_evaluate_repeats_what_train_said(trained):
    folder, result = trained
    again = run("evaluate", "--checkpoint", folder / "last.safetensors", "--data", "digits", "--batch", 32, "--json")
    assert json.loads(again.stdout)["accuracy"] == json.loads(result.stdout)["accuracy"]


def test_predict_names_classes(trained, tmp_path):
    from PIL import Image

    folder, _ = trained
    Image.new("RGB", (50, 40)).save(tmp_path / "black.png")
    result = run("predict", "--checkpoint", folder / "last.safetensors", "--top", 2, "--json", tmp_path / "black.png")
    (answers,) = json.loads(result.stdout).values()
    assert len(answers) == 2
    assert answers[0]["probability"] >= answers[1]["probability"]
    assert {answer["class"] for answer in answers} <= set("0123456789")


def test_a_run_is_not_written_over(trained):
    folder, _ = trained
    result = run("train", "--out", folder)
    assert result.returncode == 2
    assert "holds a run already" in result.stderr


def test_models_lists_and_shows():
    listed = json.loads(run("models", "--json").stdout)
    assert listed["xception"]["parameters"] == 22_855_952
    shown = run("models", "xception_small").stdout
    assert "block9_sepconv1_act" in shown


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["train", "--data", "/no/such/place"], "data is '/no/such/place'; expected 'digits'"),
        (["train", "--model", "xcepton"], "model is 'xcepton'; expected one of"),
        (["train", "--lr", "-1"], "lr is -1.0; expected"),
        (["train", "--minutes", "0"], "minutes is 0.0; expected"),
        (["train", "--seed", "-1"], "seed is -1; expected"),
        (["train", "--batch", "100000"], "batch_size is 100000; expected at most 1437"),
        (["models", "resnet"], "model is 'resnet'; expected one of"),
        (["evaluate", "--checkpoint", "none.safetensors", "--data", "digits"], "none.safetensors does not exist"),
        (["predict", "--checkpoint", "none.safetensors", "x.png"], "none.safetensors does not exist"),
    ],
)
def test_a_mistake_is_one_sentence_and_status_2(arguments, sentence, tmp_path):
    result = run(*arguments, cwd=tmp_path)
    assert result.returncode == 2
    assert sentence in result.stderr
    assert result.stderr.count("\n") == 1
    assert result.stdout == ""


@pytest.mark.parametrize("command", [[], ["demo"], ["train"], ["evaluate"], ["predict"], ["models"]])
def test_help(command):
    result = run(*command, "--help")
    assert result.returncode == 0
    assert "Usage" in result.stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_keeps_the_model_and_says_where(tmp_path, number):
    folder = tmp_path / "run"
    process = subprocess.Popen(
        [*COMMAND, "train", "--out", str(folder)],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    for line in process.stderr:  # the first step's line is the signal that training is under way
        if line.startswith("step "):
            break
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "stopped at step" in errors
    assert "Traceback" not in errors
    assert (folder / "last.safetensors").exists()


def test_importing_is_light():
    """Importing the package compiles nothing, needs no peer, and loads none of the heavy libraries."""
    code = (
        "import sys, time; begin = time.perf_counter(); import xception_np, xception_np.ops, xception_np.models;"
        "heavy = {'numba', 'sklearn', 'matplotlib', 'torch', 'cupy', 'PIL'} & set(sys.modules);"
        "print(sorted(heavy), time.perf_counter() - begin)"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.startswith("[] ")
