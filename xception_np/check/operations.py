"""Every check of an operation that can be made from its cases alone.

    for comparison in check_operation("conv", "cpu"):
        print(comparison)

- `finite differences`: each gradient, every element, against the definition of a derivative.
- `adjoint`: <y, dy> = <x, dx> = <weight, dweight> where the operation is linear, at any size.
- `like reference`: another implementation's results, forward and backward, each with either's cache.
- `NaN`: a result that depends on a NaN is one.

Where the budgets come from. A sum of n rounded terms is wrong by about sqrt(n) to n times the spacing of the numbers
(2e-16 in float64, 1e-7 in float32) in parts of the largest; here n is at most a few hundred, a few thousand in the
cases of several tiles.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from xception_np.check import cases
from xception_np.check.cases import Case
from xception_np.check.comparison import Comparison, compare
from xception_np.check.gradients import adjoint, finite_differences

LINEAR_STEP, LINEAR_BUDGET = 1.0, 1e-10  # exact for what is linear: rounding only
SMOOTH_STEP, SMOOTH_BUDGET = 1e-5, 1e-7  # curvature times step**2, 1e-10, and rounding / step, 1e-11, times what cancels
SAME = {np.dtype(np.float64): 1e-12, np.dtype(np.float32): 2e-5}  # the same sums in another order


def check_operation(operation: str, implementation: str) -> list[Comparison]:
    """Every comparison for every case of an operation, in float64."""
    return [comparison for case in cases.of(operation) for comparison in check_case(case, implementation)]


def check_case(case: Case, implementation: str) -> Iterator[Comparison]:
    """Every comparison for one case, in float64."""
    yield from check_adjoint(case, implementation)
    if implementation != "reference":
        yield from check_like_reference(case, implementation)
    yield from check_not_a_number(case, implementation)
    if not case.large:
        yield from check_finite_differences(case, implementation)


def check_finite_differences(case: Case, implementation: str, upstream=Case.upstream) -> Iterator[Comparison]:
    """One comparison for each gradient. `upstream(case, y)` is dy: random, unless it is to be shown what another one misses."""
    step, budget = (LINEAR_STEP, LINEAR_BUDGET) if case.traits.linear else (SMOOTH_STEP, SMOOTH_BUDGET)
    arguments = case.arguments()
    _, dy, gradients = passes(case, arguments, implementation, upstream)

    def function():
        return case.forward(arguments, implementation)[0]

    for (name, _, array), gradient in zip(case.differentiable(arguments), gradients, strict=True):
        numeric = finite_differences(function, array, dy, step)
        yield compare(gradient, numeric, budget, f"{_label(case, implementation)}: d{name} by finite differences")


def check_adjoint(case: Case, implementation: str) -> Iterator[Comparison]:
    """One comparison for each group of arguments in which the operation is linear."""
    arguments = case.arguments()
    y, dy, gradients = passes(case, arguments, implementation)
    named = case.differentiable(arguments)
    for group in case.traits.adjoint:
        picked = [k for k, (_, position, _) in enumerate(named) if position in group]
        what = f"{_label(case, implementation)}: <{' '.join(named[k][0] for k in picked)}> = <y> by the adjoint"
        yield adjoint(y, dy, [named[k][2] for k in picked], [gradients[k] for k in picked], what=what)


def check_like_reference(
    case: Case, implementation: str, dtype=np.float64, expected: "Expected | None" = None
) -> Iterator[Comparison]:
    """Results of the implementation against the reference's, which computes in float64 from the same rounded arguments."""
    budget, label = SAME[np.dtype(dtype)], _label(case, implementation)
    arguments, exact_y, dy, exact = expected or expected_passes(case, dtype)

    y, cache = case.forward(arguments, implementation)
    _, reference_cache = case.forward(arguments, "reference")
    yield compare(y, exact_y, budget, f"{label}: y like reference")
    for who, used, whose in (
        (implementation, cache, ""),
        (implementation, reference_cache, ", from the reference's cache"),
        ("reference", cache, ", by the reference from this cache"),
    ):
        gradients = as_list(case.backward(dy, used, who))
        for (name, _, _), actual, exact_gradient in zip(case.differentiable(arguments), gradients, exact, strict=True):
            yield compare(actual, exact_gradient, budget, f"{label}: d{name} like reference{whose}")


