"""The matrix products in registers: shapes that fill blocks and that leave something over, against NumPy in float64."""

import itertools
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from xception_np import threads
from xception_np.ops import packing, products
from xception_np.ops.register_block import BYTES

LANES = {np.float32: BYTES // 4, np.float64: BYTES // 8}
both = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def rounding(dtype, terms: int) -> float:
    """A sum of so many terms of size 1, each rounded, in parts of the largest."""
    return terms * float(np.finfo(dtype).eps)


def matrices(dtype, *shapes, seed=0):
    random = np.random.default_rng(seed)
    return [random.uniform(-1, 1, shape).astype(dtype) for shape in shapes]


@both
@pytest.mark.parametrize("vectors", [1, 2, 3, 4, 5, 6, 7, 9])
@pytest.mark.parametrize(("rows", "depth"), [(1, 1), (3, 5), (4, 2), (8, 16), (13, 7), (33, 70)])
def test_whole_vectors(dtype, vectors, rows, depth):
    width = vectors * LANES[dtype]
    a, b = matrices(dtype, (rows, depth), (depth, width))
    y = np.full((rows, width), np.nan, dtype)
    products.multiply(a, packing.weights(b), y)
    np.testing.assert_allclose(y, a.astype(np.float64) @ b, rtol=0, atol=rounding(dtype, depth))

    a, b, before = matrices(dtype, (depth, rows), (depth, width), (rows, width))
    y = before.copy()
    products.add_product_over_rows(a, b, y, True, products.memory_for(y.shape[1], y))
    np.testing.assert_allclose(y, before + a.astype(np.float64).T @ b, rtol=0, atol=rounding(dtype, depth + 1))


@both
@pytest.mark.parametrize("width", [1, 5, 17, 27])
def test_widths_that_are_no_whole_number_of_vectors(dtype, width):
    a, b, c = matrices(dtype, (9, 6), (6, width), (9, width))
    y = np.full((9, width), np.nan, dtype)
    products.multiply(a, packing.weights(b), y)
    np.testing.assert_allclose(y, a.astype(np.float64) @ b, rtol=0, atol=rounding(dtype, 6))
    y = b.copy()
    products.add_product_over_rows(a, c, y, True, products.memory_for(y.shape[1], y))
    np.testing.assert_allclose(y, b + a.astype(np.float64).T @ c, rtol=0, atol=rounding(dtype, 10))


@both
@pytest.mark.parametrize("add", [False, True])
@pytest.mark.parametrize("vectors", [1, 2, 3, 4, 5, 7])
@pytest.mark.parametrize(("rows", "depth"), [(1, 1), (5, 3), (13, 7), (25, 300)])
def test_numbers_that_are_vectors(dtype, vectors, rows, depth, add):
    """Each lane is a product of its own; what a row and a step read lies anywhere."""
    random, lanes = np.random.default_rng(1), LANES[dtype]
    x, b, before = matrices(dtype, (4000,), (depth, vectors * lanes), (rows, vectors * lanes))
    places, steps = random.integers(0, 2000, rows), random.integers(0, 2000 - lanes, depth)
    y = before.copy() if add else np.full_like(before, np.nan)
    products.multiply_in_lanes(x, places, steps, b, y, add)
    a = x.astype(np.float64)[(places[:, None] + steps)[..., None] + np.arange(lanes)]  # (rows, depth, lanes)
    exact = np.einsum("rkl,kvl->rvl", a, b.astype(np.float64).reshape(depth, vectors, lanes)).reshape(y.shape)
    np.testing.assert_allclose(y, exact + before if add else exact, rtol=0, atol=rounding(dtype, depth + 1))


@both
@pytest.mark.parametrize("width", [1, 5, 16, 27, 40])
@pytest.mark.parametrize(("rows", "depth"), [(1, 1), (13, 7), (25, 300), (9, 1500), (500, 6), (500, 1700)])
def test_windows_that_lie_anywhere(dtype, width, rows, depth):
    """Rows of y, too, may be anywhere, and nothing between them is written."""
    random = np.random.default_rng(2)
    x, b, filters = matrices(dtype, (4000,), (depth, width), (rows, width))
    places, steps = random.integers(0, 2000, rows), random.integers(0, 2000, depth)
    targets = 3 + random.permutation(rows) * (width + 2)
    within = np.add.outer(targets, np.arange(width))
    y = np.full((rows + 1) * (width + 2) + 3, 7, dtype)
    stack = packing.stacked(np.hstack([b + 1, b]), 2)
    products.multiply_windows(x, places, steps, packing.one_of(stack, 1), y, targets)
    a = x.astype(np.float64)[np.add.outer(places, steps)]
    np.testing.assert_allclose(y[within], a @ b, rtol=0, atol=rounding(dtype, depth))
    assert (np.delete(y, within.reshape(-1)) == 7).all()

    y[within], memory = filters, products.memory_for(width, b)
    for add in (False, True):
        total = b.copy()
        products.add_product_over_windows(x, places, steps, y, targets, total, add, memory)
        exact = a.T @ filters + (b if add else 0)
        np.testing.assert_allclose(total, exact, rtol=0, atol=rounding(dtype, rows + 1))


@both
def test_more_than_the_cache_holds(dtype):
    """Sums over more rows than are packed at once, more steps than blocks take at once, and what goes to BLAS."""
    a, b = matrices(dtype, (1000, 24), (1000, 2 * LANES[dtype]))
    y = np.zeros((24, 2 * LANES[dtype]), dtype)
    products.add_product_over_rows(a, b, y, True, products.memory_for(y.shape[1], y))
    np.testing.assert_allclose(y, a.astype(np.float64).T @ b, rtol=0, atol=rounding(dtype, 1000))
    for shape in ((3000, 24), (24, 5)), ((5, 300), (300, 256)), ((3, 2048), (2048, 2056)):
        a, b = matrices(dtype, *shape)
        y = np.empty((len(a), b.shape[1]), dtype)
        products.multiply(a, packing.weights(b), y)
        np.testing.assert_allclose(y, a.astype(np.float64) @ b, rtol=0, atol=rounding(dtype, len(b)))


@both
@pytest.mark.parametrize("add", [False, True])
@pytest.mark.parametrize(("rows", "depth", "width"), [(9, 5, 17), (600, 24, 32), (5, 500, 400), (300, 400, 500)])
def test_sums_that_begin_or_go_on(dtype, add, rows, depth, width):
    """The last two by BLAS; what was there before is not read where a sum begins."""
    a, b, before = matrices(dtype, (rows, depth), (rows, width), (depth, width))
    y = before.copy() if add else np.full_like(before, np.nan)
    products.add_product_over_rows(a, b, y, add, products.memory_for(width, y))
    exact = a.astype(np.float64).T @ b
    np.testing.assert_allclose(y, exact + before if add else exact, rtol=0, atol=rounding(dtype, rows + 1))


@pytest.mark.parametrize("count", [1, 2, 4])
def test_one_picture_is_cut_for_the_threads_there_are(count):
    with threads.use(count):
        assert len(products.parts((1, 19, 19, 728), 728, 728**2)) == count
        assert len(products.parts((1, 19, 19, 728), 728, packing.LARGEST + 1)) == 6  # BLAS's results may depend on it


@both
def test_nothing_beside_the_result_is_written(dtype):
    lanes = LANES[dtype]
    for rows, vectors in itertools.product((1, 5, 8), (1, 2, 3, 4, 5)):
        a, b = matrices(dtype, (rows, 3), (3, vectors * lanes))
        around = np.full(rows * vectors * lanes + 2 * lanes, 7, dtype)
        products.multiply(a, packing.weights(b), around[lanes:-lanes].reshape(rows, -1))
        assert (around[:lanes] == 7).all() and (around[-lanes:] == 7).all()


@both
def test_arrays_that_begin_anywhere(dtype):
    """Off the cache lines by one number."""
    width = 2 * LANES[dtype]
    a, b = matrices(dtype, (8 * 6 + 1,), (6 * width + 1,))
    a, b = a[1:].reshape(8, 6), b[1:].reshape(6, width)
    y = np.empty(8 * width + 1, dtype)[1:].reshape(8, width)
    products.multiply(a, packing.weights(b), y)
    np.testing.assert_allclose(y, a.astype(np.float64) @ b, rtol=0, atol=rounding(dtype, 6))


@both
def test_a_nan_reaches_its_row_or_column_only(dtype):
    a, b = matrices(dtype, (10, 6), (6, 3 * LANES[dtype]))
    a[4, 2] = np.nan
    y = np.empty((10, 3 * LANES[dtype]), dtype)
    products.multiply(a, packing.weights(b), y)
    assert np.isnan(y).all(axis=1).tolist() == [row == 4 for row in range(10)]
    total = np.zeros((6, 3 * LANES[dtype]), dtype)
    products.add_product_over_rows(a, np.ones_like(y), total, True, products.memory_for(total.shape[1], total))
    assert np.isnan(total).all(axis=1).tolist() == [row == 2 for row in range(6)]


@both
def test_matrices_that_do_not_fit_are_refused(dtype):
    a, b, y = matrices(dtype, (4, 3), (3, LANES[dtype]), (4, LANES[dtype]))
    for arguments in ((a, b, y[:3]), (a[:, :2].copy(), b, y), (a, b, y[:, 1:].copy())):
        with pytest.raises(ValueError, match="shapes do not fit"):
            products.multiply(arguments[0], packing.weights(arguments[1]), arguments[2])
    for arguments in ((a, y, b[:2]), (a[:3], y, b), (a, y, b[:, 1:].copy())):
        with pytest.raises(ValueError, match="shapes do not fit"):
            products.add_product_over_rows(*arguments, True, products.memory_for(b.shape[1], b))
    x, places, steps, targets = a.reshape(-1), np.arange(4) * 3, np.arange(3), np.arange(4) * LANES[dtype]
    stack = packing.stacked(b, 1)
    with pytest.raises(ValueError, match="shapes do not fit"):
        products.multiply_windows(x, places, steps[:2], packing.one_of(stack, 0), y.reshape(-1), targets)
    with pytest.raises(ValueError, match="shapes do not fit"):
        products.multiply_windows(x, places[:3], steps, packing.one_of(stack, 0), y.reshape(-1), targets)
    memory = products.memory_for(LANES[dtype], b)
    with pytest.raises(ValueError, match="shapes do not fit"):
        products.add_product_over_windows(x, places, steps, y.reshape(-1), targets[:3], b, True, memory)
    with pytest.raises(ValueError, match="shapes do not fit"):
        products.add_product_over_windows(x, places, steps[:2], y.reshape(-1), targets, b, True, memory)


@pytest.mark.slow
@pytest.mark.parametrize(("registers", "size"), [(16, 32), (16, 16), (32, 16)], ids=["AVX2", "SSE2", "NEON"])
def test_the_registers_of_an_other_machine(registers, size, tmp_path):
    command = [sys.executable, str(Path(__file__).with_name("other_registers.py")), str(registers), str(size)]
    result = subprocess.run(
        command, env={**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}, capture_output=True, text=True, timeout=600
    )
    assert result.returncode == 0, result.stdout[-3000:]
