"""Checkpoints: a model in a safetensors file, with what is needed to use it again.

Arrays are stored under their Keras-like names. The metadata holds one JSON document: the model's table, the classes'
names, the preprocessing of the pictures, and how far the training went. Nothing in such a file can be executed.
"""

import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save as serialise

from xception_np import models
from xception_np.data import Preprocessing
from xception_np.errors import InputError
from xception_np.models import Model
from xception_np.training.files import replacing

_KEY = "xception_np"
_EXPECTED = "a .safetensors file that `xception-np train` wrote"


class Checkpoint(NamedTuple):
    """A model, and what it was trained on.

    classes : names of the outputs
    preprocessing : what was done to the pictures
    training : free-form facts about the run: data set, epochs, seed, ...
    """

    model: Model
    classes: tuple[str, ...]
    preprocessing: Preprocessing
    training: dict[str, Any]


def save(path: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint; an existing file is replaced at the end, or not at all."""
    model, classes, preprocessing, training = checkpoint
    document = {
        "model": model.name,
        "classes": list(classes),
        "preprocessing": preprocessing.to_json(),
        "training": training,
    }
    with replacing(path) as temporary:
        temporary.write_bytes(serialise(model.arrays, metadata={_KEY: json.dumps(document)}))


def load(path: Path) -> Checkpoint:
    """Read a checkpoint.

    Raises
    ------
    InputError
        If the file is missing, not one of ours, or does not hold exactly the model's arrays: all that are missing, unexpected or
        of another shape are named, and nothing is loaded.
    """
    try:
        with safe_open(path, framework="numpy") as file:
            document = json.loads((file.metadata() or {})[_KEY])
            names = file.keys()
            slices = {name: file.get_slice(name) for name in names}
            shapes = {name: (tuple(part.get_shape()), part.get_dtype()) for name, part in slices.items()}
            classes, preprocessing = _described(document, path)
            model = models.build(document["model"], len(classes))
            _check_names(path, shapes, model.arrays)
            for name, array in model.arrays.items():
                array[...] = file.get_tensor(name)
    except FileNotFoundError as error:
        raise InputError(f"checkpoint {path} does not exist; expected {_EXPECTED}") from error
    except (OSError, SafetensorError, KeyError, json.JSONDecodeError) as error:
        raise InputError(f"checkpoint {path} cannot be read; expected {_EXPECTED}") from error
    return Checkpoint(model, classes, preprocessing, document["training"])


def _described(document, path: Path) -> tuple[tuple[str, ...], Preprocessing]:
    fits = isinstance(document, dict) and {"model", "classes", "preprocessing", "training"} <= document.keys()
    if not fits or not isinstance(document["classes"], list) or not isinstance(document["training"], dict):
        raise InputError(f"checkpoint {path} does not say what it holds; expected model, classes, preprocessing and training")
    return tuple(map(str, document["classes"])), Preprocessing.from_json(document["preprocessing"])


def _check_names(path: Path, found: dict[str, tuple[tuple[int, ...], str]], expected: dict[str, np.ndarray]) -> None:
    problems = [f"{name} is missing" for name in expected.keys() - found.keys()]
    problems += [f"{name} is unexpected" for name in found.keys() - expected.keys()]
    for name in sorted(expected.keys() & found.keys()):
        shape, dtype = found[name]
        if shape != expected[name].shape or dtype != "F32":
            problems.append(f"{name} is {dtype} of shape {shape}, expected F32 of shape {expected[name].shape}")
    if problems:
        raise InputError(f"checkpoint {path} does not fit the model: {'; '.join(sorted(problems))}")
