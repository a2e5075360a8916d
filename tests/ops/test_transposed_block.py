"""Numbers of segments, turned into vectors with a lane for each, and back: every size, and nothing beside it is touched."""

import numpy as np
import pytest
from numba import TypingError

from xception_np.ops import register_block, transposed_block
from xception_np.ops.compile import compiled_with
from xception_np.ops.register_block import BYTES

LANES = {np.float32: BYTES // 4, np.float64: BYTES // 8}
both = pytest.mark.parametrize("dtype", [np.float32, np.float64])


@compiled_with(register_block, transposed_block)
def to_lanes(x, i, width, columns, segments, y, j):
    transposed_block.to_lanes(x, i, width, columns, segments, y, j)


@compiled_with(register_block, transposed_block)
def from_lanes(y, j, x, i, width, columns, segments):
    transposed_block.from_lanes(y, j, x, i, width, columns, segments)


def sizes(lanes):
    """(width, columns, segments): each number of columns and of segments, and more numbers in a segment than are taken."""
    return [
        (columns + more, columns, segments)
        for columns in range(1, lanes + 1)
        for segments in range(1, lanes + 1)
        for more in (0, 3)
    ]


@both
def test_to_lanes(dtype):
    """Lanes without a segment become 0, and what lies around the vectors stays."""
    lanes = LANES[dtype]
    for width, columns, segments in sizes(lanes):
        x = np.arange(1, 3 + (segments - 1) * width + columns, dtype=dtype)
        y = np.full(5 + columns * lanes + 7, -1, dtype)
        to_lanes(x, 2, width, columns, segments, y, 5)
        expected = np.zeros((columns, lanes), dtype)
        for s in range(segments):
            expected[:, s] = x[2 + s * width : 2 + s * width + columns]
        np.testing.assert_array_equal(y[5:-7].reshape(columns, lanes), expected)
        assert (y[:5] == -1).all() and (y[-7:] == -1).all()


@both
def test_from_lanes(dtype):
    """Other numbers of y are read, and change nothing."""
    lanes = LANES[dtype]
    for width, columns, segments in sizes(lanes):
        y = np.full(5 + lanes * lanes, np.nan, dtype)
        y[5 : 5 + columns * lanes].reshape(columns, lanes)[:, :segments] = np.arange(columns * segments).reshape(columns, segments)
        x = np.full(2 + segments * width + 3, -1, dtype)
        from_lanes(y, 5, x, 2, width, columns, segments)
        expected = np.full((segments, width), -1, dtype)
        expected[:, :columns] = np.arange(columns * segments).reshape(columns, segments).T
        np.testing.assert_array_equal(x[2:-3].reshape(segments, width), expected)
        assert (x[:2] == -1).all() and (x[-3:] == -1).all()


def test_one_kind_of_number_only():
    with pytest.raises(TypingError):
        to_lanes(np.zeros(300, np.float32), 0, 1, 1, 1, np.zeros(300), 0)
    with pytest.raises(TypingError):
        from_lanes(np.zeros(300, np.float32), 0, np.zeros(300), 0, 1, 1, 1)
