import ctypes
import math
import os
import subprocess
import sys
import threading

import numpy as np
import pytest

from xception_np import threads
from xception_np.errors import InputError

MAIN = threading.main_thread()


def blas_threads():
    """Of the libraries that were loaded when the pool was first used: NumPy's is among them."""
    return [library["num_threads"] for library in threads._controller().info() if library["user_api"] == "blas"]


@pytest.mark.parametrize("count", [1, 2, 3, 8])
@pytest.mark.parametrize("tiles", [0, 1, 2, 7, 100])
def test_every_tile_is_visited_once(count, tiles):
    visited = []
    with threads.use(count):
        threads.for_tiles(visited.append, list(range(tiles)))
    assert sorted(visited) == list(range(tiles))


def test_tiles_run_on_several_threads():
    together = threading.Barrier(3, timeout=60)
    with threads.use(3):
        threads.for_tiles(lambda _: together.wait(), range(3))


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("where", [0, 3, 9])
def test_an_exception_reaches_the_caller(count, where):
    def function(tile):
        if tile == where:
            raise KeyError(f"tile {tile}")

    with threads.use(count), pytest.raises(KeyError, match=f"tile {where}"):
        threads.for_tiles(function, range(10))
    visited = []
    with threads.use(count):
        threads.for_tiles(visited.append, range(10))
    assert sorted(visited) == list(range(10))


def test_after_an_exception_no_more_tiles_start():
    visited = []

    def function(tile):
        visited.append(tile)
        raise KeyError

    with threads.use(2), pytest.raises(KeyError):
        threads.for_tiles(function, range(1000))
    assert len(visited) <= 2


def test_a_call_inside_a_tile_runs_on_that_thread():
    """Otherwise all threads could wait for each other."""
    visited = []

    def outer(tile):
        me = threading.get_ident()
        threads.for_tiles(lambda inner: visited.append((tile, inner, threading.get_ident() == me)), range(3))

    with threads.use(2):
        threads.for_tiles(outer, range(4))
    assert sorted(visited) == [(tile, inner, True) for tile in range(4) for inner in range(3)]


def test_two_callers_at_once():
    results = {}

    def caller(name):
        total = threads.sum_tiles(lambda tile, out: out.fill(tile), [range(20), range(20, 50)], (3,), np.float64)
        results[name] = total.tolist()

    with threads.use(2):
        callers = [threading.Thread(target=caller, args=(name,)) for name in range(4)]
        for thread in callers:
            thread.start()
        for thread in callers:
            thread.join()
    assert results == {name: [1225.0] * 3 for name in range(4)}


def test_together_calls_on_every_thread_with_one_queue():
    queues, all_here = [], threading.Barrier(3, timeout=60)

    def work(queue):
        queues.append((queue, threading.current_thread(), ctypes.c_int64.from_address(queue).value))
        all_here.wait()

    with threads.use(3):
        threads.together(work, 5)
    assert len({thread for _, thread, _ in queues}) == 3
    assert len({queue for queue, _, _ in queues}) == 1
    assert {value for _, _, value in queues} == {0}


@pytest.mark.parametrize(("count", "items"), [(1, 5), (3, 1)])
def test_together_needs_no_helpers_for_one_thread_or_item(count, items):
    callers = []
    with threads.use(count):
        threads.together(lambda _: callers.append(threading.current_thread()), items)
    assert callers == [MAIN]


def test_a_second_caller_computes_alone():
    """While a pass is under way, another thread's pass neither waits for it nor mixes with it."""
    second = []

    def first(_):
        if threading.current_thread() is MAIN:
            other = threading.Thread(target=lambda: threads.together(lambda _: second.append(threading.current_thread()), 9))
            other.start()
            other.join()
            assert second == [other]

    with threads.use(2):
        threads.together(first, 9)
    assert len(second) == 1


