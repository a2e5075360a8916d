"""A large matrix that meets few rows is what is cut: the same numbers, and the same bits for any number of threads."""

import numpy as np
import pytest

from xception_np import check, ops, threads
from xception_np.ops.pointwise_conv import cpu

SHAPES = {"dense": ((5, 1100), (1100, 1000)), "pointwise_conv": ((1, 2, 3, 1100), (1100, 1000))}


def passes(name, dtype, implementation):
    random, (x_shape, weight_shape) = np.random.default_rng(0), SHAPES[name]
    x, weight = random.standard_normal(x_shape).astype(dtype), random.standard_normal(weight_shape).astype(dtype)
    more = (random.standard_normal(weight_shape[1]).astype(dtype),) if name == "dense" else ()
    operation = getattr(ops, name)
    y, cache = operation.forward(x, weight, *more, implementation=implementation)
    return y, *operation.backward(random.standard_normal(y.shape).astype(dtype), cache, implementation=implementation)


@pytest.mark.parametrize("name", SHAPES)
def test_like_the_reference(name):
    assert cpu._is_large(np.empty((6, 1)), 1100 * 1000)
    for what, actual, expected in zip(
        ("y", "dx", "dweight"), passes(name, np.float64, "cpu"), passes(name, np.float64, "reference"), strict=False
    ):
        check.compare(actual, expected, 1e-12, f"{name}, {what}").require()


@pytest.mark.parametrize("name", SHAPES)
def test_the_same_bits_for_any_number_of_threads(name):
    results = []
    for count in (1, 2, 3):
        with threads.use(count):
            results.append([array.tobytes() for array in passes(name, np.float32, "cpu")])
    assert results[1:] == results[:1] * 2
