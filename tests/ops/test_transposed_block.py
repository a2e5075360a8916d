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
def to_lanes(x, i, width, columns, segments, y, j, apart):
    transposed_block.to_lanes(x, i, width, columns, segments, y, j, apart)


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
        x, apart = np.arange(1, 3 + (segments - 1) * width + columns, dtype=dtype), lanes + width - columns
        y = np.full(5 + columns * apart + 7, -1, dtype)
        to_lanes(x, 2, width, columns, segments, y, 5, apart)
        expected = np.full((columns, apart), -1, dtype)
        expected[:, :lanes] = 0
        for s in range(segments):
            expected[:, s] = x[2 + s * width : 2 + s * width + columns]
        np.testing.assert_array_equal(y[5:-7].reshape(columns, apart), expected)
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


@both
def test_every_width_of_a_segment(dtype):
    """1 to more numbers than a vector has lanes: 1, 2, 4, ... are dealt out, and the others turned around square by square."""
    lanes = LANES[dtype]
    for width in range(1, 2 * lanes + 2):
        for segments in (1, lanes - 1, lanes, lanes + 1, 3 * lanes - 1):
            x = np.arange(1, 1 + 6 * segments * width, dtype=dtype).reshape(2, 3, segments * width)
            around = np.full(x.size + 2 * lanes, -1, dtype)
            y = around[lanes:-lanes].reshape(x.shape)
            for group in reversed(range(-(-segments // lanes))):  # what one wrote too far, none would mend
                x_lanes = np.full(6 * width * lanes + lanes**2, np.nan, dtype)
                transposed_block.take_apart(x, group, segments, x_lanes)
                expected, here = np.zeros((6, width, lanes)), min(lanes, segments - group * lanes)
                own = x.reshape(6, segments, width)[:, group * lanes :][:, :lanes]
                expected[..., :here] = own.transpose(0, 2, 1)
                np.testing.assert_array_equal(x_lanes[: expected.size].reshape(expected.shape), expected)
                assert np.isnan(x_lanes[expected.size :]).all()
                transposed_block.put_together(x_lanes, group, segments, y)
            np.testing.assert_array_equal(y, x)
            assert (around[:lanes] == -1).all() and (around[-lanes:] == -1).all()


def test_one_kind_of_number_only():
    x = np.zeros((3, 4), np.float32)
    for function, arguments in (
        (transposed_block.take_apart, (x, 0, 2, np.zeros(300))),
        (transposed_block.put_together, (np.zeros(300), 0, 2, x)),
        (to_lanes, (np.zeros(300, np.float32), 0, 1, 1, 1, np.zeros(300), 0, 16)),
        (from_lanes, (np.zeros(300, np.float32), 0, np.zeros(300), 0, 1, 1, 1)),
    ):
        with pytest.raises(TypingError):
            function(*arguments)
