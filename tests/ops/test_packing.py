"""Matrices in panels: where their numbers lie, and what is packed once."""

import numpy as np
import pytest

from xception_np.ops import packing
from xception_np.ops.register_block import BYTES

LANES = {np.float32: BYTES // 4, np.float64: BYTES // 8}
both = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def matrix_of(dtype, *shape):
    return np.random.default_rng(0).uniform(-1, 1, shape).astype(dtype)


@both
@pytest.mark.parametrize("vectors", [1, 2, 3, 5, 8])
def test_weights_lie_in_panels_that_begin_where_a_cache_line_does(dtype, vectors):
    lanes = LANES[dtype]
    width = vectors * lanes - 1
    matrix = matrix_of(dtype, width, 48).T
    packed, shape = packing.weights(matrix)
    assert shape == (48, width)
    assert packed.ctypes.data % 64 == 0
    first = packed[: 48 * lanes * packing.vectors(vectors)].reshape(48, -1)
    within = min(width, first.shape[1])
    np.testing.assert_array_equal(first[:, :within], matrix[:, :within])
    assert packed.size == 48 * (width + 1)
    assert np.count_nonzero(packed) == matrix.size


@both
@pytest.mark.parametrize("segments", [1, 3])
@pytest.mark.parametrize("width", [1, 5, 16, 70])
def test_transposes_are_packed_as_their_copies(dtype, width, segments):
    weight = matrix_of(dtype, 3, 2, width, 21)
    for taps in ((slice(None), slice(None)), (slice(None, None, -1), slice(1, None))):
        seen = weight[taps]
        split = seen.reshape(*seen.shape[:3], segments, -1).transpose(0, 1, 4, 3, 2)  # (kh, kw, F/S, S, C/S)
        copies = packing.stacked(split.reshape(-1, segments * width), segments)
        packed, shape = packing.stacked_transposes(weight, taps, segments)
        assert shape == copies.shape == (seen.size // (segments * width), width)
        np.testing.assert_array_equal(packed, copies.packed)
    matrix = weight[0, 0]
    np.testing.assert_array_equal(packing.weights(matrix.T).packed, packing.weights(np.ascontiguousarray(matrix.T)).packed)


@both
def test_matrices_side_by_side_are_packed_as_each_of_them(dtype):
    matrix = matrix_of(dtype, 40, 3 * 21)
    stack = packing.stacked(matrix, 3)
    for s in range(3):
        alone = packing.weights(matrix[:, 21 * s : 21 * (s + 1)])
        assert alone.shape == stack.shape
        np.testing.assert_array_equal(packing.one_of(stack, s).packed, alone.packed)


@both
def test_what_is_settled_is_packed_once(dtype):
    matrix = matrix_of(dtype, 12, 20)
    matrix.flags.writeable = False  # for now
    assert packing.weights(matrix).packed is not packing.weights(matrix).packed
    assert packing.settled(matrix) is matrix
    with pytest.raises(ValueError, match="read-only"):
        matrix[0] = 1
    packed = packing.weights(matrix).packed
    assert packing.weights(matrix).packed is packed
    halves, others = packing.stacked(matrix, 2), packing.stacked(matrix, 2)
    assert packing.kept(matrix, 2, lambda: halves) is halves
    assert packing.kept(matrix, 2, lambda: others) is halves
    before, key = len(packing._kept), id(matrix)
    del matrix
    assert len(packing._kept) == before - 2
    assert not [name for name in packing._kept if key in name]
    assert key not in packing._settled
