"""What can be done with a trained network from the command line: explain, features, convert, fine-tune, evaluate."""

import json
from types import SimpleNamespace

import h5py
import numpy as np
import pytest
from command import run
from PIL import Image

from xception_np import data, models, weights
from xception_np.commands import convert
from xception_np.data import imagenet


@pytest.fixture
def picture(tmp_path):
    """A handwritten digit as a file."""
    path = tmp_path / "digit.png"
    Image.fromarray(data.load("digits").test.images[3]).save(path)
    return path


def test_explain_draws_and_says(picture, tmp_path):
    out = tmp_path / "why.png"
    result = run("explain", picture, picture, "--out", out, "--json")
    assert result.returncode == 0, result.stderr
    facts = json.loads(result.stdout)
    assert facts["picture"] == str(out)
    assert out.read_bytes().startswith(b"\x89PNG")
    explained, same = facts["explanations"]
    assert explained == same
    assert np.array(explained["map"]).shape == (4, 4)
    again = run("explain", picture, "--out", out, "--class", "cat", "--layer", "block8_sepconv1_act")
    assert again.returncode == 0, again.stderr
    assert "cat" in again.stdout


def test_features_are_listed_and_written(picture, tmp_path):
    listed = run("features", picture).stdout.split()
    assert listed == [row.name for row in models.build("xception_small").rows((1, 32, 32, 3))]
    out = tmp_path / "f.npz"
    result = run("features", picture, "--layer", "block2_add", "--layer", "avg_pool", "--out", out, "--json")
    assert result.returncode == 0, result.stderr
    with np.load(out) as arrays:
        assert {name: arrays[name].shape for name in arrays} == {"block2_add": (16, 16, 64), "avg_pool": (384,)}
    assert (tmp_path / "f-block2_add.png").read_bytes().startswith(b"\x89PNG")
    assert json.loads(result.stdout)["shapes"] == {"block2_add": [16, 16, 64], "avg_pool": [384]}


@pytest.mark.parametrize("name", ["x.weights.h5", "x.h5", "x.safetensors"])
def test_convert(tmp_path, name):
    result = run("convert", "box", tmp_path / name, "--json")
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["bytes"] == (tmp_path / name).stat().st_size
    if name == "x.weights.h5":
        with h5py.File(tmp_path / name) as file:
            assert file["layers/separable_conv2d/vars/1"].shape == (1, 1, 32, 64)
    if name == "x.safetensors":
        assert "airplane" in run("predict", "--checkpoint", tmp_path / name, "--top", 10, picture_of(tmp_path)).stdout


@pytest.mark.parametrize(
    ("network", "out", "layout", "reader"),
    [
        ("xception", "x.safetensors", "timm", "timm"),
        ("xception", "x.safetensors", None, None),
        ("xception", "x.h5", None, None),
        ("legacy_xception", "x.h5", None, "Keras"),
        ("legacy_xception", "x.weights.h5", None, "Keras"),
        ("legacy_xception", "x.safetensors", "timm", None),
        ("xception_small", "x.h5", None, None),
    ],
)
def test_convert_says_who_computes_something_else(tmp_path, monkeypatch, network, out, layout, reader):
    said = []
    loaded = SimpleNamespace(model=SimpleNamespace(name=network, arrays={}))
    monkeypatch.setattr(convert.pretrained, "load", lambda *_: loaded)
    monkeypatch.setattr(convert.weights, "save", lambda model, path, layout: path.touch())
    monkeypatch.setattr(convert.training, "save", lambda path, checkpoint: path.touch())
    monkeypatch.setattr(convert, "console", SimpleNamespace(print=lambda text, **_: said.append(text.split()[0])))
    convert.run("source", tmp_path / out, None, layout, as_json=False)
    assert said == ([] if reader is None else [reader])


def picture_of(folder):
    Image.fromarray(data.load("digits").test.images[0]).save(folder / "p.png")
    return folder / "p.png"


def test_fine_tuning_is_a_run_like_any_other(tmp_path):
    out = tmp_path / "run"
    result = run("fine-tune", "--data", "digits", "--minutes", 0.02, "--backbone-rate", 0, "--out", out, "--json")
    assert result.returncode == 0, result.stderr
    config = json.loads((out / "config.json").read_text())
    assert (config["recipe"], config["start"], config["model"]) == ("fine-tuning", "box", "xception_small")
    assert set(config["left_out"]) == {"predictions/kernel", "predictions/bias"}
    assert config["settings"]["backbone_rate"] == 0
    assert "backbone_rate    0.0" in result.stderr
    assert "left out, for a new last layer: predictions/" in result.stderr
    assert json.loads(run("evaluate", "--checkpoint", out / "last.safetensors", "--data", "digits", "--json").stdout)["top_5"] > 0


@pytest.mark.slow
def test_an_interrupted_fine_tuning_goes_on(tmp_path):
    out = tmp_path / "run"
    started = run("fine-tune", "--data", "digits", "--epochs", 1, "--out", out, "--json")
    assert started.returncode == 0, started.stderr
    (out / "result.json").unlink()
    again = run("train", "--resume", out, "--json")
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout)["accuracy"] == json.loads(started.stdout)["accuracy"]


@pytest.mark.slow
def test_fine_tuning_from_a_file_of_keras(tmp_path):
    """As from published weights, which are such a file."""
    weights.save(models.build("xception", seed=1), tmp_path / "x.weights.h5")
    options = ["--data", "digits", "--minutes", 0.01, "--batch", 8, "--backbone-rate", 0, "--out", tmp_path / "run", "--json"]
    result = run("fine-tune", "--checkpoint", tmp_path / "x.weights.h5", *options)
    assert result.returncode == 0, result.stderr
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert (config["model"], config["preprocessing"]["mean"]) == ("xception", [0.5, 0.5, 0.5])
    assert len(config["left_out"]) == 2


@pytest.mark.slow
def test_evaluate_published_weights_on_folders_of_wordnet_numbers(tmp_path):
    """Made up: a network of starting values, and two classes with a picture each."""
    weights.save(models.build("xception", seed=1), tmp_path / "x.h5")
    for number in (3, 900):
        folder = tmp_path / "pictures" / imagenet.WORDNET[number]
        folder.mkdir(parents=True)
        Image.effect_noise((400, 350), 60).save(folder / "a.jpg")
    options = ["--data", tmp_path / "pictures", "--confusion", tmp_path / "c.png", "--batch", 1, "--json"]
    result = run("evaluate", "--checkpoint", tmp_path / "x.h5", *options)
    assert result.returncode == 0, result.stderr
    facts = json.loads(result.stdout)
    assert facts["images"] == 2
    assert 0 <= facts["accuracy"] <= facts["top_5"] <= 1
    assert (tmp_path / "c.png").exists()


def test_the_papers_tables():
    result = run("models", "--paper")
    assert "As published, not measured here" in result.stdout
    for number in ("0.790", "0.945", "6.78", "22,855,952", "23,626,728"):
        assert number in result.stdout
    facts = json.loads(run("models", "--paper", "--json").stdout)
    assert len(facts["tables"]) == 3