def check_passes(case: Case, implementation: str, expected: "Expected") -> Iterator[Comparison]:
    """The result of one forward pass, and then those of one backward pass, against what they should be."""
    arguments, exact_y, dy, exact = expected
    budget, label = SAME[exact[0].dtype], _label(case, implementation)
    y, cache = case.forward(arguments, implementation)
    yield compare(y, exact_y, budget, f"{label}: y like reference")
    gradients = as_list(case.backward(dy, cache, implementation))
    for (name, _, _), actual, exact_gradient in zip(case.differentiable(arguments), gradients, exact, strict=True):
        yield compare(actual, exact_gradient, budget, f"{label}: d{name} like reference")


def check_not_a_number(case: Case, implementation: str) -> Iterator[Comparison]:
    """NaN in one element of an argument, or of dy, is NaN in everything that depends on that element.

    What depends on it is what changes when the element does. Compared are 1 for NaN and 0 for a number, there.
    """
    label = _label(case, implementation)
    arguments = case.arguments()
    _, dy, _ = passes(case, arguments, implementation)

    def forward():
        return [case.forward(arguments, implementation)[0]]

    def backward():
        cache = case.forward(arguments, implementation)[1]
        return as_list(case.backward(dy, cache, implementation))

    changed = [(f"NaN in {name}", array, forward) for name, _, array in case.differentiable(arguments)]
    if isinstance(dy, np.ndarray):
        changed.append(("NaN in dy", dy, backward))
    for what, array, function in changed:
        before = function()
        for after, poisoned, number in zip(*_with_element(array, function), before, strict=True):
            depends = np.asarray(after != number, np.float64)
            yield compare(depends * np.isnan(poisoned), depends, 0.5, f"{label}: {what}")


def _with_element(array: np.ndarray, function) -> Iterator[list]:
    """function() with the array's middle element much larger, and with NaN there."""
    middle = tuple(size // 2 for size in array.shape)
    value = array[middle]
    for element in (value + 1000, np.nan):
        array[middle] = element
        yield function()
    array[middle] = value


def passes(case: Case, arguments: tuple, implementation: str, upstream=Case.upstream) -> tuple:
    """(y, dy, list of gradients) of one forward and one backward pass."""
    y, cache = case.forward(arguments, implementation)
    dy = upstream(case, np.asarray(y))
    return y, dy, as_list(case.backward(dy, cache, implementation))


class Expected(NamedTuple):
    """Arguments of a case, and what the reference makes of them in float64, rounded to their own dtype."""

    arguments: tuple
    y: np.ndarray | float
    dy: np.ndarray | float
    gradients: list[np.ndarray]


def expected_passes(case: Case, dtype) -> Expected:
    """What one forward and one backward pass should give."""
    arguments = case.arguments(dtype)
    y, dy, gradients = passes(case, tuple(map(_as_float64, arguments)), "reference")
    return Expected(arguments, _rounded(y, dtype), _rounded(dy, dtype), [_rounded(gradient, dtype) for gradient in gradients])


def as_list(gradients) -> list[np.ndarray]:
    """What a backward pass returned, one array or several, as a list."""
    return list(gradients) if isinstance(gradients, tuple | list) else [gradients]


def _label(case: Case, implementation: str) -> str:
    return f"{case.operation}.{implementation}, {case.name}"


def _as_float64(argument):
    if isinstance(argument, list):
        return [_as_float64(item) for item in argument]
    return argument.astype(np.float64) if isinstance(argument, np.ndarray) and argument.dtype.kind == "f" else argument


def _rounded(value, dtype):
    """An array in the dtype; a number as it is."""
    return value.astype(dtype) if isinstance(value, np.ndarray | np.generic) else value
