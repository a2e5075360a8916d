"""Into a model goes everything or nothing: what a file holds is compared with what the model wants before one number is written."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from xception_np import arrays
from xception_np.errors import InputError
from xception_np.layers import Parameter
from xception_np.models import is_head

LONGEST_NAME = 100  # characters of a name that a message shows
MOST_NAMED = 8  # problems that a message lists; of more, it says how many there are
DTYPES = ("float16", "float32", "float64")


class Entry(NamedTuple):
    """An array in a file that is not read yet.

    name : in the file
    shape, dtype : as the file says
    read : () -> the array, in the model's shape
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    read: Callable[[], np.ndarray]


class Contents(NamedTuple):
    """What a file has for a model.

    entries : {our name of an array: what the file has for it}
    unexpected : names in the file that no array of the model answers to
    shapes : {our name of an array: shapes in the file that will do}
    """

    entries: Mapping[str, Entry]
    unexpected: list[str]
    shapes: Mapping[str, tuple[tuple[int, ...], ...]]


def assign(path, parameters: list[Parameter], contents: Contents, new_head: bool) -> list[str]:
    """Fill a model's arrays from a file.

    Parameters
    ----------
    path : of the file, for messages
    parameters : all of the model's, moving statistics too
    contents : Contents
    new_head : bool
        Leave the last layer as it is, whatever the file has for it.

    Returns
    -------
    skipped : list of str
        What the file has for the last layer and was not read.

    Raises
    ------
    InputError
        If an array is missing, unexpected, of another shape or of no float dtype, or holds a number that is not finite: all such
        arrays are named, and the model is as it was.
    """
    entries, unexpected, shapes = contents
    chosen = [parameter for parameter in parameters if not (new_head and is_head(parameter.name))]
    skipped = [entry.name for name, entry in entries.items() if new_head and is_head(name)]
    problems = [f"{parameter.name} is missing" for parameter in chosen if parameter.name not in entries]
    problems += [f"{printable(name)} is unexpected" for name in sorted(unexpected)]
    for parameter in chosen:
        entry = entries.get(parameter.name)
        if entry is None:
            continue
        if entry.shape not in shapes[parameter.name]:
            shape = printable(str(entry.shape))
            problems.append(f"{printable(entry.name)} has shape {shape}, expected {shapes[parameter.name][0]}")
        elif entry.dtype not in DTYPES:
            problems.append(f"{printable(entry.name)} is of {printable(entry.dtype)}, expected one of {', '.join(DTYPES)}")
    _refuse(path, problems)
    values = [_read(parameter, entries[parameter.name]) for parameter in chosen]
    faults = [(entries[parameter.name].name, fault(parameter.name, value)) for parameter, value in zip(chosen, values, strict=True)]
    _refuse(path, [f"{printable(name)} {found}" for name, found in faults if found])
    for parameter, value in zip(chosen, values, strict=True):
        arrays.write(parameter.value, value)
    return skipped


def fault(name: str, value: np.ndarray) -> str:
    """What makes numbers unfit for the parameter of this name; empty if nothing does."""
    if not np.isfinite(value).all():
        return "holds numbers that are not finite"
    return "is a variance below 0" if name.endswith("/moving_variance") and value.min() < 0 else ""


def printable(name: str) -> str:
    """A name from a file as a message may show it: on one line, without control characters, and not endless."""
    shown = "".join(letter if letter.isprintable() else "?" for letter in name)
    return shown if len(shown) <= LONGEST_NAME else f"{shown[:LONGEST_NAME]}..."


def _read(parameter: Parameter, entry: Entry) -> np.ndarray:
    with np.errstate(over="ignore", invalid="ignore"):  # what does not become a number is refused by the caller
        return entry.read().astype(parameter.value.dtype, copy=False).reshape(parameter.shape)


def listed(problems: list[str]) -> str:
    """Problems in one sentence, which is not endless."""
    more = f"; and {len(problems) - MOST_NAMED:,} more" if len(problems) > MOST_NAMED else ""
    return "; ".join(problems[:MOST_NAMED]) + more


def _refuse(path, problems: list[str]) -> None:
    if problems:
        raise InputError(f"weights {path} do not fit the model: {listed(problems)}; nothing was loaded")
