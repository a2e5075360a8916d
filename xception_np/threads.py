"""The one thread pool: a few threads that work through the tiles of a pass.

- `together(work, items)` for a compiled pass: each thread calls `work(queue)` once, and draws tiles in compiled code.
- `for_tiles(function, tiles)` for one that is written in Python: `function(tile)` for each.
- `sum_groups` and `sum_tiles`, the same for sums over tiles.

What they call releases the interpreter's lock (Numba's `nogil`, NumPy's matrix product), and inside it BLAS is held to one
thread (where it can be: Apple's Accelerate decides for itself), so no two pools of threads compete for the same cores. What
is summed, and in which order, depends on shapes alone (`tiling.py`): results are the same bits for any number of threads.

A call inside a pass, or beside one of another thread, runs on the thread that makes it.
"""

import math
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TypeVar

import numpy as np
from threadpoolctl import ThreadpoolController

from xception_np import arrays, tiling
from xception_np.errors import InputError, is_whole
from xception_np.helpers import Helpers

T = TypeVar("T")

_MOST = 1024  # threads: a mistyped number must not start thousands


def together(work: Callable[[int], object], items: int) -> None:
    """Call `work(queue)` on all threads at once; return when all are done.

    For compiled passes that hand out their own tiles: `queue` is the address of a number, 0 at first, from which
    `taken(queue, items)` draws what is next, so that the interpreter is needed once a thread, not once a tile. An exception is
    raised here.
    """
    _together(lambda number, queue: work(queue), items)


def _together(work: Callable[[np.ndarray, int], object], items: int) -> None:
    """The same with the number itself, too: who starts work counts it up, or the caller would wait a while for others to begin."""
    number, queue = counter = _counter()
    number[0] = 0
    try:
        with _one_blas_thread:
            if min(_count, items) <= 1 or not _helpers(_count - 1).run(lambda: work(number, queue), number, items - 1):
                work(number, queue)
    finally:
        _counters.append(counter)


def _counter() -> tuple[np.ndarray, int]:
    """An idle number to count tiles with, and its address, which takes longer to find than many a pass is worth."""
    try:
        return _counters.pop()
    except IndexError:  # none is idle
        number = np.zeros(1, np.int64)
        return number, number.ctypes.data


def rows(x: np.ndarray) -> np.ndarray:
    """An array (..., C) as a matrix of its positions (P, C)."""
    return x.reshape(-1, x.shape[-1])


def for_rows(function: Callable, matrix: np.ndarray, *arguments) -> None:
    """Run a compiled function(queue, spans, matrix, *arguments) over the rows of a matrix, on all threads."""
    found = tiling.span_table(*matrix.shape)
    together(lambda queue: function(queue, found, matrix, *arguments), len(found))


def for_tiles(function: Callable[[T], object], tiles: Sequence[T]) -> None:
    """Call `function(tile)` for every tile, on all threads; return when all are done.

    After an exception in one call no more tiles are started, and the exception is raised here.
    """
    tiles_left = iter(tiles)  # next() on the iterator of a list or tuple is atomic under the interpreter's lock

    def work(number, _):
        try:
            for tile in tiles_left:
                number[0] = 1
                function(tile)
        finally:
            for _ in tiles_left:  # only after an exception is there anything left
                pass

    _together(work, len(tiles))


def for_spans(function: Callable, *equal: np.ndarray) -> None:
    """Call `function(part, part, ...)` on matching flat parts of arrays of the same shape, on all threads."""
    flat = [array.reshape(-1) for array in equal]
    found = tiling.spans(flat[0].size)
    if len(found) == 1:
        function(*flat)
    else:
        for_tiles(lambda span: function(*[array[span] for array in flat]), found)


def sum_tiles(
    function: Callable[[T, np.ndarray], object], groups: Sequence[Sequence[T]], shape: tuple[int, ...], dtype
) -> np.ndarray:
    """The sum over all tiles of what `function(tile, out)` writes into `out`.

    The tiles of a group are added up one after the other, by one thread; then the groups, in their order. So the order
    of the sum does not depend on which thread does what.
    """
    partials = arrays.empty((len(groups), *shape), dtype)

    def add_up(index):
        first, *others = groups[index]
        function(first, partials[index])
        for tile in others:
            addend = arrays.empty(shape, dtype)
            function(tile, addend)
            np.add(partials[index], addend, out=partials[index])

    for_tiles(add_up, range(len(groups)))
    return _total(partials)


