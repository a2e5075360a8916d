"""A few well-known bugs, planted by hand, and which check notices which.

    bugs, checks, caught = matrix("depthwise_conv")        # caught[bug, check]

`mutations` plants every small bug everywhere and asks whether anything notices; here each check answers for itself. A bug is a
change of the program text of one function of the NumPy reference, or of the geometry that all operations share.
"""

import importlib
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from textwrap import dedent
from typing import NamedTuple

import numpy as np

from xception_np import geometry
from xception_np.check import cases
from xception_np.check.anchors import check_anchors
from xception_np.check.cases import Case
from xception_np.check.comparison import Comparison
from xception_np.check.identities import check_identities
from xception_np.check.operations import SMOOTH_BUDGET, check_adjoint, check_finite_differences, check_like_reference
from xception_np.errors import InputError
from xception_np.ops import spec


class Bug(NamedTuple):
    """A mistake: in this function, what should be `before` is `after`."""

    name: str
    function: str
    before: str
    after: str


BUGS: dict[str, tuple[Bug, ...]] = {
    "depthwise_conv": (
        Bug("dx: kernel flipped", "backward", "dy_tap * weight[i, j]", "dy_tap * weight[-1 - i, -1 - j]"),
        Bug("dx: = instead of +=", "backward", "dx[:, rows, columns] +=", "dx[:, rows, columns] ="),
        Bug("dweight: mean instead of sum", "backward", ".sum(axis=(0, 1, 2))", ".mean(axis=(0, 1, 2))"),
        Bug("y: = instead of +=", "forward", "y_split[:, out_rows, out_columns] +=", "y_split[:, out_rows, out_columns] ="),
        Bug("both passes: kernel flipped", "taps", "yield Tap(i, j,", "yield Tap(self.kernel[0] - 1 - i, self.kernel[1] - 1 - j,"),
        Bug("both passes: stride ignored", "taps", "self.stride[1], width", "1, width"),
        Bug("both passes: pad off by one", "origin", "return top, left", "return top + 1, left"),
    ),
    "batch_norm": (
        Bug("dx: term of the mean missing", "backward", "dy - dbeta / count - ", "dy - "),
        Bug("dx: term of the variance missing", "backward", " - xhat * dgamma / count", ""),
        Bug("dx: not divided by the deviation", "backward", "gamma / std * (", "gamma * ("),
        Bug("dgamma and dbeta swapped", "backward", "), dgamma, dbeta", "), dbeta, dgamma"),
        Bug("y: sum of squares, not their mean", "forward", "((x - mean) ** 2).mean(", "((x - mean) ** 2).sum("),
    ),
}


def _ones(case: Case, y: np.ndarray):
    return np.ones_like(y) if y.ndim else 1.0


def _small(operation: str) -> list[Case]:
    """The first few cases, which suffice for bugs as plain as these."""
    return [case for case in cases.of(operation) if not case.large][:6]


def _with_ones(operation: str) -> Iterator[Comparison]:
    """Errors as they are, not as a part of the largest: with dy = 1 the whole gradient may be 0, but for rounding."""
    for case in _small(operation):
        for found in check_finite_differences(case, "reference", _ones):
            yield found if found.problem else replace(found, error=abs(found.actual - found.expected), budget=SMOOTH_BUDGET)


CHECKS: dict[str, Callable[[str], Iterator[Comparison]]] = {
    "numbers by hand": lambda operation: check_anchors(operation, "reference"),
    "differences, dy random": lambda operation: (
        found for case in _small(operation) for found in check_finite_differences(case, "reference")
    ),
    "differences, dy = 1": _with_ones,
    "adjoint": lambda operation: (found for case in _small(operation) for found in check_adjoint(case, "reference")),
    "identities": lambda operation: iter(check_identities(operation, "reference")),
    "our CPU version": lambda operation: (found for case in _small(operation) for found in check_like_reference(case, "cpu")),
}


def matrix(operation: str) -> tuple[list[str], list[str], np.ndarray]:
    """The bugs of an operation, the checks, and an array of truth values: whether a check (column) notices a bug (row).

    Raises
    ------
    InputError
        If no bugs are kept for such an operation, or a check does not pass without any.
    """
    if operation not in BUGS:
        raise InputError(f"operation is {operation!r}; expected one of {', '.join(BUGS)}")
    failing = [name for name in CHECKS if notices(name, operation)]
    if failing:
        raise InputError(f"{failing[0]} fails for {operation} as it is; expected an operation without bugs to plant some in")
    rows = []
    for bug in BUGS[operation]:
        with planted(operation, bug):
            rows.append([notices(name, operation) for name in CHECKS])
    return [bug.name for bug in BUGS[operation]], list(CHECKS), np.array(rows)


def notices(check: str, operation: str) -> bool:
    """Whether a check of an operation fails, or cannot even run."""
    try:
        with np.errstate(all="ignore"):
            return not all(comparison.ok for comparison in CHECKS[check](operation))
    except Exception:  # a program that stops with any error is not mistaken for a right one
        return True


@contextmanager
def planted(operation: str, bug: Bug) -> Iterator[None]:
    """Inside the `with` block the function has the bug."""
    reference = importlib.import_module(f"xception_np.ops.{operation}.reference")
    owner, module = (geometry.Geometry, geometry) if hasattr(geometry.Geometry, bug.function) else (reference, reference)
    right = getattr(owner, bug.function)
    text = dedent(inspect.getsource(right))
    if bug.before not in text:
        raise InputError(f"bug is {bug}; expected its `before` in {bug.function}")
    names: dict = {}
    exec(text.replace(bug.before, bug.after), vars(module), names)
    setattr(owner, bug.function, names[bug.function])
    _forget()
    try:
        yield
    finally:
        setattr(owner, bug.function, right)
        _forget()


def _forget():
    """What the geometry has kept was computed with other functions."""
    geometry.Geometry.windows.cache_clear()
    geometry.Geometry.output_size.cache_clear()
    spec._all_see.cache_clear()
