"""Run folders: what was trained, and how far."""

import json
from pathlib import Path
from typing import Any, NamedTuple

from xception_np.errors import InputError
from xception_np.training import state
from xception_np.training.files import replacing


class Run(NamedTuple):
    """A line of `xception-np runs`.

    accuracy : on the test pictures, 0 to 1; None before the end
    state : `finished`, `interrupted` (also while it is still running), or `unreadable`
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
    path = folder / "config.json"
    try:
        config = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise InputError(f"run is {folder}, which has no config.json to read; expected a folder that `train` wrote") from error
    if not isinstance(config, dict) or not {"model", "data", "settings"} <= config.keys():
        raise InputError(f"run is {folder}, whose config.json names no model, data and settings; expected one that `train` wrote")
    return config


def write_result(folder: Path, result: dict[str, Any]) -> None:
    """Write down how good a finished run is."""
    with replacing(folder / "result.json") as temporary:
        temporary.write_text(json.dumps(result, indent=2) + "\n")


def read_result(folder: Path) -> dict[str, Any]:
    """What came out of a finished run; InputError if it is not finished."""
    try:
        return dict(json.loads((folder / "result.json").read_text()))
    except (OSError, TypeError, ValueError) as error:
        raise InputError(f"run is {folder}, which has no result.json to read; expected a finished run") from error


def describe(folder: Path) -> Run:
    """A run in a line; InputError if the folder has none."""
    config = read_config(folder)
    model, data, recipe = (str(config.get(name, "")) for name in ("model", "data", "recipe"))
    try:
        facts = state.read_facts(folder / "state.safetensors")
    except InputError:
        return Run(folder, model, data, recipe, 0, None, 0.0, "unreadable")
    status = "finished" if facts.finished else "interrupted"
    return Run(folder, model, data, recipe, facts.step, _accuracy(folder), facts.seconds / 60, status)


def find(folder: Path) -> list[Run]:
    """The runs in a folder, in the order of their names.

    Raises
    ------
    InputError
        If there is no such folder.
    """
    if not folder.is_dir():
        raise InputError(f"folder is {folder}; expected a folder of runs")
    return [describe(path.parent) for path in sorted(folder.glob("*/config.json"))]


def _accuracy(folder: Path) -> float | None:
    try:
        return float(json.loads((folder / "result.json").read_text())["accuracy"])
    except (OSError, KeyError, TypeError, ValueError):
        return None
