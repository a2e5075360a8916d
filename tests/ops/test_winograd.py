"""Shared multiplications against each window's own: whatever the size, the padding and the channels, and how it is cut."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xception_np import arrays, check, threads, tiling
from xception_np.geometry import Geometry
from xception_np.ops import convolutions, exits, packing, window_products, winograd

pads = st.tuples(st.integers(0, 4), st.integers(0, 4))


def operands(images, height, width, channels, filters, segments, geometry, dtype=np.float64):
    random = np.random.default_rng(0)
    shapes = (
        (images, height, width, channels),
        (3, 3, channels // segments, filters),
        (images, *geometry.output_size(height, width), filters),
    )
    return [random.standard_normal(shape).astype(dtype) for shape in shapes]


def passes(way, x, weight, dy, segments, geometry, exit=None):
    """y, dx and dweight."""
    windows, y, dx = geometry.windows(*x.shape[1:3]), arrays.empty_like(dy), arrays.empty_like(x)
    way.convolve(x, weight, windows, segments, y, exit)
    way.input_gradient(dy, weight, windows, segments, dx)
    return y, dx, way.weight_gradient(x, dy, windows, segments)


@settings(derandomize=True, database=None, deadline=None, max_examples=150)
@given(
    size=st.tuples(st.integers(1, 5), st.integers(3, 12), st.integers(3, 12)),
    channels=st.integers(16, 40) | st.integers(64, 100),
    filters=st.integers(16, 40),
    segments=st.integers(1, 2),
    padding=st.sampled_from(["same", "valid"]) | st.tuples(pads, pads),
    tiny=st.booleans(),
)
def test_like_the_windows_themselves(size, channels, filters, segments, padding, tiny):
    geometry = Geometry(3, padding=padding)
    x, weight, dy = operands(*size, channels * segments, filters * segments, segments, geometry)
    found = []
    for way in (winograd, window_products):
        with tiling.tiny_tiles() if tiny else threads.use(2):
            found.append(passes(way, x, weight, dy, segments, geometry))
    for name, actual, expected in zip(("y", "dx", "dweight"), *found, strict=True):
        check.compare(actual, expected, 1e-12, name).require()


@pytest.mark.parametrize(("channels", "filters", "segments"), [(256, 96, 1), (256, 96, 2), (40, 48, 1)])
def test_the_same_bits_for_any_number_of_threads(channels, filters, segments):
    """With 256 channels a segment, the rows of dweight are shared out, two shares for two threads; with 40 it has partial sums."""
    geometry, found = Geometry(3), []
    x, weight, dy = operands(3, 9, 10, channels * segments, filters * segments, segments, geometry, np.float32)
    shared_out = channels >= 2 * tiling.SMALL_SHARE and segments * 16 * channels * filters > tiling.LARGEST
    assert shared_out == (channels == 256)
    for count in (1, 2, 3):
        with threads.use(count):
            found.append([array.tobytes() for array in passes(winograd, x, weight, dy, segments, geometry)])
    assert found[1:] == found[:1] * 2


def test_a_picture_has_the_same_bits_alone_and_among_others():
    geometry = Geometry(3)
    x, weight, dy = operands(9, 14, 15, 40, 48, 1, geometry, np.float32)
    y, dx, _ = passes(winograd, x, weight, dy, 1, geometry)
    y_alone, dx_alone, _ = passes(winograd, x[4:5].copy(), weight, dy[4:5].copy(), 1, geometry)
    assert (y[4:5].tobytes(), dx[4:5].tobytes()) == (y_alone.tobytes(), dx_alone.tobytes())


def test_an_exit():
    geometry = Geometry(3)
    x, weight, dy = operands(2, 7, 6, 17, 18, 1, geometry)
    bias, addend = np.linspace(-1, 1, 18), np.random.default_rng(1).standard_normal(dy.shape)
    found = [passes(way, x, weight, dy, 1, geometry, exits.of(bias, "relu", addend))[0] for way in (winograd, window_products)]
    check.compare(*found, 1e-12, "y").require()
    assert (found[0] == 0).any() and (found[0] > 0).any()


def test_what_is_packed_is_kept_apart():
    """Weights that nobody changes are packed once for each way: one of them may be asked for with a stride, too."""
    x, weight, _ = operands(1, 6, 6, 16, 16, 1, Geometry(3))
    packing.settled(weight)
    found, before = [], len(packing._kept)
    for way in (winograd, window_products, winograd):
        y = np.empty((1, 6, 6, 16))
        way.convolve(x, weight, Geometry(3).windows(6, 6), 1, y)
        found.append(y)
    check.compare(found[0], found[1], 1e-12, "y").require()
    assert found[0].tobytes() == found[2].tobytes()
    assert len(packing._kept) == before + 2


@pytest.mark.parametrize(
    ("geometry", "channels", "filters", "segments", "shared"),
    [
        (Geometry(3), 16, 16, 1, True),
        (Geometry(3, padding="valid"), 64, 32, 2, True),
        (Geometry(3), 15, 16, 1, False),
        (Geometry(3), 16, 15, 1, False),
        (Geometry(3), 32, 32, 4, False),
        (Geometry(3, 2), 16, 16, 1, False),
        (Geometry(3, 1, 2), 16, 16, 1, False),
        (Geometry((3, 5)), 16, 16, 1, False),
    ],
)
def test_which_way(geometry, channels, filters, segments, shared):
    weight = np.empty((*geometry.kernel, channels // segments, filters))
    assert convolutions.way(weight, geometry.windows(8, 8), segments) is (winograd if shared else window_products)


@pytest.mark.parametrize("changed", ["x", "dy"])
def test_not_a_number(changed):
    """NaN in a pixel is NaN in the results that see it, and in no others; in dweight, for the same channels and filters."""
    geometry = Geometry(3)
    x, weight, dy = operands(2, 7, 6, 20, 18, 1, geometry)
    {"x": x, "dy": dy}[changed][1, 3, 4, 5] = np.nan
    ways = [passes(way, x, weight, dy, 1, geometry) for way in (winograd, window_products)]
    (y, dx, dweight), expected = ([np.isnan(array) for array in found] for found in ways)
    np.testing.assert_array_equal(y, expected[0])
    np.testing.assert_array_equal(dx, expected[1])
    np.testing.assert_array_equal(dweight.any(axis=(0, 1)), expected[2].any(axis=(0, 1)))
    assert dweight[expected[2]].all()


def test_rounding():
    """Sums are of differences of pixels, but shorter: no more than twice the rounding of the windows' own."""
    geometry = Geometry(3)
    single = operands(2, 16, 16, 64, 64, 1, geometry, np.float32)
    exact = passes(window_products, *[array.astype(np.float64) for array in single], 1, geometry)
    errors = [
        [np.sqrt(np.mean((found - right) ** 2)) for found, right in zip(passes(way, *single, 1, geometry), exact, strict=True)]
        for way in (window_products, winograd)
    ]
    for plain, shared in zip(*errors, strict=True):
        assert shared < 2 * plain
