"""Rows of 3x3 depthwise convolutions in registers: sizes that fill vectors and sizes that do not, against NumPy in float64."""

import numpy as np
import pytest

from xception_np.ops import depthwise_rows
from xception_np.ops.register_block import BYTES

LANES = {np.float32: BYTES // 4, np.float64: BYTES // 8}
both = pytest.mark.parametrize("dtype", [np.float32, np.float64])
sizes = pytest.mark.parametrize(("images", "rows", "columns"), [(1, 1, 3), (2, 4, 3), (1, 3, 4), (2, 2, 9)])
widths = pytest.mark.parametrize(("vectors", "more"), [(1, 0), (1, 1), (2, 0), (3, 5)])


def numbers(dtype, *shapes):
    random = np.random.default_rng(0)
    return [random.uniform(-1, 1, shape).astype(dtype) for shape in shapes]


def windows(frame, rows, columns):
    """(3, 3, N, rows, columns, C): what every tap sees, in float64."""
    exact = frame.astype(np.float64)
    return np.array([[exact[:, i : i + rows, j : j + columns] for j in range(3)] for i in range(3)])


def close(found, expected, terms):
    """Sums of so many products of size 1, each rounded."""
    np.testing.assert_allclose(found, expected, rtol=0, atol=terms * float(np.finfo(found.dtype).eps))


@both
@sizes
@widths
def test_correlate(dtype, images, rows, columns, vectors, more):
    channels = vectors * LANES[dtype] + more
    frame, taps = numbers(dtype, (images, rows + 2, columns + 2, channels), (3, 3, channels))
    expected = np.einsum("ijnhwc, ijc -> nhwc", windows(frame, rows, columns), taps)
    y = np.full(expected.shape, np.nan, dtype)
    assert depthwise_rows.fits(y)
    depthwise_rows.correlate(frame, taps, y)
    close(y, expected, 9)


@both
@sizes
@widths
def test_correlate_padded_as_a_whole_and_by_rows(dtype, images, rows, columns, vectors, more):
    channels = vectors * LANES[dtype] + more
    x, taps = numbers(dtype, (images, rows, columns, channels), (3, 3, channels))
    frame = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    expected = np.einsum("ijnhwc, ijc -> nhwc", windows(frame, rows, columns), taps)
    y = np.full(x.shape, np.nan, dtype)
    depthwise_rows.correlate_padded(x, 0, taps, y)
    close(y, expected, 9)
    for row in range(rows):
        line = np.full((1, 1, columns, channels), np.nan, dtype)
        depthwise_rows.correlate_padded(x[:1], row, taps, line)
        np.testing.assert_array_equal(line[0, 0], y[0, row])


@both
@sizes
@widths
def test_add_products(dtype, images, rows, columns, vectors, more):
    channels = vectors * LANES[dtype] + more
    frame, dy, before = numbers(
        dtype, (images, rows + 2, columns + 2, channels), (images, rows, columns, channels), (3, 3, channels)
    )
    expected = before + np.einsum("ijnhwc, nhwc -> ijc", windows(frame, rows, columns), dy.astype(np.float64))
    dtaps = before.copy()
    depthwise_rows.add_products(frame, dy, dtaps)
    close(dtaps, expected, images * rows * columns + 1)


@both
def test_what_does_not_fit(dtype):
    lanes = LANES[dtype]
    assert depthwise_rows.fits(np.zeros((1, 1, 3, lanes), dtype))
    assert not depthwise_rows.fits(np.zeros((1, 1, 2, lanes), dtype))
    assert not depthwise_rows.fits(np.zeros((1, 1, 3, lanes - 1), dtype))


def test_shapes_that_do_not_fit_are_errors_before_anything_is_written():
    frame, taps, y = numbers(np.float64, (1, 5, 6, 8), (3, 3, 8), (1, 3, 4, 8))
    for wrong in (frame[:, :4], frame[:, :, :5], frame[..., :7]):
        with pytest.raises(ValueError, match="shapes do not fit: frame"):
            depthwise_rows.correlate(np.ascontiguousarray(wrong), taps, y)
        with pytest.raises(ValueError, match="shapes do not fit: frame"):
            depthwise_rows.add_products(np.ascontiguousarray(wrong), y, taps)
    for x, first in ((y, 1), (frame, 0)):
        with pytest.raises(ValueError, match="shapes do not fit: x"):
            depthwise_rows.correlate_padded(x, first, taps, y)
    with pytest.raises(ValueError, match="taps"):
        depthwise_rows.correlate_padded(y, 0, np.zeros((3, 3, 7)), y)


@pytest.mark.parametrize("column", range(5))
def test_an_infinite_pixel_reaches_the_taps_that_see_it_and_no_other(column):
    frame, dy, ones = (np.ones(shape, np.float32) for shape in ((1, 3, 5, 16), (1, 1, 3, 16), (3, 3, 16)))
    frame[0, 1, column, 3] = np.inf
    dtaps, y, dx = np.zeros_like(ones), np.zeros_like(dy), np.zeros_like(frame)
    depthwise_rows.add_products(frame, dy, dtaps)
    assert [tuple(place) for place in np.argwhere(~np.isfinite(dtaps))] == [(1, j, 3) for j in range(3) if j <= column <= j + 2]
    depthwise_rows.correlate(frame, ones, y)
    assert [tuple(place) for place in np.argwhere(~np.isfinite(y))] == [(0, 0, w, 3) for w in range(3) if w <= column <= w + 2]
    depthwise_rows.correlate_padded(frame, 0, ones, dx)
    beside = [w for w in range(5) if abs(w - column) <= 1]
    assert [tuple(place) for place in np.argwhere(~np.isfinite(dx))] == [(0, h, w, 3) for h in range(3) for w in beside]
