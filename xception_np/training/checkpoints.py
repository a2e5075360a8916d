"""Checkpoints: a model in a safetensors file, with what is needed to use it again.

Arrays are stored under their Keras-like names. The metadata holds one JSON document: the model's table, the classes'
names, the preprocessing of the pictures, and how far the training went. Nothing in such a file can be executed.
"""

import json
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save as serialise

from xception_np import arrays, models
from xception_np.data import Preprocessing
from xception_np.data.dataset import check_class_names
from xception_np.errors import InputError, check_file
from xception_np.files import replacing
from xception_np.layers import Chain
from xception_np.models import Model
from xception_np.weights.strict import fault, listed, printable

LARGEST_SIZE = 4096  # pixels a side: what a file claims is bounded before memory is asked for
_KEY = "xception_np"
_DAMAGED = (OSError, SafetensorError, KeyError, RecursionError, UnicodeError, TypeError, OverflowError, json.JSONDecodeError)
_EXPECTED = "a .safetensors file that `xception-np train` wrote"


class Checkpoint(NamedTuple):
    """A model, and what it was trained on.

    classes : names of the outputs
    preprocessing : what was done to the pictures
    training : free-form facts about the run: data set, epochs, seed, whether pictures were mirrored, ...
    """

    model: Model
    classes: tuple[str, ...]
    preprocessing: Preprocessing
    training: dict[str, Any]

    def predict(self, pictures: np.ndarray) -> np.ndarray:
        """Logits (N, classes) of pictures.

        Parameters
        ----------
        pictures : (N, size, size, 3) array
            Pixels from 0 to 255 as uint8, or prepared ones as float32. Those that look as if they were not prepared, or prepared in
            another way, get an answer and a warning.
        """
        if isinstance(pictures, np.ndarray) and pictures.dtype == np.uint8:
            return self.model.predict(self.preprocessing.apply(pictures))
        logits = self.model.predict(pictures)
        doubt = self.preprocessing.doubt(pictures)
        if doubt:
            warnings.warn(doubt, stacklevel=2)
        return logits


def save(path: Path | str, checkpoint: Checkpoint, dtype=np.float32) -> None:
    """Write a checkpoint, in float32 or float16; an existing file is replaced at the end, or not at all.

    The file names the network, and `load` builds it by that name. One of a table that has no place in `models.TABLES` is for
    `load_weights`.

    Raises
    ------
    InputError
        If the file cannot be written, a number does not fit into the dtype, there is not a name for each output, different from all
        others and to be shown, pictures are too large, or the model's table has the name of another one.
    """
    path = Path(path)
    model, classes, preprocessing, training = checkpoint
    _check_model(model, len(classes))
    document = {
        "model": model.name,
        "classes": list(classes),
        "preprocessing": preprocessing.to_json(),
        "training": training,
    }
    if dtype not in (np.float32, np.float16):
        raise InputError(f"dtype is {dtype!r}; expected float32 or float16")
    with np.errstate(over="ignore"):
        stored = {name: arrays.to_host(array).astype(dtype) for name, array in model.arrays.items()}
    if not all(np.isfinite(array).all() for array in stored.values()):
        raise InputError(f"checkpoint {path} would hold NaN or infinity; expected numbers that fit into {np.dtype(dtype)}")
    text = json.dumps(document)
    _described(json.loads(text), path)  # what could not be read again must not replace what can
    with replacing(path) as temporary:
        temporary.write_bytes(serialise(stored, metadata={_KEY: text}))


def load(path: Path | str) -> Checkpoint:
    """Read a checkpoint.

    Raises
    ------
    InputError
        If the file is missing, not one of ours, or does not hold exactly the model's arrays: those that are missing, unexpected or
        of another shape are named, and nothing is loaded.
    """
    path = Path(path)
    with _opened(path) as file:
        document = _document(file, path)
        classes, preprocessing = _described(document, path)
        _check_arrays(path, file, document["model"], len(classes))
        model = models.build(document["model"], len(classes))
        _read_arrays(path, file, model)
    return Checkpoint(model, classes, preprocessing, document["training"])


class Description(NamedTuple):
    """What a checkpoint is of, without its arrays."""

    network: str
    classes: tuple[str, ...]
    preprocessing: Preprocessing


def is_one(path: Path) -> bool:
    """Whether a file looks like a checkpoint of this package: a safetensors file with our name in its head."""
    try:
        with safe_open(path, framework="numpy") as file:
            return _KEY in (file.metadata() or {})
    except _DAMAGED:
        return False


