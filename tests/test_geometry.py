import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xception_np.errors import InputError
from xception_np.geometry import Geometry


@pytest.mark.parametrize(
    ("size", "out", "pads"),
    [(147, 74, (1, 1)), (74, 37, (0, 1)), (37, 19, (1, 1)), (19, 10, (1, 1))],
)
def test_same_is_tensorflows_rule(size, out, pads):
    """The four halvings of Xception, kernel 3 and stride 2."""
    geometry = Geometry(3, stride=2)
    assert geometry.output_size(size, size) == (out, out)
    assert geometry.pads(size, size) == (pads, pads)


@pytest.mark.parametrize(
    ("geometry", "size", "out", "pads"),
    [
        (Geometry(3, 2, padding="valid"), (299, 299), (149, 149), ((0, 0), (0, 0))),
        (Geometry(3, padding="valid"), (149, 149), (147, 147), ((0, 0), (0, 0))),
        (Geometry((1, 7)), (17, 17), (17, 17), ((0, 0), (3, 3))),
        (Geometry((7, 1)), (17, 17), (17, 17), ((3, 3), (0, 0))),
        (Geometry(2), (4, 5), (4, 5), ((0, 1), (0, 1))),
        (Geometry(3, dilation=(2, 1)), (6, 6), (6, 6), ((2, 2), (1, 1))),
        (Geometry(3, (2, 1), padding=((1, 0), (2, 3))), (5, 5), (2, 8), ((1, 0), (2, 3))),
        (Geometry(1, 3), (7, 6), (3, 2), ((0, 0), (0, 0))),
        (Geometry(5), (1, 2), (1, 2), ((2, 2), (2, 2))),
    ],
)
def test_by_hand(geometry, size, out, pads):
    assert geometry.output_size(*size) == out
    assert geometry.pads(*size) == pads


pairs = st.tuples(st.integers(1, 5), st.integers(1, 5))
pads = st.tuples(st.integers(0, 4), st.integers(0, 4))


@settings(derandomize=True, database=None, deadline=None, max_examples=400)
@given(
    size=st.tuples(st.integers(1, 12), st.integers(1, 12)),
    geometry=st.builds(Geometry, pairs, pairs, pairs, st.sampled_from(["same", "valid"]) | st.tuples(pads, pads)),
)
def test_against_a_naive_loop(size, geometry):
    """Slide the window position by position and note which taps are inside the image."""
    tops = [before for before, _ in geometry.pads(*size)]
    spans = [
        range(0, sum(pad) + n - (k - 1) * d, s)
        for n, pad, k, s, d in zip(size, geometry.pads(*size), geometry.kernel, geometry.stride, geometry.dilation, strict=True)
    ]
    if not (spans[0] and spans[1]):
        with pytest.raises(InputError, match="the kernel spans"):
            geometry.output_size(*size)
        return
    assert geometry.output_size(*size) == (len(spans[0]), len(spans[1]))
    naive = {
        (i, j, oh, ow, h, w)
        for oh, row in enumerate(spans[0])
        for ow, column in enumerate(spans[1])
        for i in range(geometry.kernel[0])
        for j in range(geometry.kernel[1])
        if 0 <= (h := row + i * geometry.dilation[0] - tops[0]) < size[0]
        and 0 <= (w := column + j * geometry.dilation[1] - tops[1]) < size[1]
    }
    rows, columns = np.arange(size[0]), np.arange(size[1])
    out_rows, out_columns = np.arange(len(spans[0])), np.arange(len(spans[1]))
    taps = list(geometry.taps(*size))
    found = [
        (tap.i, tap.j, oh, ow, h, w)
        for tap in taps
        for oh, h in zip(out_rows[tap.output[0]].tolist(), rows[tap.input[0]].tolist(), strict=True)
        for ow, w in zip(out_columns[tap.output[1]].tolist(), columns[tap.input[1]].tolist(), strict=True)
    ]
    assert len(found) == len(set(found))
    assert set(found) == naive
    assert [tap[:2] for tap in taps] == sorted(tap[:2] for tap in taps)

    inside = np.zeros(geometry.output_size(*size), int)
    for _, _, oh, ow, _, _ in naive:
        inside[oh, ow] += 1
    assert np.array_equal(geometry.inside(*size), inside)


