"""Which implementations of an operation exist here, and which is chosen.

- `reference`: NumPy, written to be read; the one that the others are compared with.
- `cpu`: serial Numba functions of a tile, and BLAS, on the package's own thread pool; the default.

    ops.conv.forward(x, weight, geometry)                                # the default
    ops.conv.forward(x, weight, geometry, implementation="reference")    # one call
    with implementations.use("reference"): ...                           # everything inside
"""

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

from xception_np.errors import InputError

NAMES = {
    "reference": "NumPy, written to be read",
    "cpu": "Numba and BLAS on all cores",
}
_default = "cpu"


def load(operation: str, implementation: str | None = None) -> ModuleType:
    """The module that implements an operation (a package name such as `xception_np.ops.conv`)."""
    return importlib.import_module(f"{operation}.{_default if implementation is None else _check(implementation)}")


def default() -> str:
    """The implementation that calls without `implementation=` use."""
    return _default


@contextmanager
def use(implementation: str) -> Iterator[None]:
    """Make an implementation the default inside a `with` block."""
    global _default
    before, _default = _default, _check(implementation)
    try:
        yield
    finally:
        _default = before


def table() -> str:
    """The implementations, a line each, the default marked."""
    return "\n".join(f"{'*' if name == _default else ' '} {name:<10} {what}" for name, what in NAMES.items())


def _check(name: str) -> str:
    if not isinstance(name, str) or name not in NAMES:
        raise InputError(f"implementation is {name!r}; expected one of {', '.join(map(repr, NAMES))}")
    return name
