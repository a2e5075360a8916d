import gc
import sys
import threading
from typing import NamedTuple

import numpy as np
import pytest

from xception_np import arrays
from xception_np.errors import InputError


@pytest.fixture(autouse=True)
def empty_pool():
    gc.collect()
    arrays.trim()


def address(array):
    return array.__array_interface__["data"][0]


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.uint8])
@pytest.mark.parametrize("shape", [(), (3,), (5, 7), (8, 19, 19, 128), (0, 4)])
def test_shape_dtype_and_layout(shape, dtype):
    array = arrays.empty(shape, dtype)
    assert (array.shape, array.dtype) == (shape, dtype)
    assert array.flags.c_contiguous
    assert array.flags.writeable


def test_large_arrays_are_aligned_to_a_cache_line():
    for count in (1024, 1025, 5000, 123457):
        assert address(arrays.empty((count,), np.float32)) % 64 == 0


def test_memory_is_used_again():
    first = arrays.empty((100, 100), np.float64)
    where = address(first)
    del first
    assert arrays.idle_bytes() >= 80000
    assert address(arrays.empty((50, 200), np.float64)) == where
    assert address(arrays.empty((199, 100), np.float32)) == where


def test_living_arrays_do_not_share_memory():
    held = [arrays.empty((5000,), np.float64) for _ in range(20)]
    for k, array in enumerate(held):
        array.fill(k)
    assert all((array == k).all() for k, array in enumerate(held))


def test_a_view_keeps_the_memory():
    array = arrays.empty((100, 100), np.float64)
    array.fill(7)
    view = array[3:5].reshape(-1)[10:]
    del array
    assert arrays.idle_bytes() == 0
    other = arrays.empty((100, 100), np.float64)
    other.fill(8)
    assert (view == 7).all()
    del view
    assert arrays.idle_bytes() >= 80000


def test_trim_gives_memory_back():
    arrays.empty((100, 100), np.float64)
    assert arrays.idle_bytes() > 0
    arrays.trim()
    assert arrays.idle_bytes() == 0


def test_little_is_wasted():
    for nbytes in (4096, 5000, 100_000, 1_234_567, 99_999_999):
        array = arrays.empty((nbytes,), np.uint8)
        del array
        assert nbytes <= arrays.idle_bytes() <= max(nbytes * 1.125, nbytes + 4096)
        arrays.trim()


def test_threads_never_get_the_same_memory():
    def work(number):
        for _ in range(200):
            array = arrays.empty((2000,), np.float64)
            array.fill(number)
            if not (array == number).all():
                wrong.append(number)

    wrong: list[int] = []
    workers = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert not wrong


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


def test_smaller_arrays_find_room_in_larger_pieces():
    """Of up to four times their size, the smallest first."""
    pieces = [arrays.empty((size,), np.uint8) for size in (2**20, 2**18, 2**16)]
    addresses = [address(piece) for piece in pieces]
    del pieces
    quarter, small = arrays.empty((2**18 - 4096,), np.uint8), arrays.empty((2**18 - 4096,), np.uint8)
    assert [address(quarter), address(small)] == [addresses[1], addresses[0]]
    third = arrays.empty((2**18,), np.uint8)
    assert address(third) not in addresses  # both are taken, and what is left is too small
    assert arrays.idle_bytes() == 2**16


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
