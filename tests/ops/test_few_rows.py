"""A large matrix that meets few rows is what is cut: the same numbers, and the same bits for any number of threads."""

import numpy as np
import pytest

from xception_np import check, ops, threads, tiling
from xception_np.geometry import Geometry
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


@pytest.mark.parametrize(("padding", "segments"), [("same", 1), ("valid", 1), ("same", 2)])
def test_few_positions_and_a_large_dweight(padding, segments):
    """Several tiles, and several shares of 216 or 108 rows of dweight, also for one thread."""
    random, geometry = np.random.default_rng(0), Geometry(3, padding=padding)
    x, weight = random.standard_normal((5, 4, 4, 24)), random.standard_normal((3, 3, 24 // segments, 20 * segments))
    dy = random.standard_normal((5, *geometry.output_size(4, 4), 20 * segments))
    found = []
    for implementation, count in (("reference", 1), ("cpu", 1), ("cpu", 3)):
        with threads.use(count), tiling.tiny_tiles():
            _, cache = ops.grouped_conv.forward(x, weight, geometry, segments, implementation=implementation)
            found.append(ops.grouped_conv.backward(dy, cache, implementation=implementation)[1])
    check.compare(found[1], found[0], 1e-12, "dweight").require()
    assert found[1].tobytes() == found[2].tobytes()


def test_a_later_tile_may_be_the_largest():
    """Groups of 6 rows are cut into 3 and 3; the last has 5, in one."""
    random, geometry, found = np.random.default_rng(0), Geometry(3), []
    x, depthwise, pointwise = (random.standard_normal(shape) for shape in ((1, 23, 23, 32), (3, 3, 32, 1), (32, 512)))
    tiles, _ = tiling.group_table((1, 23, 23, 512), 512, 32 * 512)
    rows = tiles[:, 3] - tiles[:, 2]
    assert rows.max() > rows[0]
    dy = random.standard_normal((1, 23, 23, 512))
    for implementation in ("reference", "cpu"):
        y, cache = ops.separable_conv.forward(x, depthwise, pointwise, geometry, implementation=implementation)
        found.append((y, *ops.separable_conv.backward(dy, cache, implementation=implementation)))
    for actual, expected in zip(found[1], found[0], strict=True):
        check.compare(actual, expected, 1e-12, "a separable convolution").require()
