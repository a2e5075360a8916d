"""Run folders: what was trained, and how far."""

import json
import math
from os.path import isfile  # what may not be looked at is none
from pathlib import Path
from typing import Any, NamedTuple

from xception_np.errors import InputError
from xception_np.files import read_json, replacing
from xception_np.training import locking, state

PICTURES = ("curves", "predictions", "confusion")
"""What is drawn at the end of a run."""

TENSORBOARD = "tensorboard"
"""The folder of what TensorBoard reads."""

FILES = (
    "config.json",
    "environment.json",
    "metrics.jsonl",
    "validation.jsonl",
    *(f"{name}.safetensors" for name in ("state", "last", "averaged", "best")),
    *(f"{name}.png" for name in PICTURES),
    "result.json",
    TENSORBOARD,
)
"""What a run writes into its folder."""

_KINDS = {
    "model": str,
    "data": str,
    "settings": dict,
    "recipe": str | None,
    "source": str | None,
    "size": int | None,
    "tensorboard": bool | None,
}

_FINISHED = "what `train` wrote at the end of a finished run"


class Run(NamedTuple):
    """A line of `xception-np runs`.

    accuracy : on the test pictures, 0 to 1; None before the end
    state : `running`, `finished`, `interrupted`, or `unreadable`
    """

    folder: Path
    model: str
    data: str
    recipe: str
    steps: int
    accuracy: float | None
    minutes: float
    state: str


def read_config(folder: Path) -> dict[str, Any]:
    """What a run was started with; InputError if there is no run."""
    path, expected = folder / "config.json", "one that `train` wrote"
    if not path.exists():
        raise InputError(f"run is {folder}, which has no config.json; expected a folder that `train` wrote")
    config = read_json(path, expected)
    if not isinstance(config, dict) or not {"model", "data", "settings"} <= config.keys():
        raise InputError(f"run is {folder}, whose config.json names no model, data and settings; expected {expected}")
    for name, kind in _KINDS.items():
        if name in config and not isinstance(config[name], kind):
            raise InputError(f"run is {folder}, whose config.json has {config[name]!r} as {name}; expected {expected}")
    return config


def check_free(folder: Path) -> None:
    """InputError if a run in this folder would write over files that no run wrote."""
    theirs = next((name for name in FILES if (folder / name).exists()), None)
    if theirs is None:
        return
    try:
        read_config(folder)
    except InputError as error:
        raise InputError(f"folder is {folder}, which has a {theirs} but no run; expected a new folder, or a run's") from error


def write_result(folder: Path, result: dict[str, Any]) -> None:
    """Write down how good a finished run is."""
    with replacing(folder / "result.json") as temporary:
        temporary.write_text(json.dumps(result, indent=2) + "\n")


def read_result(folder: Path) -> dict[str, Any]:
    """What came out of a finished run; InputError if there is nothing, or something else."""
    result = read_json(folder / "result.json", _FINISHED)
    if not isinstance(result, dict):
        raise InputError(f"file {folder / 'result.json'} is no table of results; expected {_FINISHED}")
    return result


def describe(folder: Path) -> Run:
    """A run in a line; InputError if the folder has none."""
    config = read_config(folder)
    model, data, recipe = (str(config.get(name) or "") for name in ("model", "data", "recipe"))
    try:
        facts = state.read_facts(folder / "state.safetensors")
    except InputError:
        return Run(folder, model, data, recipe, 0, None, 0.0, "unreadable")
    status = "running" if locking.is_held(folder) else "finished" if facts.finished else "interrupted"
    return Run(folder, model, data, recipe, facts.step, _accuracy(folder), facts.seconds / 60, status)


def find(folder: Path) -> list[Run]:
    """The runs in a folder, in the order of their names.

    Raises
    ------
    InputError
        If there is no such folder.
    OSError
        If it may not be read.
    """
    if not folder.is_dir():
        raise InputError(f"folder is {folder}; expected a folder of runs")
    return [_described(path) for path in sorted(folder.iterdir()) if isfile(path / "config.json")]


def _described(folder: Path) -> Run:
    """A run in a line, if only to say that it cannot be read: others can."""
    try:
        return describe(folder)
    except InputError:
        return Run(folder, "", "", "", 0, None, 0.0, "unreadable")


def _accuracy(folder: Path) -> float | None:
    """What `write_result` wrote; None if there is nothing, or something else."""
    try:
        accuracy = read_result(folder).get("accuracy")
    except InputError:
        return None
    return accuracy if isinstance(accuracy, float) and math.isfinite(accuracy) else None