def test_sum_groups():
    def work(queue, partials):
        for g in iter_taken(queue, len(partials)):
            partials[g] = [g, 1]

    lock = threading.Lock()

    def iter_taken(queue, items):
        number = ctypes.c_int64.from_address(queue)
        while True:
            with lock:
                k = number.value
                number.value += 1
            if k >= items:
                return
            yield k

    for count in (1, 2, 3):
        with threads.use(count):
            total = threads.sum_groups(work, 7, (2,), np.float32)
        assert total.tolist() == [21, 7]
        assert total.dtype == np.float32


def test_blas_has_one_thread_inside_and_its_own_number_outside():
    before = blas_threads()
    inside = []
    with threads.use(2):
        threads.for_tiles(lambda _: inside.extend(blas_threads()), range(4))
    assert len(inside) == 4 * len(before)
    assert set(inside) <= {1}
    assert blas_threads() == before


def test_blas_gets_its_threads_back_after_an_exception():
    before = blas_threads()

    def function(_):
        raise KeyError

    with pytest.raises(KeyError):
        threads.for_tiles(function, range(4))
    assert blas_threads() == before


def test_sums_are_the_same_bits_for_any_number_of_threads():
    numbers = np.random.default_rng(0).standard_normal((64, 1000)).astype(np.float32)
    sums = set()
    for count in (1, 2, 5):
        with threads.use(count):
            groups = [range(k, k + 4) for k in range(0, 64, 4)]
            total = threads.sum_tiles(lambda k, out: np.copyto(out, numbers[k]), groups, (1000,), np.float32)
            sums.add(total.tobytes())
    assert len(sums) == 1


def test_for_spans_covers_arrays_larger_than_a_span():
    a, b = np.arange(300_000.0).reshape(10, 30_000), np.zeros((10, 30_000))
    with threads.use(2):
        threads.for_spans(lambda x, y: np.multiply(x, 2, out=y), a, b)
    assert np.array_equal(b, 2 * a)


def test_many_passes_hold_blas_to_one_thread():
    before = [pool["num_threads"] for pool in threads._controller().info() if pool["user_api"] == "blas"]
    with pytest.raises(KeyError), threads.many_passes():
        threads.together(lambda queue: None, 4)
        held = [pool["num_threads"] for pool in threads._controller().info() if pool["user_api"] == "blas"]
        raise KeyError
    assert held == [1] * len(before)
    assert [pool["num_threads"] for pool in threads._controller().info() if pool["user_api"] == "blas"] == before


def test_use_ends_with_the_block():
    before = threads.count()
    with pytest.raises(KeyError), threads.use(before + 3):
        assert threads.count() == before + 3
        raise KeyError
    assert threads.count() == before


@pytest.mark.parametrize("wrong", [0, -1, 1025, 10**20, "many", ""])
def test_wrong_numbers_of_threads(wrong):
    with pytest.raises(InputError, match=f"threads is {wrong!r}; expected the number of threads, 1 to 1024"), threads.use(wrong):
        pass


def started_with(value):
    program = "from xception_np import threads; print(threads.count())"
    environment = os.environ | {"XCEPTION_NP_THREADS": value}
    return subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("limit", "cores"),
    [("200000 100000", 2), ("150000 100000", 2), ("1000 100000", 1), ("max 100000", math.inf), ("", math.inf), (None, math.inf)],
)
def test_a_container_may_take_less_than_all_cores(tmp_path, limit, cores):
    if limit is not None:
        (tmp_path / "cpu.max").write_text(limit)
    assert threads._quota(tmp_path / "cpu.max") == cores


def test_the_environment_sets_the_number_of_threads():
    assert started_with("3").stdout == "3\n"
    assert "XCEPTION_NP_THREADS is 'all'; expected the number of threads" in started_with("all").stderr


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_process_has_threads_of_its_own():
    code = """
import os, sys, warnings
warnings.simplefilter("ignore")
from xception_np import threads
with threads.use(2):
    threads.for_tiles(print, [])
    threads.for_tiles(lambda tile: None, range(4))
    child = os.fork()
    if child == 0:
        threads.for_tiles(lambda tile: None, range(4))
        os._exit(7)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60).stdout
    assert out.strip() == "7"
