"""The pool, through the arrays that come from it."""

import gc
import threading

import numpy as np
import pytest

from xception_np import arrays, memory


@pytest.fixture(autouse=True)
def empty_pool():
    gc.collect()
    memory.trim()


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
    assert memory.idle_bytes() >= 80000
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
    assert memory.idle_bytes() == 0
    other = arrays.empty((100, 100), np.float64)
    other.fill(8)
    assert (view == 7).all()
    del view
    assert memory.idle_bytes() >= 80000


def test_trim_gives_memory_back():
    arrays.empty((100, 100), np.float64)
    assert memory.idle_bytes() > 0
    memory.trim()
    assert memory.idle_bytes() == 0


def test_little_is_wasted():
    for nbytes in (4096, 5000, 100_000, 1_234_567, 99_999_999):
        array = arrays.empty((nbytes,), np.uint8)
        del array
        assert nbytes <= memory.idle_bytes() <= max(nbytes * 1.125, nbytes + 4096)
        memory.trim()


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


def test_smaller_arrays_find_room_in_larger_pieces():
    """Of up to four times their size, the smallest first."""
    pieces = [arrays.empty((size,), np.uint8) for size in (2**20, 2**18, 2**16)]
    addresses = [address(piece) for piece in pieces]
    del pieces
    quarter, small = arrays.empty((2**18 - 4096,), np.uint8), arrays.empty((2**18 - 4096,), np.uint8)
    assert [address(quarter), address(small)] == [addresses[1], addresses[0]]
    third = arrays.empty((2**18,), np.uint8)
    assert address(third) not in addresses  # both are taken, and what is left is too small
    assert memory.idle_bytes() == 2**16
