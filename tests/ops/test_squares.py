"""The transforms of Winograd's convolution: their matrices, of squares anywhere in an array, and of squares that are cut off."""

import numpy as np
import pytest
from numba import TypingError

from xception_np.check.mutations import INPUTS, KERNELS, OUTPUTS
from xception_np.ops import register_block, squares
from xception_np.ops.compile import compiled_with
from xception_np.ops.register_block import BYTES

LANES = {np.float32: BYTES // 4, np.float64: BYTES // 8}
both = pytest.mark.parametrize("dtype", [np.float32, np.float64])


@compiled_with(register_block, squares)
def inputs(x, i, x_apart, y, j, y_apart):
    squares.inputs(x, i, x_apart, y, j, y_apart)


@compiled_with(register_block, squares)
def kernels(x, i, x_apart, y, j, y_apart):
    squares.kernels(x, i, x_apart, y, j, y_apart)


@compiled_with(register_block, squares)
def gradients(x, i, x_apart, y, j, y_apart):
    squares.gradients(x, i, x_apart, y, j, y_apart)


@compiled_with(register_block, squares)
def outputs(x, i, x_apart, y, j, y_apart, size):
    squares.outputs(x, i, x_apart, y, j, y_apart, size)


@compiled_with(register_block, squares)
def upstream(x, i, x_apart, y, j, y_apart, size):
    squares.upstream(x, i, x_apart, y, j, y_apart, size)


def transformed(function, matrix, dtype, *size):
    """T X T^T of small whole numbers, exactly, by a function and by NumPy; in arrays with more before, between and behind."""
    lanes, (rows, columns), random = LANES[dtype], matrix.shape, np.random.default_rng(0)
    x = random.integers(-9, 10, (columns, columns + 1, lanes + 3)).astype(dtype)
    y = np.full((rows + 1, rows + 2, lanes + 1), -99, dtype)
    expected = y.copy()
    square = x[:, :columns, 2 : 2 + lanes].astype(np.float64)
    if size and columns < rows:
        square[size[0][0] :] = square[:, size[0][1] :] = 0
    result = np.einsum("ik,jl,klc->ijc", matrix, matrix, square)
    high, wide = np.minimum(size[0], rows) if size and rows < columns else (rows, rows)
    expected[1 : 1 + high, 1 : 1 + wide, :lanes] = result[:high, :wide]
    place = y[0].size + y[0, 0].size
    function(x.reshape(-1), 2, (x[0].size, x[0, 0].size), y.reshape(-1), place, (y[0].size, y[0, 0].size), *size)
    return y, expected


@both
@pytest.mark.parametrize(("function", "matrix"), [(inputs, INPUTS), (kernels, KERNELS), (gradients, KERNELS.T)])
def test_whole_squares(function, matrix, dtype):
    np.testing.assert_array_equal(*transformed(function, matrix, dtype))


@both
@pytest.mark.parametrize(("function", "matrix"), [(outputs, OUTPUTS), (upstream, OUTPUTS.T)])
@pytest.mark.parametrize("size", [(1, 1), (1, 2), (2, 1), (2, 2), (1, 7), (9, 2)])
def test_squares_that_may_be_cut_off(function, matrix, size, dtype):
    np.testing.assert_array_equal(*transformed(function, matrix, dtype, size))


@both
def test_what_is_not_there_is_not_read(dtype):
    """One pixel; the others would be far beyond all memory."""
    lanes, far = LANES[dtype], (2**45, 2**45)
    x, y = np.full(lanes, 2, dtype), np.zeros((4, 4, lanes), dtype)
    upstream(x, 0, far, y.reshape(-1), 0, (4 * lanes, lanes), (1, 1))
    np.testing.assert_array_equal(y[..., 0], 2 * np.outer(OUTPUTS[0], OUTPUTS[0]))


@both
def test_together_they_are_a_convolution(dtype):
    """A^T [(G g G^T) * (B^T d B)] A: nine multiplications for each of four results, by 16. Small whole numbers, so exactly."""
    random, lanes = np.random.default_rng(0), LANES[dtype]
    d, g = random.integers(-9, 10, (4, 4, lanes)).astype(dtype), random.integers(-9, 10, (3, 3, lanes)).astype(dtype)
    v, u, y = np.empty_like(d), np.empty_like(d), np.empty((2, 2, lanes), dtype)
    inputs(d.reshape(-1), 0, (4 * lanes, lanes), v.reshape(-1), 0, (4 * lanes, lanes))
    kernels(g.reshape(-1), 0, (3 * lanes, lanes), u.reshape(-1), 0, (4 * lanes, lanes))
    outputs((u * v).reshape(-1), 0, (4 * lanes, lanes), y.reshape(-1), 0, (2 * lanes, lanes), (2, 2))
    windows = np.lib.stride_tricks.sliding_window_view(d, (3, 3), axis=(0, 1))
    np.testing.assert_array_equal(y, np.einsum("abcij,ijc->abc", windows, g))


def test_one_kind_of_number_only():
    for function, more in ((inputs, ()), (outputs, ((2, 2),)), (upstream, ((2, 2),))):
        with pytest.raises(TypingError):
            function(np.zeros(999, np.float32), 0, (64, 16), np.zeros(999), 0, (64, 16), *more)
