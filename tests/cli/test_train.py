"""`xception-np train`, and what is done with a run: listed, compared, evaluated, gone on with."""

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from command import COMMAND, run

from xception_np import commands
from xception_np.commands import train
from xception_np.data import Dataset, Preprocessing
from xception_np.errors import InputError
from xception_np.training import Settings, runs
from xception_np.training.averaging import STATISTICS_BATCHES


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
    files = ["last.safetensors", "state.safetensors", "metrics.jsonl", "config.json", "environment.json", "result.json"]
    for name in [*files, "curves.png", "predictions.png", "confusion.png"]:
        assert (folder / name).stat().st_size > 0
    assert json.loads((folder / "result.json").read_text()) == facts
    assert "images/s" in result.stderr


def test_train_prints_its_recipe_in_full(trained):
    _, result = trained
    words = [line.split() for line in result.stderr.splitlines()]
    assert ["minutes", "0.03", "recipe:", "none"] in words
    assert ["label_smoothing", "0.1"] in words
    assert ["augmentation", "crop", "3"] in words


def test_runs_and_compare(trained, tmp_path):
    folder, result = trained
    listed = json.loads(run("runs", folder.parent, "--json").stdout)["runs"]
    (found,) = [each for each in listed if each["folder"] == str(folder)]
    assert (found["recipe"], found["state"]) == ("digits", "finished")
    assert found["accuracy"] == json.loads(result.stdout)["accuracy"]
    table = run("runs", folder.parent).stdout
    assert table.splitlines()[0].split() == ["run", "model", "data", "recipe", "steps", "accuracy", "minutes", "state"]
    assert str(folder) in table
    compared = run("compare", folder, folder, "--out", tmp_path / "two.png", "--json")
    assert json.loads(compared.stdout) == {"picture": str(tmp_path / "two.png"), "runs": [found, found]}
    assert (tmp_path / "two.png").read_bytes().startswith(b"\x89PNG")


def test_evaluate_repeats_what_train_said(trained):
    folder, result = trained
    again = run("evaluate", "--checkpoint", folder / "last.safetensors", "--data", "digits", "--batch", 32, "--json")
    assert json.loads(again.stdout)["accuracy"] == json.loads(result.stdout)["accuracy"]
    assert (json.loads(again.stdout)["accuracy_over_views"], json.loads(again.stdout)["views"]) == (None, [])  # digits


def test_evaluate_moves_pictures(trained):
    folder, result = trained
    moved = run("evaluate", "--checkpoint", folder / "last.safetensors", "--data", "digits", "--batch", 32, "--shift", 1, "--json")
    facts = json.loads(moved.stdout)
    assert facts["accuracy"] == json.loads(result.stdout)["accuracy"]
    assert facts["views"] == ["1 up", "1 down", "1 left", "1 right"]
    assert 0 <= facts["accuracy_over_views"] <= 1


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


def test_a_finished_run_is_not_gone_on_with(trained):
    folder, _ = trained
    result = run("train", "--resume", folder)
    assert result.returncode == 2
    assert "which is finished" in result.stderr


def resumed_on_a_full_disk(folder, function, imports):
    """`--resume` in a process in which a function (or several: a = b) finds the disk full."""
    code = (
        f"import errno, {imports}\n"
        "def full(*_, **__): raise OSError(errno.ENOSPC, 'No space left on device')\n"
        f"{function} = full\n"
        "from xception_np.cli import main; main()"
    )
    command = [sys.executable, "-c", code, "train", "--resume", str(folder)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)


def test_a_full_disk_is_one_sentence_and_leaves_the_checkpoint(trained, tmp_path):
    folder = shutil.copytree(
        trained[0], tmp_path / "run", ignore=shutil.ignore_patterns("result.json")
    )  # trained, not yet measured
    files = {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "run.lock"}
    result = resumed_on_a_full_disk(folder, "pathlib.Path.write_bytes = pathlib.Path.write_text", "pathlib")
    assert result.returncode == 2
    assert "No space left on device" in result.stderr.splitlines()[-1]
    assert "Traceback" not in result.stderr
    assert {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "run.lock"} == files


def test_a_picture_that_cannot_be_written_does_not_cost_the_result(trained, tmp_path):
    folder = shutil.copytree(trained[0], tmp_path / "run", ignore=shutil.ignore_patterns("result.json", "*.png"))
    result = resumed_on_a_full_disk(folder, "matplotlib.figure.Figure.savefig", "matplotlib.figure")
    assert result.returncode == 2
    assert "curves.png: No space left on device" in result.stderr.splitlines()[-1]
    assert json.loads((folder / "result.json").read_text())["accuracy"] == json.loads(trained[1].stdout)["accuracy"]
    assert run("train", "--resume", folder).returncode == 0
    assert all((folder / f"{name}.png").exists() for name in runs.PICTURES)


