"""What `--tensorboard` writes is what the run measured, after a kill as well."""

import json
import struct
import subprocess
import sys
from collections import defaultdict

import pytest
from command import run
from PIL import Image


def records(path):
    """The records of an event file: length, checksum, content, checksum."""
    content, at = path.read_bytes(), 0
    while at < len(content):
        (length,) = struct.unpack_from("<Q", content, at)
        yield content[at + 12 : at + 12 + length]
        at += 12 + length + 4


def scalars(folder):
    """By name: pairs of a step and a value, from the one event file of a run."""
    from tensorboardX.proto.event_pb2 import Event

    (path,) = (folder / "tensorboard").iterdir()
    found = defaultdict(list)
    for record in records(path):
        event = Event.FromString(record)
        for value in event.summary.value:
            found[value.tag].append((event.step, value.simple_value))
    return found


def measured(path, name):
    return [(line["step"], pytest.approx(line[name], rel=1e-6)) for line in map(json.loads, path.read_text().splitlines())]


@pytest.mark.slow
def test_scalars_are_the_runs(tmp_path):
    pytest.importorskip("tensorboardX", reason="the extra `tensorboard` is not installed")
    for k in range(12):
        place = tmp_path / "data" / ("val" if k < 2 else "train") / ("cat", "dog")[k % 2]
        place.mkdir(parents=True, exist_ok=True)
        Image.effect_noise((32, 32), 50).save(place / f"{k}.png")
    folder = tmp_path / "run"
    options = ("--data", tmp_path / "data", "--size", 32, "--batch", 4, "--validation", 2, "--epochs", 3)  # of 2 steps
    result = run("train", "--tensorboard", *options, "--out", folder)
    assert result.returncode == 0, result.stderr
    first = scalars(folder)
    for name in ("loss", "accuracy", "rate", "images_per_second", "memory"):
        assert first[f"training/{name}"] == measured(folder / "metrics.jsonl", name)
    for name in ("loss", "accuracy"):
        assert first[f"validation/{name}"] == measured(folder / "validation.jsonl", name)
    assert len(first["training/loss"]) == 6 and len(first["validation/loss"]) == 3

    (folder / "result.json").unlink()  # as if it had been killed before its end, and the events lost
    next((folder / "tensorboard").iterdir()).write_bytes(b"")
    result = run("train", "--resume", folder)
    assert result.returncode == 0, result.stderr
    assert scalars(folder) == first


def test_what_is_not_installed_is_named(tmp_path):
    without = "import sys; sys.modules['tensorboardX'] = None; from xception_np.cli import main; main()"
    command = [sys.executable, "-c", without, "train", "--tensorboard", "--out", str(tmp_path / "run")]
    result = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert result.returncode == 2
    assert result.stderr == (
        "xception-np: tensorboard needs the package tensorboardX, which is missing; pip install 'xception-np[tensorboard]'\n"
    )
    assert not (tmp_path / "run").exists()
