"""The transforms of Winograd's convolution: their matrices, of squares anywhere in an array, and of squares that are cut off."""

import numpy as np
import pytest
from numba import TypingError

from xception_np.ops import register_block, squares
from xception_np.ops.compile import compiled_with
from xception_np.ops.register_block import BYTES

LANES = {np.float32: BYTES // 4, np.float64: BYTES // 8}
both = pytest.mark.parametrize("dtype", [np.float32, np.float64])
INPUTS = np.array([[1, 0, -1, 0], [0, 1, 1, 0], [0, -1, 1, 0], [0, 1, 0, -1]])
OUTPUTS = np.array([[1, 1, 1, 0], [0, 1, -1, -1]])
KERNELS = np.array([[1, 0, 0], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0, 0, 1]])


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
    """One pixel, and NaN around it."""
    lanes = LANES[dtype]
    x, y = np.full((2, 2, lanes), np.nan, dtype), np.zeros((4, 4, lanes), dtype)
    x[0, 0] = 2
    upstream(x.reshape(-1), 0, (2 * lanes, lanes), y.reshape(-1), 0, (4 * lanes, lanes), (1, 1))
    np.testing.assert_array_equal(y[..., 0], 2 * np.outer(OUTPUTS[0], OUTPUTS[0]))


def test_together_they_are_a_convolution():
    """A^T [(G g G^T) * (B^T d B)] A: nine multiplications for each of four results, by 16."""
    random = np.random.default_rng(0)
    d, g = random.standard_normal((4, 4)), random.standard_normal((3, 3))
    windows = np.lib.stride_tricks.sliding_window_view(d, (3, 3))
    found = OUTPUTS @ ((KERNELS @ g @ KERNELS.T) * (INPUTS @ d @ INPUTS.T)) @ OUTPUTS.T
    np.testing.assert_allclose(found, np.einsum("abij,ij->ab", windows, g), rtol=0, atol=1e-14)  # rounding of 16 terms of size 1


def test_one_kind_of_number_only():
    for function, more in ((inputs, ()), (outputs, ((2, 2),)), (upstream, ((2, 2),))):
        with pytest.raises(TypingError):
            function(np.zeros(999, np.float32), 0, (64, 16), np.zeros(999), 0, (64, 16), *more)