def test_a_folder_of_pictures(tmp_path):
    from PIL import Image

    for k in range(12):
        part, name = "train" if k < 8 else "val", "dark" if k % 2 else "light"
        (tmp_path / part / name).mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (48, 48), (40 + k, 40, 40) if k % 2 else (200, 200 + k, 200)).save(tmp_path / part / name / f"{k}.png")
    trained = run("train", "--data", tmp_path, "--size", 40, "--batch", 4, "--epochs", 1, "--out", tmp_path / "run", "--json")
    assert trained.returncode == 0, trained.stderr
    facts = json.loads(trained.stdout)
    again = run("evaluate", "--checkpoint", facts["checkpoint"], "--data", tmp_path, "--batch", 4, "--json")
    for name in ("accuracy", "accuracy_over_views", "views"):
        assert json.loads(again.stdout)[name] == facts[name]
    assert facts["views"] == ["mirrored"]
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert (config["size"], config["preprocessing"]["size"], config["augmentation"]) == (40, 40, "resized crop 0.25 1, flip")
    assert json.loads(again.stdout)["top_5"] is None  # of two classes
    refused = run("evaluate", "--checkpoint", facts["checkpoint"], "--data", "digits")
    assert "data is digits; expected a folder of pictures: " in refused.stderr and refused.returncode == 2
    said = run("evaluate", "--checkpoint", facts["checkpoint"], "--data", tmp_path).stdout
    assert said.startswith(f"accuracy {facts['accuracy']:.2%} on 4 held-out pictures")
    assert said.endswith(f"; {facts['accuracy_over_views']:.2%} if averaged over these views: as it is, mirrored\n")
    assert facts["checkpoint"].endswith("averaged.safetensors")  # the cifar recipe, for any small pictures


@pytest.mark.parametrize(
    ("count", "aside", "changes", "read"),
    [
        (640, False, {"averaging": 0.9}, 2 * STATISTICS_BATCHES),
        (640, True, {"averaging": 0.9}, 4 * STATISTICS_BATCHES),
        (640, True, {}, 0),  # nothing is averaged, and no statistics are estimated
        (640, False, {"averaging": 0.9, "backbone_rate": 0.0}, 0),  # nor where they stay as they are
        (16, False, {"averaging": 0.9}, 2 * STATISTICS_BATCHES),
    ],
)
def test_what_is_compiled_before_the_first_step_is_time_too(monkeypatch, count, aside, changes, read):
    """The program began at 90; at 100 a first prediction takes 30 seconds, the next one a second."""
    now, costs = [100.0], iter([30.0, 1.0])

    def predict(x, batch):
        now[0] += next(costs) * len(x) / 64

    pictures = Dataset("blank", np.zeros((count, 8, 8, 3), np.uint8), np.zeros(count, np.int64), ("a", "b"))
    trainer = SimpleNamespace(
        settings=Settings(batch=64).with_changes(changes),
        average=changes.get("averaging"),
        loader=range(100),
        preprocessing=Preprocessing(8, (0, 0, 0), (1, 1, 1)),
        model=SimpleNamespace(predict=predict, place="gpu"),  # nothing is folded
        validation=pictures if aside else None,
    )
    monkeypatch.setattr(train, "time", SimpleNamespace(perf_counter=lambda: now[0]))
    monkeypatch.setattr(commands, "STARTED", 90.0)
    found = train._reserve(trainer, pictures, views=2)
    compiled = 31 if count == 640 else 31 / 4  # a batch, or as many pictures as there are
    batches = 2 * count / 64 + (10 if aside else 0)  # seen twice
    assert found == pytest.approx(10 + compiled + 1.2 * (batches + read) + 3)


def test_a_short_epoch_has_fewer_batches_to_take_statistics_from(monkeypatch):
    trainer = SimpleNamespace(
        settings=Settings(batch=1),
        average=0.9,
        loader=range(3),
        preprocessing=Preprocessing(8, (0, 0, 0), (1, 1, 1)),
        model=SimpleNamespace(predict=lambda x, batch: None, place="gpu"),
        validation=None,
    )
    monkeypatch.setattr(train, "time", SimpleNamespace(perf_counter=iter([1.0, 2.0, 2.0]).__next__))  # a prediction takes a second
    monkeypatch.setattr(commands, "STARTED", 2.0)
    one = Dataset("blank", np.zeros((1, 8, 8, 3), np.uint8), np.zeros(1, np.int64), ("a",))
    assert train._reserve(trainer, one, views=1) == pytest.approx(1.2 * (1 + 2 * 3) + 3)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_keeps_the_run_and_says_how_to_go_on(tmp_path, number):
    folder = tmp_path / "a run"
    process = subprocess.Popen(
        [*COMMAND, "train", "--epochs", "1", "--validation", "1000", "--augment", "crop 2, mixup 0.2", "--out", str(folder)],
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
    again = errors.splitlines()[-1]
    assert shlex.split(again)[-3:] == ["train", "--resume", str(folder)]
    result = subprocess.run(f"{again} --json", shell=True, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["steps"] == 437 // 32
    assert json.loads((folder / "config.json").read_text())["augmentation"] == "crop 2, mixup 0.2"
    assert [start["step"] > 0 for start in json.loads((folder / "environment.json").read_text())] == [False, True]


def test_a_folder_that_another_run_took_while_pictures_were_read(tmp_path, monkeypatch):
    def load(source, size):
        (tmp_path / "run").mkdir()
        (tmp_path / "run" / "metrics.jsonl").write_text("theirs")
        images = np.random.default_rng(0).integers(0, 256, (8, 32, 32, 3), np.uint8)
        return Dataset("digits", images, np.arange(8) % 2, ("a", "b")), None

    monkeypatch.setattr(train.data, "load", load)
    request = train.Request("digits", None, None, None, "none", {"batch": 4}, tmp_path / "run", False)
    with pytest.raises(InputError, match="which holds a run already; choose another folder"):
        train.run(request, as_json=False)
    assert (tmp_path / "run" / "metrics.jsonl").read_text() == "theirs"
