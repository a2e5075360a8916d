"""The emulated device's arrays: what they can do, and that NumPy gets nothing from them unasked."""

import copy
import pickle

import numpy as np
import pytest

from xception_np.emulator import device
from xception_np.errors import InputError


def test_there_and_back():
    values = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    array = device.asarray(values.transpose(2, 0, 1))
    np.testing.assert_array_equal(array.get(), values.transpose(2, 0, 1))
    np.testing.assert_array_equal(device.asnumpy(array), array.get())
    assert array.get() is not array.get()
    assert device.asarray(array) is array
    values[:] = 0
    assert array.get().max() == 23


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.uint8, np.int32])
@pytest.mark.parametrize("shape", [(), (5,), (2, 3, 4), (0, 4)])
def test_what_an_array_says_of_itself(shape, dtype):
    array, host = device.zeros(shape, dtype), np.zeros(shape, dtype)
    for name in ("shape", "dtype", "size", "ndim", "nbytes", "itemsize"):
        assert getattr(array, name) == getattr(host, name), name
    assert array.strides == host.strides or not host.size
    assert array.flags.c_contiguous
    np.testing.assert_array_equal(array.get(), host)
    assert device.empty(shape, dtype).shape == shape
    assert device.address(array) % 512 == 0
    assert repr(array) == f"<emulated array {shape} {np.dtype(dtype)}>"


def test_views_share_memory():
    array = device.zeros((4, 6), np.float32)
    array[1:3].reshape(3, -1).set(np.arange(12, dtype=np.float32).reshape(3, 4))
    array[3].set(np.full(6, 7, np.float32))
    np.testing.assert_array_equal(array.get(), [[0] * 6, [0, 1, 2, 3, 4, 5], [6, 7, 8, 9, 10, 11], [7] * 6])
    assert array.ravel()[-1].get() == 7
    assert array[-1:].shape == (1, 6)
    assert array[3:1].shape == (0, 6)
    assert len(array) == 4
    with pytest.raises(IndexError):
        array[4]


def test_empty_memory_is_nan():
    assert np.isnan(device.empty((3, 4), np.float32).get()).all()
    device.empty(10, np.int32).get()


def test_which_bytes_have_values():
    array = device.empty(300, np.float32)
    for start, stop in [(1, 2), (10, 40), (64, 128), (200, 299), (5, 5)]:
        array[start:stop].set(np.ones(stop - start, np.float32))
    known = np.unpackbits(array._allocation.initialised.view(np.uint8), bitorder="little")[:1200].reshape(300, 4)
    assert (known == known[:, :1]).all()
    expected = np.zeros(300)
    expected[1] = expected[10:40] = expected[64:128] = expected[200:299] = 1
    np.testing.assert_array_equal(known[:, 0], expected)
    array.set(np.ones(300, np.float32))
    assert device.known_bytes(array) == (None, 0)


def test_a_copy_knows_what_has_no_value_yet():
    array = device.empty(300, np.float32)
    array[10:40].set(np.ones(30, np.float32))
    other = array[5:299].copy()
    known = np.unpackbits(other._allocation.initialised.view(np.uint8), bitorder="little")[: 4 * 294].reshape(294, 4)
    np.testing.assert_array_equal(known, np.repeat((np.arange(294) >= 5) & (np.arange(294) < 35), 4).reshape(294, 4))
    assert device.known_bytes(array[10:40].copy().copy())[0] is not None
    assert device.known_bytes(device.zeros(3).copy()) == (None, 0)


@pytest.mark.parametrize(
    "convert",
    [
        np.asarray,
        np.array,
        np.sum,
        lambda array: np.zeros(3) + array,
        lambda array: array + np.zeros(3),
        lambda array: array * 2,
        lambda array: np.add(array, 1),
        lambda array: array == 0,
        lambda array: np.zeros(3) == array,
        lambda array: np.stack([array, array]),
        float,
        bool,
        memoryview,
        hash,
    ],
)
def test_nothing_is_converted_in_silence(convert):
    with pytest.raises(TypeError):
        convert(device.zeros(3))


def test_a_copy_has_memory_of_its_own():
    array = device.zeros((2, 3), np.float32)
    for other in (array.copy(), array[1:].copy(), copy.deepcopy(array), pickle.loads(pickle.dumps(array))):
        other.set(np.ones(other.shape, np.float32))
        assert device.address(other) != device.address(array) and not array.get().any()


def test_the_sentence_names_the_way_out():
    with pytest.raises(TypeError, match=r"not converted to NumPy in silence; expected array.get\(\)"):
        np.asarray(device.zeros(3))


@pytest.mark.parametrize("name", ["sum", "T", "mean", "fill", "astype", "__array_interface__", "__cuda_array_interface__"])
def test_other_names_are_refused(name):
    with pytest.raises(AttributeError, match=f"emulated arrays have no '{name}'; they have shape, dtype"):
        getattr(device.zeros(3), name)
    with pytest.raises(AttributeError, match=f"the emulated device has no '{name}_like'; it has RawModule, asarray"):
        getattr(device, f"{name}_like")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda array: array.reshape(4, 2), "shape is .*4, 2.*; expected one of 6 numbers"),
        (lambda array: array.reshape(-1, 4), "shape is"),
        (lambda array: array.reshape(-1, -1), "shape is"),
        (lambda array: array.reshape(-1, 0), "shape is"),
        (lambda array: array[::2], "index is slice"),
        (lambda array: array[0, 1], "index is"),
        (lambda array: array[0][0][0], "index is 0"),
        (lambda array: array.set(np.zeros((2, 3))), r"values is \(2, 3\) float64; expected a NumPy array of \(2, 3\) float32"),
        (lambda array: array.set(np.zeros(6, np.float32)), r"values is \(6,\) float32"),
        (lambda array: array.set(array), "values is ndarray"),
        (lambda array: device.asarray([1.0]), "values is a list; expected a NumPy array"),
    ],
)
def test_wrong_arguments(wrong, message):
    with pytest.raises(InputError, match=message):
        wrong(device.zeros((2, 3), np.float32))
