import _thread
import ctypes
import os
import subprocess
import sys
import threading
import weakref

import numpy as np
import pytest

from xception_np import helpers, threads
from xception_np.errors import InputError
from xception_np.helpers import Helpers
from xception_np.threads import Tile

MAIN = threading.main_thread()
NOT_COUNTED = np.ones(1, np.int64)  # for passes that do not say when they have begun


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


def test_tables():
    shape = (3, 5000, 7, 5)
    groups = threads.tile_groups(shape, 100, 50)
    table, ends = threads.group_table(shape, 100, 50)
    assert [[Tile(*row) for row in table[start:stop].tolist()] for start, stop in ends] == groups
    assert [Tile(*row) for row in threads.image_table(shape).tolist()] == threads.image_tiles(shape)
    assert [slice(*row) for row in threads.span_table(5000, 700).tolist()] == list(threads.spans(5000, 700))


def test_tables_are_kept_for_as_long_as_tiles_are_cut_alike():
    shape = (3, 40, 40, 5)
    kept = threads.image_table(shape)
    with threads.tiny_tiles():
        assert len(threads.image_table(shape)) > len(kept)
    assert threads.image_table(shape) is kept
    with pytest.raises(ValueError, match="read-only"):
        kept[0] = 0


def test_helpers_that_have_fallen_asleep_wake_up(monkeypatch):
    monkeypatch.setattr(helpers, "AWAKE", 1)
    pair, visits = Helpers(2), []
    for _ in range(50):
        assert pair.run(lambda: visits.append(threading.current_thread()), NOT_COUNTED)
        asleep_or_about_to = pair._asleep
        assert 0 <= asleep_or_about_to <= 2
    assert len(visits) == 150
    assert len(set(visits)) == 3


def test_an_exception_in_a_helper_only():
    def work():
        if threading.current_thread() is not MAIN:
            raise KeyError("in a helper")

    pair = Helpers(2)
    for _ in range(3):
        with pytest.raises(KeyError, match="in a helper"):
            pair.run(work, NOT_COUNTED)
    assert pair.run(lambda: None, NOT_COUNTED)  # and none is left over


def test_after_ctrl_c_no_helper_still_works_on_the_pass():
    """Whoever catches the KeyboardInterrupt may use the arrays again: to save a checkpoint, say."""
    pair, first, finished = Helpers(2), threading.Lock(), []

    def work():
        if threading.current_thread() is MAIN:
            return
        if first.acquire(blocking=False):
            _thread.interrupt_main()  # the caller waits for the helpers by now, or soon
        else:
            finished.append(sum(range(3_000_000)))

    with pytest.raises(KeyboardInterrupt):
        pair.run(work, NOT_COUNTED)
    assert len(finished) == 1
    visits = []
    assert pair.run(lambda: visits.append(threading.current_thread()), NOT_COUNTED)
    assert len(set(visits)) == 3


def test_a_process_ends_while_its_helpers_are_awake():
    program = "from xception_np import threads\nwith threads.use(3): threads.for_tiles(str, range(9))"
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_helpers_keep_nothing_of_a_pass():
    """Memory goes back to the pool with the caller's last reference."""
    array = np.zeros(3)
    seen = weakref.ref(array)
    assert Helpers(1).run(lambda array=array: array.sum(), NOT_COUNTED)
    del array
    assert seen() is None


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


@pytest.mark.parametrize(
    ("images", "rows", "columns"), [(1, 1, 1), (8, 147, 147), (3, 40, 17), (64, 7, 7), (1, 5000, 1), (2, 1, 5000), (700, 1, 1)]
)
def test_tiles_cover_every_row_once_and_are_contiguous(images, rows, columns):
    shape = (images, rows, columns, 5)
    array = np.zeros(shape)
    groups = threads.tile_groups(shape, 100, 50)
    for tiles in (threads.image_tiles(shape, 100), threads.image_tiles(shape), [tile for group in groups for tile in group]):
        array.fill(0)
        for tile in tiles:
            part = tile.of(array)
            assert part.flags.c_contiguous
            part += 1
        assert (array == 1).all()
    assert len(groups) <= 2 * threads.TILES


def test_cut():
    assert Tile(2, 3, 10, 20).cut(columns=4, positions=8) == [Tile(2, 3, h, h + 2) for h in range(10, 20, 2)]
    assert Tile(0, 5, 0, 2).cut(columns=2, positions=8) == [Tile(0, 2, 0, 2), Tile(2, 4, 0, 2), Tile(4, 5, 0, 2)]


