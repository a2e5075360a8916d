import sys
from typing import NamedTuple

import numpy as np
import pytest

from xception_np import arrays
from xception_np.errors import InputError


def test_zeros_and_empty_like():
    arrays.empty((100, 100), np.float32).fill(9)
    zeros = arrays.zeros((100, 100), np.float32)
    assert not zeros.any()
    like = arrays.empty_like(zeros)
    assert (like.shape, like.dtype) == (zeros.shape, zeros.dtype)


def test_nbytes_counts_each_array_once():
    a, b = np.zeros(10), np.zeros(5, np.float32)
    assert arrays.nbytes(a, (b, [a, None, "text"]), 3) == 80 + 20
    assert arrays.nbytes() == 0


def test_poisoned_memory_is_nan_and_then_no_more():
    with arrays.poisoned():
        assert np.isnan(arrays.empty((3,), np.float64)).all()
        assert np.isnan(arrays.empty((5000,), np.float32)).all()
        assert not arrays.zeros((5000,), np.float32).any()
        arrays.empty((5000,), np.uint8)
    array = arrays.empty((5000,), np.float32)
    array.fill(1)
    del array
    assert not np.isnan(arrays.empty((5000,), np.float32)).any()


def test_poisoned_ends_with_an_exception():
    with pytest.raises(KeyError), arrays.poisoned():
        raise KeyError
    assert not np.isnan(arrays.zeros((3,), np.float64)).any()
    array = arrays.empty((5000,), np.float32)
    array.fill(2)
    del array
    assert (arrays.empty((5000,), np.float32) == 2).all()


def test_there_and_back_with_all_that_is_nested():
    class Pair(NamedTuple):
        first: object
        second: object

    x = np.arange(6.0).reshape(2, 3)
    there = arrays.to_device((x, [x, 3], Pair(x, "text"), None), "emulated")
    assert [arrays.place_of(each) for each in (there[0], there[1][0], there[2].first)] == ["emulated"] * 3
    assert (there[1][1], there[2].second, there[3]) == (3, "text", None)
    assert arrays.to_device(there, "emulated")[0] is there[0]
    back = arrays.to_host(there)
    np.testing.assert_array_equal(back[2].first, x)
    assert isinstance(back[2], Pair)
    assert back[0] is not x
    assert arrays.to_host(x) is x
    np.testing.assert_array_equal(arrays.to_host(arrays.to_device(x.T, "emulated")), x.T)
    assert arrays.place_of(x) == "numpy"
    assert arrays.place_of([x]) is arrays.place_of(None) is arrays.place_of(x[0, 0]) is None


def test_arrays_like_one_on_a_device():
    x = arrays.to_device(np.zeros((2, 3), np.float32), "emulated")
    for array, shape, dtype in ((arrays.empty_like(x), (2, 3), np.float32), (arrays.empty((5,), np.uint8, like=x), (5,), np.uint8)):
        assert (arrays.place_of(array), array.shape, array.dtype) == ("emulated", shape, dtype)
    assert arrays.nbytes(x, (x, [arrays.empty_like(x)])) == 48


def test_a_device_that_is_none():
    with pytest.raises(InputError, match="device is 'cuda'; expected one of 'gpu', 'emulated'"):
        arrays.to_device(np.zeros(3), "cuda")


def test_guarded_arrays_know_who_writes_beside_them():
    with arrays.guarded() as broken:
        for like in (None, arrays.to_device(np.zeros(1), "emulated")):
            for dtype in (np.float32, np.float64, np.uint8):
                array = arrays.empty((3, 5), dtype, like=like)
                assert (array.shape, array.dtype, array.flags.c_contiguous) == ((3, 5), dtype, True)
        assert broken() == 0
        first, second = arrays.empty((4,), np.float32), arrays.empty((4,), np.float32)
        first[:] = second[:] = 1
        assert broken() == 0
        np.lib.stride_tricks.as_strided(first, (5,))[-1] = 0
        assert broken() == 1
    assert not isinstance(arrays.empty((3,), np.float32).base, np.ndarray)  # no part of a larger one


def test_guarded_arrays_of_a_device():
    with arrays.guarded() as broken:
        array = arrays.empty((4,), np.float32, like=arrays.to_device(np.zeros(1), "emulated"))
        array._allocation.memory[array._offset - 1] ^= 1
        assert broken() == 1


def test_a_cupy_that_lacks_something_is_not_called_missing(tmp_path, monkeypatch):
    (tmp_path / "cupy.py").write_text("import missing_altogether")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "cupy", raising=False)
    with pytest.raises(InputError, match=r"is installed but cannot be imported .*missing_altogether"):
        arrays.device("gpu")
