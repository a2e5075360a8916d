"""Every operation, every awkward case, both implementations."""

from copy import deepcopy

import numpy as np
import pytest

from xception_np import arrays, check, implementations, ops, threads
from xception_np.check import cases, operations

CASES = cases.every()
SMALL = [case for case in CASES if not case.large]
OTHERS = [name for name in implementations.ON_NUMPY if name != "reference"]

every_implementation = pytest.mark.parametrize("implementation", implementations.ON_NUMPY)
every_case = pytest.mark.parametrize("case", CASES, ids=str)
small_cases = pytest.mark.parametrize("case", SMALL, ids=str)


def test_every_operation_has_cases():
    assert {case.operation for case in CASES} == set(ops.__all__)


@every_implementation
@small_cases
def test_finite_differences(case, implementation):
    check.require_all(list(operations.check_finite_differences(case, implementation)))


@every_implementation
@pytest.mark.parametrize("case", [case for case in CASES if case.traits.adjoint], ids=str)
def test_adjoint(case, implementation):
    check.require_all(list(operations.check_adjoint(case, implementation)))


@every_implementation
@small_cases
def test_nan_reaches_what_depends_on_it(case, implementation):
    check.require_all(list(operations.check_not_a_number(case, implementation)))


@pytest.mark.parametrize("dtype", [np.float64, np.float32], ids=["float64", "float32"])
@pytest.mark.parametrize("implementation", OTHERS)
@every_case
def test_like_reference(case, implementation, dtype):
    check.require_all(list(operations.check_like_reference(case, implementation, dtype)))


@pytest.mark.parametrize("implementation", OTHERS)
@every_case
def test_same_bits_for_any_number_of_threads(case, implementation):
    arguments = case.arguments(np.float32)
    results = []
    for count in (1, 2, 3, 2):
        with threads.use(count):
            y, _, gradients = operations.passes(case, arguments, implementation)
        results.append([np.asarray(array).tobytes() for array in (y, *gradients)])
    assert results[1:] == results[:1] * 3


@every_implementation
@every_case
def test_arguments_are_not_written_to(case, implementation):
    arguments = case.arguments()
    before = deepcopy(arguments)
    y, cache = case.forward(arguments, implementation)
    dy = case.upstream(np.asarray(y))
    dy_before, y_before, cache_before = deepcopy((dy, y, cache))
    case.backward(dy, cache, implementation)
    assert _same((arguments, dy, y, cache), (before, dy_before, y_before, cache_before))


@every_implementation
@small_cases
def test_results_are_contiguous_and_of_the_arguments_dtype(case, implementation):
    for dtype in (np.float32, np.float64):
        y, _, gradients = operations.passes(case, case.arguments(dtype), implementation)
        for array in (y, *gradients) if isinstance(y, np.ndarray) else gradients:
            assert array.dtype == dtype
            assert array.flags.c_contiguous


@pytest.mark.parametrize("case", [case for case in SMALL if hasattr(case.module, "cost")], ids=str)
def test_cost_counts_what_the_cache_keeps(case):
    """bytes_cached is the memory of the cache, parameters not counted."""
    arguments = case.arguments(np.float32)
    _, cache = case.module.forward(*arguments)
    parameters = [array for name, _, array in case.differentiable(arguments) if "weight" in name or name in ("gamma", "beta")]
    statistics = [getattr(cache, name, None) for name in ("mean", "variance")]  # C numbers each: not counted either
    kept = arrays.nbytes(cache, parameters, statistics) - arrays.nbytes(parameters, statistics)
    assert _cost(case, arguments).bytes_cached == kept


def _cost(case, arguments):
    shapes = [[array.shape for array in a] if isinstance(a, list) else getattr(a, "shape", a) for a in arguments]
    if case.operation == "norm_separable_conv":
        x, _, _, depthwise_weight, pointwise_weight, geometry, *_ = shapes
        shapes = [x, depthwise_weight, pointwise_weight, geometry]
    elif case.operation.endswith("conv_bias"):
        bias = {"conv_bias": 2, "separable_conv_bias": 3}[case.operation]  # as long as the last weight is wide
        shapes = shapes[:bias] + shapes[bias + 1 : bias + 3]
    elif case.operation in ("grouped_conv", "separable_conv", "batch_norm", "dropout", "add", "dense"):
        shapes = shapes[: {"grouped_conv": 3, "separable_conv": 5, "dense": 2}.get(case.operation, 1)]
    return case.module.cost(*shapes)


def _same(one, other) -> bool:
    if isinstance(one, tuple | list):
        return len(one) == len(other) and all(map(_same, one, other))
    return np.array_equal(one, other) if isinstance(one, np.ndarray) else one == other
