"""Weights of other programs, in and out.

    weights.load(model, "xception_weights_tf_dim_ordering_tf_kernels.h5")
    weights.save(model, "xception.weights.h5")

In: Keras's files, legacy `.h5` of Keras 1 to 3, `.weights.h5` and `.keras`; timm's Xception, and our own, as `.safetensors`. Out:
our own, a file that Keras loads, one that timm loads. What a file is, its content says, not its name. Nothing in it is executed:
pickles are refused.
"""

from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from xception_np.errors import InputError, check_file
from xception_np.files import replacing
from xception_np.models import Model
from xception_np.weights import keras_files, timm_files
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
    check_file("weights", path, _EXPECTED)
    with open(path, "rb") as file:
        head = file.read(16)
    parameters = model.parameters + model.moving
    if head.startswith(b"\x89HDF\r\n\x1a\n") or (head.startswith(b"PK") and path.suffix not in (".pth", ".pt")):
        with keras_files.opened(path, model) as contents:
            return assign(path, parameters, contents, new_head)
    if head.startswith((b"PK", b"\x80")):
        raise InputError(f"weights {path} are a pickle, which may run any program; convert them where you trust them: {_CONVERT}")
    return _load_safetensors(model, path, new_head)


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
        If the ending is none of those, or the network is one that timm does not have.
    """
    path = Path(path)
    if layout not in (None, "timm"):
        raise InputError(f"layout is {layout!r}; expected None or 'timm'")
    if layout and path.suffix != ".safetensors":
        raise InputError(f"layout is {layout!r}; expected it with a .safetensors file, and {path} is none")
    if path.name.endswith(".weights.h5"):
        write: Any = keras_files.write_keras_3
    elif path.suffix == ".h5":
        write = keras_files.write_legacy
    elif path.suffix == ".safetensors":
        arrays = timm_files.arrays(model) if layout else {name: np.array(array) for name, array in model.arrays.items()}
        write = lambda temporary, _: save_file(arrays, temporary)  # noqa: E731
    else:
        raise InputError(f"weights {path} end in {path.suffix!r}; expected .weights.h5, .h5 or .safetensors")
    with replacing(path) as temporary:
        write(temporary, model)


def _load_safetensors(model: Model, path: Path, new_head: bool) -> list[str]:
    try:
        with safe_open(path, framework="numpy") as file:
            entries = {name: _entry(file, name) for name in file.keys()}  # noqa: SIM118 (not a mapping: it has no __iter__)
            parameters = model.parameters + model.moving
            if timm_files.is_one(entries):
                return assign(path, parameters, timm_files.matched(path, entries, model), new_head)
            shapes = {parameter.name: (parameter.shape,) for parameter in parameters}
            unexpected = [name for name in entries if name not in shapes]
            return assign(path, parameters, Contents(entries, unexpected, shapes), new_head)
    except (OSError, SafetensorError, UnicodeError, OverflowError, TypeError) as error:
        raise InputError(f"weights {path} cannot be read; expected {_EXPECTED}") from error


def _entry(file: Any, name: str) -> Entry:
    part = file.get_slice(name)
    dtype = part.get_dtype()
    return Entry(name, tuple(part.get_shape()), _SAFETENSORS_DTYPES.get(dtype, dtype), lambda: file.get_tensor(name))


__all__ = ["load", "save"]