@settings(derandomize=True, database=None, deadline=None, max_examples=400)
@given(
    size=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    geometry=st.builds(Geometry, pairs, pairs, pairs, st.sampled_from(["same", "valid"]) | st.tuples(pads, pads)),
)
def test_transposed_windows_see_who_saw_them(size, geometry):
    """Tap i of window o sees p exactly if, with dy spread out by the stride, p's window sees o with the flipped tap."""
    windows = geometry.windows(*size)
    back = windows.transposed()
    assert (back.kernel, back.stride, back.dilation) == (windows.kernel, (1, 1), windows.dilation)
    for axis in (0, 1):
        taps = range(geometry.kernel[axis])
        forward = {(o, i, _position(windows, axis, o, i)) for o in range(-9, 10) for i in taps}
        positions = range(-99, 100)
        backward = {(_position(back, axis, p, i), geometry.kernel[axis] - 1 - i, p) for p in positions for i in taps}
        stride = geometry.stride[axis]
        assert {(o * stride, i, p) for o, i, p in forward} == {
            entry for entry in backward if entry[0] in range(-9 * stride, 10 * stride, stride)
        }


def _position(windows, axis, output, tap):
    return output * windows.stride[axis] + tap * windows.dilation[axis] - windows.origin[axis]


@settings(derandomize=True, database=None, deadline=None, max_examples=400)
@given(
    size=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    geometry=st.builds(Geometry, pairs, pairs, pairs, st.sampled_from(["same", "valid"]) | st.tuples(pads, pads)),
)
def test_phases_see_who_saw_them(size, geometry):
    """Tap i of window o sees p exactly if p's window, in p's phase, sees o with that tap; every phase comes once."""
    windows = geometry.windows(*size)
    phases = list(windows.phases())
    strides = windows.stride
    assert [phase for phase, _, _ in phases] == [(v, h) for v in range(strides[0]) for h in range(strides[1])]
    for axis in (0, 1):
        taps, stride = range(geometry.kernel[axis]), strides[axis]
        positions = range(-12 * stride, 12 * stride)
        forward = {(o, i, _position(windows, axis, o, i)) for o in range(-40, 41) for i in taps}
        for phase, kernel, back in phases:
            assert back.stride == (1, 1)
            assert len(taps[kernel[axis]]) == back.kernel[axis]
            seen = {
                (_position(back, axis, q, m), taps[kernel[axis]][m], q * stride + phase[axis])
                for q in range(-12, 12)
                for m in range(back.kernel[axis])
            }
            assert seen == {entry for entry in forward if entry[2] in positions and entry[2] % stride == phase[axis]}


def test_same_keeps_the_size_divided_by_the_stride():
    for size in range(1, 30):
        for stride in (1, 2, 3, 5):
            assert Geometry((3, 4), stride).output_size(size, size) == (-(-size // stride),) * 2


def test_numbers_mean_both_axes_and_lists_are_fine():
    assert Geometry(3) == Geometry((3, 3), (1, 1), (1, 1), "same")
    assert Geometry([3, 1], [2, 1], padding=[[1, 0], [0, 1]]) == Geometry((3, 1), (2, 1), padding=((1, 0), (0, 1)))
    assert hash(Geometry(3)) == hash(Geometry((3, 3)))
    one = np.uint8(1)  # less 2 it would be 255
    assert {type(number) for pair in Geometry(3, padding=((one, one), (one, one))).padding for number in pair} == {int}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"kernel": 0}, "kernel is 0; expected a positive integer or two of them"),
        ({"kernel": 3.0}, r"kernel is 3\.0; expected"),
        ({"kernel": (3, 3, 3)}, r"kernel is \(3, 3, 3\); expected"),
        ({"kernel": "3"}, "kernel is '3'; expected"),
        ({"kernel": True}, "kernel is True; expected"),
        ({"kernel": 3, "stride": -1}, "stride is -1; expected"),
        ({"kernel": 3, "stride": (1, 0)}, r"stride is \(1, 0\); expected"),
        ({"kernel": 3, "dilation": (1, 1.5)}, r"dilation is \(1, 1\.5\); expected"),
        ({"kernel": 3, "padding": "full"}, "padding is 'full'; expected 'same', 'valid' or"),
        ({"kernel": 3, "padding": 1}, "padding is 1; expected"),
        ({"kernel": 3, "padding": (1, 1)}, r"padding is \(1, 1\); expected"),
        ({"kernel": 3, "padding": ((0, -1), (0, 0))}, "padding is .*; expected .* integers >= 0"),
    ],
)
def test_wrong_arguments(arguments, message):
    with pytest.raises(InputError, match=message):
        Geometry(**arguments)


def test_a_kernel_that_does_not_fit():
    with pytest.raises(
        InputError, match=r"kernel spans 5 positions but the input's width is 4 \(4 with padding\): pass a larger image"
    ):
        Geometry((1, 3), dilation=2, padding="valid").output_size(4, 4)
