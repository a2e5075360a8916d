"""Frames against np.pad and strided views; every size of window, tile and spread."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xception_np import tiling
from xception_np.geometry import Geometry, Windows
from xception_np.ops import frames

pairs = st.tuples(st.integers(1, 3), st.integers(1, 3))


def an_image(images, height, width, channels=2):
    return np.arange(1.0, images * height * width * channels + 1).reshape(images, height, width, channels)


def filled(x, tile, columns, windows, spread):
    n0, n1, h0, h1 = tile
    memory = frames.memory(n1 - n0, h1 - h0, columns, windows, x)
    memory.fill(np.nan)
    frame = frames.fill(x, np.array(tile), columns, windows, spread, memory)
    assert frame.size == memory.size
    assert np.shares_memory(frame, memory)
    return frame


def seen(x, windows, spread, outputs):
    """(N, OH, OW, kh, kw, C): what the windows see of the spread and padded image, whatever its size."""
    (oh, ow), (kh, kw), (sh, sw), (dh, dw), (top, left) = outputs, *windows
    spread_out = np.zeros((len(x), (x.shape[1] - 1) * spread[0] + 1, (x.shape[2] - 1) * spread[1] + 1, x.shape[3]))
    spread_out[:, :: spread[0], :: spread[1]] = x
    far = 40  # more than any window leaves the image by
    padded = np.pad(spread_out, ((0, 0), (far, far), (far, far), (0, 0)))[:, far - top :, far - left :]
    views = np.lib.stride_tricks.sliding_window_view(padded, ((kh - 1) * dh + 1, (kw - 1) * dw + 1), axis=(1, 2))
    return views[:, : oh * sh : sh, : ow * sw : sw, :, ::dh, ::dw].transpose(0, 1, 2, 4, 5, 3)


@settings(derandomize=True, database=None, deadline=None, max_examples=300)
@given(
    size=st.tuples(st.integers(1, 3), st.integers(1, 6), st.integers(1, 6)),
    windows=st.builds(Windows, pairs, pairs, pairs, st.tuples(st.integers(-3, 5), st.integers(-3, 5))),
    spread=pairs,
    outputs=st.tuples(st.integers(1, 5), st.integers(1, 5)),
    data=st.data(),
)
def test_windows_of_a_frame_see_what_windows_of_the_padded_image_see(size, windows, spread, outputs, data):
    x = an_image(*size)
    n0 = data.draw(st.integers(0, size[0] - 1))
    h0 = data.draw(st.integers(0, outputs[0] - 1))
    n1, h1 = data.draw(st.integers(n0 + 1, size[0])), data.draw(st.integers(h0 + 1, outputs[0]))
    frame = filled(x, (n0, n1, h0, h1), outputs[1], windows, spread)
    inside = windows._replace(origin=(0, 0))
    expected = seen(x, windows, spread, outputs)[n0:n1, h0:h1]
    assert np.array_equal(seen(frame, inside, (1, 1), (h1 - h0, outputs[1])), expected)
    # and the last window ends where the frame does
    extent = windows.extent
    assert frame.shape[1] == (h1 - h0 - 1) * windows.stride[0] + extent[0]
    assert frame.shape[2] == (outputs[1] - 1) * windows.stride[1] + extent[1]


def test_a_frame_is_the_padded_image():
    x = an_image(2, 4, 3)
    frame = filled(x, (0, 2, 0, 4), 3, Geometry(3).windows(4, 3), (1, 1))
    assert np.array_equal(frame, np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0))))


def test_a_negative_origin_starts_inside():
    x = an_image(1, 5, 5)
    windows = Windows((2, 2), (1, 1), (1, 1), (-1, -2))
    assert np.array_equal(filled(x, (0, 1, 0, 3), 2, windows, (1, 1)), x[:, 1:5, 2:5])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_tile_of_part_of_an_image(dtype):
    x = an_image(3, 6, 4).astype(dtype)
    frame = filled(x, (1, 2, 2, 4), 4, Geometry(3).windows(6, 4), (1, 1))
    assert frame.dtype == dtype
    assert np.array_equal(frame, np.pad(x[1:2, 1:5], ((0, 0), (0, 0), (1, 1), (0, 0))))


def test_nothing_beside_the_frame_is_written():
    x = an_image(1, 1, 1)
    memory = np.full(100, 7.0)
    frames.fill(x, np.array((0, 1, 0, 1)), 1, Windows((1, 1), (1, 3), (1, 1), (0, 2)), (1, 1), memory)  # all of it in the padding
    assert (memory[: x.shape[3]] == 0).all() and (memory[x.shape[3] :] == 7).all()


def test_no_windows_see_nothing():
    assert frames.empty(1, 0, 3, Windows((2, 2), (5, 1), (1, 1), (0, 0)), 2, np.zeros(100)).size == 0


def test_a_tile_of_rows_is_that_of_the_array():
    x = an_image(4, 6, 3)
    for tile in (*tiling.Tile(0, 4, 0, 6).cut(3, 6), tiling.Tile(1, 4, 0, 6)):
        assert np.array_equal(frames.of_tile(frames.rows(x), np.array(tile), 6), tile.of(x))


def test_memory_is_for_every_tile():
    assert frames.most(np.array([(0, 1, 0, 6), (0, 1, 6, 15), (1, 4, 0, 2)])) == (3, 9)
