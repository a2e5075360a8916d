"""Weights of other programs, in and out.

    weights.load(model, "xception_weights_tf_dim_ordering_tf_kernels.h5")
    weights.save(model, "xception.weights.h5")

In: Keras's files, legacy `.h5` of Keras 1 to 3, `.weights.h5` and `.keras`; timm's Xception, and our own, as `.safetensors`. Out:
our own, a file that Keras loads, one that timm loads. What a file is, its content says, not its name. Nothing in it is executed:
pickles are refused.
"""

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save as serialise

from xception_np.errors import InputError, check_file
from xception_np.files import is_zip, replacing
from xception_np.models import Model
from xception_np.weights import keras_files, timm_files
from xception_np.weights.keras_layers import require_in_keras
from xception_np.weights.strict import Contents, Entry, assign

_EXPECTED = "weights that Keras, timm or this package wrote: .h5, .keras or .safetensors"
_CONVERT = (
    'python -c "import sys, torch; from safetensors.torch import save_file; save_file(torch.load(sys.argv[1], weights_only=True), '
    'sys.argv[2])" FILE.pth FILE.safetensors'
)
_SAFETENSORS_DTYPES = {"F16": "float16", "F32": "float32", "F64": "float64"}


def load(model: Model, path: Path | str, new_head: bool = False) -> list[str]:
    """Fill a model's arrays from a file, whole or not at all.

    Parameters
    ----------
    model : Model
    path : path of a file
    new_head : bool
        Leave the last layer as it is: for other classes than the file's.

    Returns
    -------
    skipped : list of str
        Names of the file's arrays that were left out for `new_head`.

    Raises
    ------
    InputError
        If the file is none of those, or does not fit the model: what is missing, unexpected or of another shape is named.
    """
    path = Path(path)
    check(path)
    if not _is_safetensors(path):
        with keras_files.opened(path, model) as contents:
            return assign(path, model.parameters + model.moving, contents, new_head)
    return _load_safetensors(model, path, new_head)


def check(path: Path | str) -> None:
    """Look at a file's first bytes: InputError if it is none that `load` reads."""
    path = Path(path)
    check_file("weights", path, _EXPECTED)
    head = _head(path)
    if _is_safetensors(path) or head.startswith(b"\x89HDF\r\n\x1a\n"):
        return
    if head.startswith(b"\x80") or (is_zip(path) and _holds_pickles(path)):
        raise InputError(f"weights {path} are a pickle, which may run any program; convert them where you trust them: {_CONVERT}")
    if not is_zip(path):
        raise InputError(f"weights {path} cannot be read; expected {_EXPECTED}")


def is_timms(path: Path) -> bool:
    """Whether a file has timm's names for its arrays."""
    if not _is_safetensors(path):
        return False
    with _safetensors(path) as file:
        return timm_files.is_one(file.keys())


def save(model: Model, path: Path | str, layout: str | None = None) -> None:
    """Write a model's arrays to a file; an existing one is replaced at the end, or not at all.

    Parameters
    ----------
    model : Model
    path : path
        What it ends in says what it is: `.weights.h5` for Keras 3, `.h5` for any Keras, `.safetensors` for us, or for timm.
    layout : {None, "timm"}
        Of a `.safetensors` file.

    Raises
    ------
    InputError
        If the ending is none of those, or the network is one that timm or Keras does not have.
    """
    path = Path(path)
    check_target(path, layout)
    model.require_in_numpy()
    if path.suffix == ".safetensors":
        arrays = timm_files.arrays(model) if layout else {name: np.array(array) for name, array in model.arrays.items()}
        with replacing(path) as temporary:
            temporary.write_bytes(serialise(arrays))
        return
    require_in_keras(model)
    write = keras_files.write_keras_3 if path.name.endswith(".weights.h5") else keras_files.write_legacy
    with replacing(path) as temporary:
        temporary.touch()  # where that is not possible, the system says why; h5py does not
        try:
            write(temporary, model)
        except RuntimeError as error:
            raise OSError(None, f"HDF5 failed to write ({error})") from error


def check_target(path: Path | str, layout: str | None = None) -> None:
    """InputError if `save` does not write such files."""
    path = Path(path)
    if layout not in (None, "timm"):
        raise InputError(f"layout is {layout!r}; expected None or 'timm'")
    if layout and path.suffix != ".safetensors":
        raise InputError(f"layout is {layout!r}; expected it with a .safetensors file, and {path} is none")
    if path.suffix not in (".h5", ".safetensors"):
        raise InputError(f"weights {path} end in {path.suffix!r}; expected .weights.h5, .h5 or .safetensors")


def _load_safetensors(model: Model, path: Path, new_head: bool) -> list[str]:
    parameters = model.parameters + model.moving
    with _safetensors(path) as file:
        entries = {name: _entry(file, name) for name in file.keys()}  # noqa: SIM118 (not a mapping: it has no __iter__)
        if timm_files.is_one(entries):
            return assign(path, parameters, timm_files.matched(path, entries, model), new_head)
        shapes = {parameter.name: (parameter.shape,) for parameter in parameters}
        unexpected = [name for name in entries if name not in shapes]
        return assign(path, parameters, Contents(entries, unexpected, shapes), new_head)


@contextmanager
def _safetensors(path: Path) -> Iterator[Any]:
    """A safetensors file, whose errors are sentences."""
    try:
        with safe_open(path, framework="numpy") as file:
            yield file
    except (OSError, SafetensorError, UnicodeError, OverflowError, TypeError) as error:
        raise InputError(f"weights {path} cannot be read; expected {_EXPECTED}") from error


def _entry(file: Any, name: str) -> Entry:
    part = file.get_slice(name)
    dtype = part.get_dtype()
    return Entry(name, tuple(part.get_shape()), _SAFETENSORS_DTYPES.get(dtype, dtype), lambda: file.get_tensor(name))


def _head(path: Path) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(16)
    except OSError as error:
        raise InputError(f"weights {path} cannot be read ({error.strerror})") from error


def _is_safetensors(path: Path) -> bool:
    """The length of a JSON text, eight bytes that may look like anything, and then that text."""
    return _head(path)[8:9] == b"{"


def _holds_pickles(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            return any(name.endswith((".pkl", ".pickle")) for name in archive.namelist())
    except (OSError, ValueError, NotImplementedError, zipfile.BadZipFile):
        return False


__all__ = ["check", "check_target", "is_timms", "load", "save"]
