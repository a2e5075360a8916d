"""The one thread pool: `for_tiles(function, tiles)`.

Every CPU pass is a serial function of a tile, run over a list of tiles by a few Python threads. The functions release the
interpreter's lock (Numba's `nogil`, NumPy's matrix product), and inside them BLAS is held to one thread, so no two
pools of threads compete for the same cores. The tiles and the order in which partial sums are added depend on the
shapes alone: results are the same bits for any number of threads.
"""

import os
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from typing import NamedTuple, TypeVar

import numpy as np
from threadpoolctl import ThreadpoolController

from xception_np import arrays
from xception_np.errors import InputError

T = TypeVar("T")

POSITIONS = 512  # output positions in a tile: enough for BLAS to work, few enough for a panel to stay in the cache
NUMBERS = 32768  # numbers in a span of an elementwise pass: a few such spans fit into the second-level cache
PARTIALS = 16  # partial sums of a weight gradient at most: each is as large as the gradient itself


class Tile(NamedTuple):
    """Images n0 to n1 and rows h0 to h1 of each; either one image or whole images, so that a tile is contiguous."""

    n0: int
    n1: int
    h0: int
    h1: int

    def of(self, array: np.ndarray) -> np.ndarray:
        """The tile's part of an (N, H, ...) array."""
        return array[self.n0 : self.n1, self.h0 : self.h1]

    def cut(self, columns: int, positions: int = POSITIONS) -> list["Tile"]:
        """Smaller tiles of about this many positions."""
        n0, n1, h0, h1 = self
        rows = h1 - h0
        if rows * columns >= 2 * positions:
            step = max(1, positions // columns)
            return [Tile(n, n + 1, h, min(h + step, h1)) for n in range(n0, n1) for h in range(h0, h1, step)]
        step = max(1, positions // max(rows * columns, 1))
        return [Tile(n, min(n + step, n1), h0, h1) for n in range(n0, n1, step)]


def image_tiles(images: int, rows: int, columns: int, positions: int = POSITIONS) -> list[Tile]:
    """Cut N images of rows x columns into tiles of about this many positions."""
    return Tile(0, images, 0, rows).cut(columns, positions)


def partial_tiles(images: int, rows: int, columns: int) -> list[Tile]:
    """Tiles for a sum over all positions: at most about PARTIALS of them."""
    return image_tiles(images, rows, columns, max(POSITIONS, -(-images * rows * columns // PARTIALS)))


def spans(count: int, size: int) -> list[slice]:
    """Cut range(count) into slices of at most `size`."""
    return [slice(start, min(start + size, count)) for start in range(0, count, size)]


def for_tiles(function: Callable[[T], object], tiles: Sequence[T]) -> None:
    """Call `function(tile)` for every tile, on all threads; return when all are done.

    An exception in one call is raised here, after the other threads have finished the tile at hand.
    """
    with _one_blas_thread:
        helpers = min(_count, len(tiles)) - 1
        if helpers < 1 or getattr(_inside, "tile", False):
            for tile in tiles:
                function(tile)
            return
        queue = iter(tiles)  # next() on a list's iterator is atomic under the interpreter's lock
        futures = [_executor(_count).submit(_work, function, queue) for _ in range(helpers)]
        try:
            _work(function, queue)
        finally:
            for _ in queue:  # only after an exception: leave nothing for the helpers
                pass
            errors = [future.exception() for future in futures]
        for error in errors:
            if error:
                raise error


def for_spans(function: Callable, *equal: np.ndarray) -> None:
    """Call `function(part, part, ...)` on matching flat parts of arrays of the same shape, on all threads."""
    flat = [array.reshape(-1) for array in equal]
    for_tiles(lambda span: function(*(array[span] for array in flat)), spans(flat[0].size, NUMBERS))


def sum_tiles(function: Callable[[T, np.ndarray], object], tiles: Sequence[T], shape: tuple[int, ...], dtype) -> np.ndarray:
    """The sum over tiles of what `function(tile, partial)` adds to `partial`, which starts as zeros.

    Partial sums are added in the order of the tiles, whatever thread made them.
    """
    partials = arrays.zeros((len(tiles), *shape), dtype)
    for_tiles(lambda index: function(tiles[index], partials[index]), range(len(tiles)))
    return partials.sum(axis=0)


def count() -> int:
    """How many threads compute."""
    return _count


@contextmanager
def use(threads: int) -> Iterator[None]:
    """Compute with this many threads inside a `with` block. Results do not depend on it, only speed does."""
    global _count
    before, _count = _count, _checked("threads", threads)
    try:
        yield
    finally:
        _count = before


def _work(function: Callable, queue: Iterable) -> None:
    _inside.tile = True
    try:
        for tile in queue:
            function(tile)
    finally:
        _inside.tile = False


class _OneBlasThread:
    """Holds BLAS to one thread while any thread is inside; the last one out restores what was."""

    def __init__(self):
        self._lock = threading.Lock()
        self._depth = 0
        self._limit = None

    def __enter__(self):
        with self._lock:
            self._depth += 1
            if self._depth == 1:
                self._limit = _controller().limit(limits=1, user_api="blas")

    def __exit__(self, *_):
        with self._lock:
            self._depth -= 1
            if self._depth == 0 and self._limit is not None:
                self._limit.restore_original_limits()


@cache
def _controller() -> ThreadpoolController:
    return ThreadpoolController()  # looks through the loaded libraries: once is enough


@cache
def _executor(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix="xception_np")


def _checked(name: str, value) -> int:
    try:
        number = int(value)
    except ValueError:
        number = 0
    if number < 1:
        raise InputError(f"{name} is {value!r}; expected the number of threads, 1 or more")
    return number


def _default() -> int:
    if "XCEPTION_NP_THREADS" in os.environ:
        return _checked("XCEPTION_NP_THREADS", os.environ["XCEPTION_NP_THREADS"])
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


_inside = threading.local()
_one_blas_thread = _OneBlasThread()
_count = _default()