def test_positions_of_a_tile():
    assert threads.tile_positions(16_000_000, 64) == threads.LARGEST // 64  # as many as the cache holds
    assert threads.tile_positions(32_000, 64) == 32_000 // threads.TILES  # a share for every thread
    assert threads.tile_positions(1000, 64) == threads.SMALLEST // 64  # no less than pays
    assert threads.tile_positions(1, 10**9) == 1


def test_tiles_of_images():
    assert [tile.h1 - tile.h0 for tile in threads.image_tiles((8, 19, 19, 728))] == 8 * [19]  # a whole image is not too large
    assert [tile.h1 - tile.h0 for tile in threads.image_tiles((1, 19, 19, 728))] == [4] + 5 * [3]  # one is for all threads
    assert max(tile.h1 - tile.h0 for tile in threads.image_tiles((8, 74, 74, 256))) < 74
    assert threads.image_tiles((128, 8, 8, 128))[:2] == [Tile(0, 8, 0, 8), Tile(8, 16, 0, 8)]
    for group in threads.tile_groups((8, 32, 32, 64), 64, 4096):
        assert all((tile.h0, tile.h1) == (0, 32) for tile in group)


@pytest.mark.parametrize(
    ("threads_used", "shape", "rows"),
    [
        (1, (1, 19, 19, 728), [19]),  # nothing to share
        (2, (1, 19, 19, 728), [10, 9]),  # a half for each
        (4, (1, 19, 19, 728), [5, 5, 5, 4]),
        (64, (1, 19, 19, 728), [5, 5, 5, 4]),  # no less than pays
        (2, (3, 19, 19, 728), 3 * [10, 9]),  # three images are no even share for two
        (2, (1, 37, 37, 728), [10, 9, 9, 9]),  # what the cache holds
        (2, (16, 19, 19, 728), 16 * [19]),
        (2, (2, 4, 4, 384), [4]),  # small images, both in one tile
    ],
)
def test_tiles_of_products(threads_used, shape, rows):
    array = np.zeros(shape[:3])
    with threads.use(threads_used):
        tiles = threads.product_tiles(shape, shape[3])
        assert [Tile(*row) for row in threads.product_table(shape, shape[3]).tolist()] == tiles
    assert [tile.h1 - tile.h0 for tile in tiles] == rows
    for tile in tiles:
        part = tile.of(array)
        assert part.flags.c_contiguous
        part += 1
    assert (array == 1).all()


def test_many_passes_hold_blas_to_one_thread():
    before = [pool["num_threads"] for pool in threads._controller().info() if pool["user_api"] == "blas"]
    with pytest.raises(KeyError), threads.many_passes():
        threads.together(lambda queue: None, 4)
        held = [pool["num_threads"] for pool in threads._controller().info() if pool["user_api"] == "blas"]
        raise KeyError
    assert held == [1] * len(before)
    assert [pool["num_threads"] for pool in threads._controller().info() if pool["user_api"] == "blas"] == before


def test_spans():
    assert threads.spans(160, threads.LARGEST // 64) == (slice(0, 64), slice(64, 128), slice(128, 160))
    assert threads.spans(0, 4) == ()
    assert threads.span_groups(40, 10) == [[slice(k, min(k + 3, 40))] for k in range(0, 40, 3)]
    assert len(threads.span_groups(4000, 10**9)) == 4  # few of large sums
    assert threads.span_groups(0, 1) == []


def test_use_ends_with_the_block():
    before = threads.count()
    with pytest.raises(KeyError), threads.use(before + 3):
        assert threads.count() == before + 3
        raise KeyError
    assert threads.count() == before


@pytest.mark.parametrize("wrong", [0, -1, "many", ""])
def test_wrong_numbers_of_threads(wrong):
    with pytest.raises(InputError, match=f"threads is {wrong!r}; expected the number of threads, 1 or more"), threads.use(wrong):
        pass


def started_with(value):
    program = "from xception_np import threads; print(threads.count())"
    environment = os.environ | {"XCEPTION_NP_THREADS": value}
    return subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False)


def test_the_environment_sets_the_number_of_threads():
    assert started_with("3").stdout == "3\n"
    assert "XCEPTION_NP_THREADS is 'all'; expected the number of threads" in started_with("all").stderr


def test_tiny_tiles_make_many_and_end_with_the_block():
    shape, before = (2, 70, 17, 5), len(threads.image_tiles((2, 70, 17, 5)))
    with threads.tiny_tiles():
        assert len(threads.image_tiles(shape)) > 10
    assert len(threads.image_tiles(shape)) == before


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
