"""Which implementations of an operation exist here, and which is chosen.

- `reference`: NumPy, written to be read; the one that the others are compared with.
- `cpu`: compiled passes whose threads draw tiles, and BLAS, on the package's own thread pool; the default for NumPy arrays.
- `gpu`: CUDA kernels, on CuPy arrays: tiled where an operation has tiled ones.
- `emulated`: the same kernels run on the CPU, thread by thread, on arrays that NumPy cannot touch by accident.
- `gpu_naive`, `emulated_naive`: kernels with one thread a number of the result, the ones to read first.

    ops.conv.forward(x, weight, geometry)                                # where the arrays are; the default for NumPy arrays
    ops.conv.forward(x, weight, geometry, implementation="reference")    # one call
    with implementations.use("reference"): ...                           # every NumPy array inside

Arrays are where an implementation computes, or it is an error: nothing is copied in silence (`arrays.to_device`, `arrays.to_host`).
"""

import importlib
import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from types import ModuleType
from typing import NamedTuple

from xception_np import arrays
from xception_np.errors import InputError


class Implementation(NamedTuple):
    """What it is, where its arrays are, and its module in an operation's folder: the first of these that there is."""

    what: str
    place: str
    modules: tuple[str, ...]


_RUNGS = ("gpu_tiled", "gpu")  # of an operation's CUDA kernels, the fastest first
NAMES = {
    "reference": Implementation("NumPy, written to be read", arrays.NUMPY, ("reference",)),
    "cpu": Implementation("Numba and BLAS on all cores", arrays.NUMPY, ("cpu",)),
    "gpu": Implementation("CUDA, on CuPy arrays", "gpu", _RUNGS),
    "emulated": Implementation("the CUDA kernels on a CPU, thread by thread", "emulated", _RUNGS),
    "gpu_naive": Implementation("CUDA, one thread a number", "gpu", _RUNGS[-1:]),
    "emulated_naive": Implementation("those on a CPU", "emulated", _RUNGS[-1:]),
}
ON_NUMPY = ("reference", "cpu")
_NESTED = (tuple, list)  # what caches are made of
_default = "cpu"


def load(operation: str, implementation: str | None = None, **arguments) -> ModuleType:
    """The module that implements an operation for arrays as these.

    Parameters
    ----------
    operation : str
        A package name such as `xception_np.ops.conv`.
    implementation : str, optional
        One of `NAMES`; where the arrays are decides if it is not given.
    **arguments
        Arrays, and caches with arrays, by their names: all of them must be where the implementation computes.

    Raises
    ------
    InputError
        If there is no such implementation, or not here, or arrays are elsewhere.
    """
    places: list[tuple[str, str]] = []
    for name, value in arguments.items():
        _find_places(name, value, places)
    if implementation is None:
        implementation = _chosen(places[0][1] if places else arrays.NUMPY)
    wanted = place(check(implementation))
    for name, found in places:
        if found != wanted:
            raise InputError(
                f"{name} is {arrays.WHERE[found]} but implementation {implementation!r} computes {arrays.WHERE[wanted]}; "
                f"expected {name} there: move it with {_mover(wanted, name)}"
            )
    return _first_of(operation, NAMES[implementation].modules)


def place(implementation: str) -> str:
    """Where the arrays are that an implementation computes with: as `arrays.place_of` says it."""
    return NAMES[implementation].place


def default() -> str:
    """The implementation that calls without `implementation=` use, where arrays are in NumPy or where it computes."""
    return _default


@contextmanager
def use(implementation: str) -> Iterator[None]:
    """Make an implementation the default inside a `with` block, in the whole process."""
    global _default
    before, _default = _default, check(implementation)
    try:
        yield
    finally:
        _default = before


def table() -> str:
    """The implementations, a line each, the default marked."""
    return "\n".join(f"{'*' if name == _default else ' '} {name:<14} {each.what}" for name, each in NAMES.items())


def check(name: str) -> str:
    """The name of an implementation, if there is one and it can compute here; an `InputError` says what is missing."""
    if not isinstance(name, str) or name not in NAMES:
        raise InputError(f"implementation is {name!r}; expected one of {', '.join(map(repr, NAMES))}")
    if name not in ON_NUMPY:
        arrays.device(place(name))
    return name


def _chosen(found: str) -> str:
    """The implementation for arrays in a place: the default, unless it computes elsewhere and they are on a device."""
    return _default if found in (arrays.NUMPY, place(_default)) else found


@cache
def _first_of(operation: str, modules: tuple[str, ...]) -> ModuleType:
    for name in modules:
        if importlib.util.find_spec(f"{operation}.{name}"):
            return importlib.import_module(f"{operation}.{name}")
    raise InputError(f"operation {operation.rpartition('.')[2]} has no CUDA kernel yet; expected NumPy arrays: arrays.to_host")


def _find_places(name: str, value, found: list[tuple[str, str]]) -> None:
    """Append (argument's name, where it is) for every array in it."""
    where = arrays.place_of(value)
    if where:
        found.append((name, where))
    elif isinstance(value, _NESTED):
        for item in value:
            _find_places(name, item, found)


def _mover(wanted: str, name: str) -> str:
    return f"arrays.to_host({name})" if wanted == arrays.NUMPY else f"arrays.to_device({name}, {wanted!r})"