def describe(path: Path) -> Description:
    """What a checkpoint is of; InputError as in `load`."""
    with _opened(path) as file:
        document = _document(file, path)
        classes, preprocessing = _described(document, path)
        return Description(document["model"], classes, preprocessing)


def load_weights(path: Path, model: Model) -> None:
    """Read a checkpoint's arrays into a model of the same kind; InputError as in `load`."""
    with _opened(path) as file:
        _read_arrays(path, file, model)


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """A safetensors file, whose errors are sentences."""
    check_file("checkpoint", path, _EXPECTED)
    try:
        with safe_open(path, framework="numpy") as file:
            yield file
    except _DAMAGED as error:
        raise InputError(f"checkpoint {path} cannot be read; expected {_EXPECTED}") from error


def _check_model(model: Model, classes: int) -> None:
    if classes != model.classes:
        raise InputError(f"classes has {classes} names; expected {model.classes}, one for each output of the model")
    try:
        known = models.find(model.name)
    except InputError:  # somebody's own
        return
    if model.table != known:
        raise InputError(
            f"model is a changed {model.name}, which would be loaded as the original; expected a name of its own: "
            "table._replace(name=...)"
        )


def _check_arrays(path: Path, file: Any, name: str, classes: int) -> None:
    """Compare the file's arrays with a network's before that is built: a small file cannot ask for much memory."""
    try:
        chain = Chain(name, models.layers_of(models.find(name), classes))
    except InputError as error:
        raise InputError(f"checkpoint {path} has a network that is not known: {error}") from error
    _check_names(path, file, {parameter.name: parameter.shape for parameter in chain.parameters + chain.moving})


def _read_arrays(path: Path, file: Any, model: Model) -> None:
    _check_names(path, file, {name: array.shape for name, array in model.arrays.items()})
    found = {name: file.get_tensor(name) for name in model.arrays}
    problems = [f"{name} {what}" for name, array in found.items() if (what := fault(name, array))]
    if problems:
        raise InputError(f"checkpoint {path} is damaged: {listed(problems)}; nothing was loaded")
    for name, array in model.arrays.items():
        arrays.write(array, found[name])


def _document(file: Any, path: Path) -> Any:
    text = (file.metadata() or {})[_KEY]
    try:
        return json.loads(text)
    except ValueError as error:  # a number of thousands of digits is one, too
        raise InputError(f"checkpoint {path} cannot be read; expected {_EXPECTED}") from error


def _described(document, path: Path) -> tuple[tuple[str, ...], Preprocessing]:
    fits = isinstance(document, dict) and {"model", "classes", "preprocessing", "training"} <= document.keys()
    kinds = {"model": str, "classes": list, "training": dict}
    if not fits or not all(isinstance(document[name], kind) for name, kind in kinds.items()):
        raise InputError(f"checkpoint {path} does not say what it holds; expected model, classes, preprocessing and training")
    classes, preprocessing = document["classes"], Preprocessing.from_json(document["preprocessing"])
    if not classes or len(set(map(str, classes))) < len(classes) or not all(isinstance(name, str) for name in classes):
        raise InputError(f"checkpoint {path} has {len(classes)} classes; expected their names, one or more, all different")
    try:
        check_class_names(classes)
    except InputError as error:
        raise InputError(f"checkpoint {path}: {error}") from error
    if preprocessing.size > LARGEST_SIZE:
        raise InputError(f"checkpoint {path} wants pictures of {preprocessing.size} pixels; expected at most {LARGEST_SIZE}")
    return tuple(classes), preprocessing


def _check_names(path: Path, file: Any, expected: dict[str, tuple[int, ...]]) -> None:
    slices = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118 (not a mapping: it has no __iter__)
    found = {name: (tuple(part.get_shape()), part.get_dtype()) for name, part in slices.items()}
    problems = [f"{name} is missing" for name in expected.keys() - found.keys()]
    problems += [f"{printable(name)} is unexpected" for name in found.keys() - expected.keys()]
    for name in sorted(expected.keys() & found.keys()):
        shape, dtype = found[name]
        if shape != expected[name] or dtype not in ("F32", "F16"):
            problems.append(f"{name} is {dtype} of shape {printable(str(shape))}, expected F32 or F16 of shape {expected[name]}")
    if problems:
        raise InputError(f"checkpoint {path} does not fit the model: {listed(sorted(problems))}")
