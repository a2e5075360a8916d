"""Matrix products of narrow matrices, in registers: faster than BLAS where a matrix of weights stays in the cache.

    multiply(a, b, y)               y = a @ b               a (P, K), b (K, N), y (P, N)
    add_product_over_rows(a, b, y, memory)
                                    y += a.T @ b            a (P, K), b (P, N), y (K, N)

BLAS is made for large matrices: it first packs both into an order of its own. With 64 channels that is as much work as the product.
Here a block of y stays in registers while k runs (`ops/register_block.py`), and the matrices are read where they are. The same
block serves both products, as only the strides of `a` differ. What is too large for the cache, or no whole number of vectors wide,
goes to BLAS.

A vector that lies across two cache lines costs two loads, so all should begin where a line does: `weights` makes such a copy.
"""

import numpy as np

from xception_np import arrays
from xception_np.ops import register_block
from xception_np.ops.compile import compiled_apart, compiled_with
from xception_np.ops.register_block import BYTES, REGISTERS, block

_LARGEST = 2**16  # numbers of a matrix of weights at most: 256 KiB in float32, a part of the second-level cache
_DEPTH = 256  # rows of a and b that blocks run over at once: what they read of b stays in the first-level cache


# Blocks of 1, 2, 3, 4 vectors, with so many rows: the sums, a row of b and a number of a fit into the registers
_MOST, _ROWS = (4, (8, 8, 8, 4)) if REGISTERS == 32 else (2, (8, 4, 1, 1))
_block_1, _block_2, _block_3, _block_4 = (block(rows, vectors) for vectors, rows in enumerate(_ROWS, 1))
_row_1, _row_2, _row_3, _row_4 = (block(1, vectors) for vectors in (1, 2, 3, 4))


def weights(matrix):
    """A contiguous copy in which vectors begin where cache lines do; what goes to BLAS is only made contiguous."""
    if matrix.size > _LARGEST:
        return np.ascontiguousarray(matrix)
    copy = arrays.empty(matrix.shape, matrix.dtype)
    copy[...] = matrix
    return copy


@compiled_with(register_block)
def multiply(a, b, y):
    """y = a @ b; all three C-contiguous."""
    if a.shape[1] != b.shape[0] or y.shape != (a.shape[0], b.shape[1]):
        raise ValueError("shapes do not fit: a (P, K), b (K, N), y (P, N)")
    if _fits(b, b.shape[1]):
        _in_blocks(a, b, y, False)
    else:
        np.dot(a, b, y)


@compiled_with(register_block)
def add_product_over_rows(a, b, y, memory):
    """y += a.T @ b; all three C-contiguous, with memory from `memory_for(y)`."""
    if a.shape[0] != b.shape[0] or y.shape != (a.shape[1], b.shape[1]):
        raise ValueError("shapes do not fit: a (P, K), b (P, N), y (K, N)")
    if _fits(y, b.shape[1]):
        for k in range(0, len(a), _DEPTH):
            _in_blocks(a[k : k + _DEPTH].T, b[k : k + _DEPTH], y, True)
    else:
        np.dot(a.T, b, memory)
        y += memory


@compiled_with(register_block)
def memory_for(y):
    """What adding to y needs besides y: as much again where BLAS does it, which cannot add."""
    return np.empty((0, 0) if _fits(y, y.shape[1]) else y.shape, y.dtype)


@compiled_apart
def _fits(weights, width):
    return weights.size <= _LARGEST and width % (BYTES // weights.itemsize) == 0


@compiled_with(register_block)
def _in_blocks(a, b, y, add):
    """y = a @ b, or += if `add`, in blocks as equally wide as may be; what is left of the rows, row by row

    The branches are one each because Numba cannot choose a function by a number.
    """
    height, width = y.shape
    lanes = BYTES // y.itemsize
    j = 0
    while j < width:
        left = (width - j) // lanes
        vectors = -(-left // -(-left // _MOST))
        whole = height - height % _ROWS[vectors - 1]
        for i in range(0, whole, _ROWS[vectors - 1]):
            if vectors == 4:
                _block_4(a, b, y, i, j, add)
            elif vectors == 3:
                _block_3(a, b, y, i, j, add)
            elif vectors == 2:
                _block_2(a, b, y, i, j, add)
            else:
                _block_1(a, b, y, i, j, add)
        for i in range(whole, height):
            if vectors == 4:
                _row_4(a, b, y, i, j, add)
            elif vectors == 3:
                _row_3(a, b, y, i, j, add)
            elif vectors == 2:
                _row_2(a, b, y, i, j, add)
            else:
                _row_1(a, b, y, i, j, add)
        j += vectors * lanes