def sum_groups(work: Callable[[int, np.ndarray], object], groups: int, shape: tuple[int, ...], dtype) -> np.ndarray:
    """The same for a compiled pass: `work(queue, partials)` takes groups and writes the sum of each into its place."""
    partials = arrays.empty((groups, *shape), dtype)
    together(lambda queue: work(queue, partials), groups)
    return _total(partials)


def _total(partials: np.ndarray) -> np.ndarray:
    """The sum over the first axis, in its order."""
    from xception_np.ops import partial_sums  # compiled, from a package that needs this module

    total = arrays.empty(partials.shape[1:], partials.dtype)
    terms, result = partials.reshape(len(partials), -1), total.reshape(-1)
    found = tiling.span_table(result.size, len(partials))
    together(lambda queue: partial_sums.add_up(queue, found, terms, result), len(found))
    return total


def count() -> int:
    """How many threads compute."""
    return _count


@contextmanager
def many_passes() -> Iterator[None]:
    """Hold BLAS to one thread between the passes inside a `with` block, too.

    Asking it before and after each takes time. And its own threads, once they had something to do, spin for more: OpenBLAS's for
    2**26 cycles, in which they keep ours from the cores. One small product before every step, which scaled the pictures down, made
    the step half as long again.
    """
    with _one_blas_thread:
        yield


@contextmanager
def use(threads: int) -> Iterator[None]:
    """Compute with this many threads inside a `with` block, in the whole process. Results do not depend on it, only speed does."""
    global _count
    before, _count = _count, _checked("threads", threads)
    try:
        yield
    finally:
        _count = before


class _OneBlasThread:
    """Holds BLAS to one thread while any thread is inside; the last one out restores what was."""

    def __init__(self):
        self._lock = threading.Lock()
        self._depth = 0
        self._limit = None

    def __enter__(self):
        controller = _controller()  # the first time it takes a while, in which somebody may interrupt
        with self._lock:
            if self._depth == 0:
                self._limit = controller.limit(limits=1, user_api="blas")
            self._depth += 1

    def __exit__(self, *_):
        with self._lock:
            self._depth -= 1
            if self._depth == 0 and self._limit is not None:
                self._limit.restore_original_limits()


@cache
def _controller() -> ThreadpoolController:
    import scipy.linalg.cython_blas  # noqa: F401 (the BLAS that Numba calls; it must be loaded to be found)

    return ThreadpoolController()  # looks through the loaded libraries: once is enough


@cache
def _helpers(count: int) -> Helpers:
    return Helpers(count)


def _checked(name: str, value) -> int:
    if not is_whole(value) or not 1 <= value <= _MOST:
        raise InputError(f"{name} is {value!r}; expected the number of threads, 1 to {_MOST}")
    return value


def _default() -> int:
    """As many as the environment says, or as there are cores for this process."""
    wish = os.environ.get("XCEPTION_NP_THREADS")
    if wish is not None:
        return _checked("XCEPTION_NP_THREADS", int(wish) if wish.isdecimal() and len(wish) < 10 else wish)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return int(min(cores, _quota(Path("/sys/fs/cgroup/cpu.max"))))


def _quota(limit: Path) -> float:
    """How many cores' time a container may take, rounded up; without an end if it may take all."""
    try:
        most, period = limit.read_text().split()
        return max(1, math.ceil(int(most) / int(period)))
    except (OSError, ValueError, ZeroDivisionError):  # no container, or "max"
        return math.inf


def _after_fork() -> None:
    """A forked process has none of its parent's threads, and perhaps a lock that nobody will release."""
    global _one_blas_thread
    _helpers.cache_clear()
    _one_blas_thread = _OneBlasThread()


_counters: list[tuple[np.ndarray, int]] = []  # those that are idle
_one_blas_thread = _OneBlasThread()
_count = _default()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
