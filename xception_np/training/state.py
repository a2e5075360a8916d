"""The state of a run: everything that its next step depends on, in one file, so that weights and optimizer always match.

A run that goes on from `state.safetensors` reads no other file's arrays. A kill at any moment leaves the old state or the new
one, whole (`files.replacing`).
"""

import json
import math
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save as serialise

from xception_np.arrays import to_host, write
from xception_np.errors import InputError, check_file, is_whole
from xception_np.files import replacing

_KEY = "xception_np_state"


class Facts(NamedTuple):
    """Where a run is.

    config : what the run was started with; must be the same to go on
    step : steps taken
    seconds : time spent on them, over all starts
    finished : whether the epochs or the minutes are over
    best_accuracy : of the best checkpoint on the validation pictures, 0 to 1; None before there is one
    """

    config: dict[str, Any]
    step: int
    seconds: float
    finished: bool
    best_accuracy: float | None


def save(path: Path, facts: Facts, arrays: dict[str, np.ndarray]) -> None:
    """Write a state, its arrays from wherever they are; an existing file is replaced at the end, or not at all."""
    with replacing(path) as temporary:
        stored = {name: to_host(array) for name, array in arrays.items()}
        temporary.write_bytes(serialise(stored, metadata={_KEY: json.dumps(facts._asdict())}))


def read_facts(path: Path) -> Facts:
    """Where a run is, without its arrays."""
    return _read(path, {})


def restore(path: Path, arrays: dict[str, np.ndarray]) -> Facts:
    """Read a state into these arrays.

    Raises
    ------
    InputError
        If the file is missing, not one of ours, or does not hold exactly these arrays; then nothing is written to them.
    """
    return _read(path, arrays)


def _read(path: Path, arrays: dict[str, np.ndarray]) -> Facts:
    expected = "the state.safetensors of a run"
    check_file("state", path, expected)
    try:
        with safe_open(path, framework="numpy") as file:
            facts = _checked(Facts(**json.loads((file.metadata() or {})[_KEY])))
            if arrays:
                found = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a mapping: it has no __iter__)
                _check(path, found, arrays)
                for name, array in arrays.items():
                    write(array, found[name])
            return facts
    except (OSError, SafetensorError, KeyError, TypeError, ValueError, RecursionError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"state {path} cannot be read; expected {expected}") from error


def _checked(facts: Facts) -> Facts:
    """The facts, if they can be a run's; ValueError if not."""
    best = facts.best_accuracy
    fits = (
        isinstance(facts.config, dict)
        and isinstance(facts.config.get("settings", {}), dict)
        and isinstance(facts.finished, bool)
        and is_whole(facts.step)
        and facts.step >= int(facts.finished)  # who has finished has taken a step
        and isinstance(facts.seconds, float)
        and 0 <= facts.seconds < math.inf
        and (best is None or (isinstance(best, float) and 0 <= best <= 1))
    )
    if not fits:
        raise ValueError(f"facts are {facts}")
    return facts


def _check(path: Path, found: dict[str, np.ndarray], expected: dict[str, np.ndarray]) -> None:
    kinds = [{name: (array.dtype.name, array.shape) for name, array in arrays.items()} for arrays in (found, expected)]
    if kinds[0] != kinds[1]:
        name = min(name for name in kinds[0].keys() | kinds[1].keys() if kinds[0].get(name) != kinds[1].get(name))
        raise InputError(f"state {path} has {name} as {kinds[0].get(name)}; expected {kinds[1].get(name)}, as in this model")
