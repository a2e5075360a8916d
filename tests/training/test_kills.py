"""A run that is killed twenty times and goes on each time ends with the bits of one that is not."""

import json
import random
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from killed import SETTINGS
from small_runs import tiny_model, trainer

from xception_np.training import checkpoints, state

KILLS = 20
SCRIPT = Path(__file__).with_name("killed.py")
OF_THE_MACHINE = {"seconds", "seconds_left", "images_per_second", "waited", "memory"}


def start(folder, *how):
    return subprocess.run([sys.executable, SCRIPT, folder, *map(str, how)], stderr=subprocess.PIPE, text=True, timeout=120)


def moments():
    """Of the twenty kills every other falls into the writing of a checkpoint, the rest anywhere in a step."""
    chance = random.Random(5)
    for number in range(KILLS):
        yield ("write", chance.randint(4, 40)) if number % 2 else ("step", chance.randint(1, 10), chance.random())


def check_readable(folder):
    """Whatever the moment: a file that is there is whole; returns the step that the run goes on from."""
    for path in folder.glob("*.safetensors"):
        if path.stem != "state":
            checkpoints.load_weights(path, tiny_model())
    for path in folder.glob("*.json"):
        json.loads(path.read_text())
    path = folder / "state.safetensors"
    return state.restore(path, trainer(folder, **SETTINGS)._arrays()).step if path.exists() else 0


def lines(path):
    """What a run measured, less the time and the memory that it took."""
    read = [json.loads(line) for line in path.read_text().splitlines()]
    return [{name: value for name, value in line.items() if name not in OF_THE_MACHINE} for line in read]


@pytest.mark.slow
def test_killed_twenty_times(tmp_path):
    whole, folder = tmp_path / "whole", tmp_path / "killed"
    assert start(whole, "never").returncode == 0
    steps, unfinished = [], 0
    for moment in moments():
        killed = start(folder, *moment)
        assert killed.returncode == -signal.SIGKILL, (moment, killed.stderr)
        unfinished += len(list(folder.glob(".*.tmp")))
        steps.append(check_readable(folder))
    assert steps == sorted(steps) and len(set(steps)) > KILLS / 2
    assert unfinished >= 5  # kills did fall between the beginning of a file and its renaming
    assert start(folder, "never").returncode == 0
    arrays, expected = trainer(folder, **SETTINGS)._arrays(), trainer(whole, **SETTINGS)._arrays()
    facts, expected_facts = (state.restore(f / "state.safetensors", a) for f, a in ((folder, arrays), (whole, expected)))
    assert facts.step == expected_facts.step == 200
    assert facts.best_accuracy == expected_facts.best_accuracy
    for name, array in expected.items():
        np.testing.assert_array_equal(arrays[name], array, err_msg=name)
    for name in ("last", "averaged", "best"):
        assert (folder / f"{name}.safetensors").read_bytes() == (whole / f"{name}.safetensors").read_bytes()
    for name in ("metrics", "validation"):
        assert lines(folder / f"{name}.jsonl") == lines(whole / f"{name}.jsonl")
    assert {path.name for path in folder.iterdir()} == {path.name for path in whole.iterdir()}
