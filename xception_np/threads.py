"""The one thread pool: a few threads that work through the tiles of a pass.

- `together(work, items)` for a compiled pass: each thread calls `work(queue)` once, and draws tiles in compiled code.
- `for_tiles(function, tiles)` for one that is written in Python: `function(tile)` for each.
- `sum_groups` and `sum_tiles`, the same for sums over tiles.

What they call releases the interpreter's lock (Numba's `nogil`, NumPy's matrix product), and inside it BLAS is held to one
thread (where it can be: Apple's Accelerate decides for itself), so no two pools of threads compete for the same cores. What
is summed, and in which order, depends on shapes alone (where tiles do not, no number depends on them: `product_tiles`): results are
the same bits for any number of threads.

A call inside a pass, or beside one of another thread, runs on the thread that makes it.
"""

import itertools
import math
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache, lru_cache, wraps
from typing import NamedTuple, TypeVar

import numpy as np
from threadpoolctl import ThreadpoolController

from xception_np import arrays
from xception_np.errors import InputError, is_whole
from xception_np.helpers import Helpers

T = TypeVar("T")

TILES = 16  # tiles of a pass at least, where they do not get too small: work for that many threads
LARGEST = 5 * 2**16  # numbers in a tile at most: its panel, 1.25 MiB in float32, stays in the second-level cache
ENOUGH = 256  # positions in a tile of images, or as many as it has channels: more only take its arrays out of the cache
SMALLEST = 2**16  # numbers in a tile at least: below, handing it to a thread costs as much as computing it
_FEW = 4  # groups of tiles in a sum at least, where there are so many tiles; and images, where a tile may be a whole one


def _remembered(function: Callable[..., T]) -> Callable[..., T]:
    """A function of shapes and the limits above that keeps its results: a training step asks for the same ones again and again."""
    kept = lru_cache(4096)(lambda limits, *arguments: function(*arguments))
    return wraps(function)(lambda *arguments: kept((TILES, LARGEST, ENOUGH, SMALLEST, _FEW, _count), *arguments))


class Tile(NamedTuple):
    """Images n0 to n1 and rows h0 to h1 of each; either one image or whole images, so that a tile is contiguous."""

    n0: int
    n1: int
    h0: int
    h1: int

    def of(self, array: np.ndarray) -> np.ndarray:
        """The tile's part of an (N, H, ...) array."""
        return array[self.n0 : self.n1, self.h0 : self.h1]

    def cut(self, columns: int, positions: int) -> list["Tile"]:
        """Smaller tiles of about this many positions."""
        n0, n1, h0, h1 = self
        rows = h1 - h0
        if rows * columns > positions:
            step = max(1, positions // columns)
            return [Tile(n, n + 1, h, min(h + step, h1)) for n in range(n0, n1) for h in range(h0, h1, step)]
        step = max(1, positions // max(rows * columns, 1))
        return [Tile(n, min(n + step, n1), h0, h1) for n in range(n0, n1, step)]


def tile_positions(total: int, width: int) -> int:
    """Positions in a tile, of `total`, where a tile holds `width` numbers for each: LARGEST, SMALLEST and TILES decide."""
    return max(1, SMALLEST // width, min(LARGEST // width, -(-total // TILES)))


def image_positions(shape: tuple[int, ...], width: int) -> int:
    """Positions in a tile of (N, H, W, C): ENOUGH, more where narrow, fewer where there are few; whole images, if that may be."""
    images, rows, columns, _ = shape
    enough = max(1, SMALLEST // width, min(max(ENOUGH, width), LARGEST // width, -(-images * rows * columns // TILES)))
    return max(enough, rows * columns) if _may_be_whole(shape, width) else enough


def _may_be_whole(shape: tuple[int, ...], width: int) -> bool:
    """Whether a tile may be a whole image: there are several for the threads, and one is not too large."""
    images, rows, columns, _ = shape
    return images >= _FEW and rows * columns <= LARGEST // width


def image_tiles(shape: tuple[int, ...], width: int | None = None) -> list[Tile]:
    """Cut (N, H, W, C) into tiles that hold `width` numbers for each position, C if not given; the first is as large as any.

    Of an image that is cut, an even number and as equal as may be: a few tiles, of one image, are work for two threads.
    """
    images, rows, columns, channels = shape
    positions = image_positions(shape, width or channels)
    if rows * columns <= positions:
        return Tile(0, images, 0, rows).cut(columns, positions)
    count = -(-rows // max(1, positions // columns))
    return _equal_parts(images, rows, count + count % 2)


def product_tiles(shape: tuple[int, ...], width: int) -> list[Tile]:
    """The same for a pass that reads a large matrix for every tile: no more tiles than the cache and an even share for all want.

    Only for what does not depend on how it is cut: with another number of threads these tiles are others.
    """
    images, rows, columns, _ = shape
    numbers, positions = rows * columns * width, max(1, SMALLEST // width, min(max(ENOUGH, width), LARGEST // width))
    count = -(-rows // max(1, positions // columns))
    if numbers < SMALLEST or (count == 1 and images >= _FEW * _count):
        return image_tiles(shape, width)  # whole images
    if images * count < _FEW * _count:
        share = _count // math.gcd(_count, images)  # in so many parts, the images are as much work for every thread
        count = max(count, min(-(-count // share) * share, numbers // SMALLEST))
    return _equal_parts(images, rows, count)


def _equal_parts(images: int, rows: int, count: int) -> list[Tile]:
    """Every image in so many tiles, or one a row."""
    count = min(count, rows)
    ends = [k * (rows // count) + min(k, rows % count) for k in range(count + 1)]
    return [Tile(n, n + 1, *span) for n in range(images) for span in itertools.pairwise(ends)]


def tile_groups(shape: tuple[int, ...], width: int, numbers: int) -> list[list[Tile]]:
    """Tiles of (N, H, W, C) in groups, for a sum over all positions whose result has so many numbers; see `sum_tiles`."""
    images, rows, columns, _ = shape
    total = images * rows * columns
    most = max(_FEW, total * width // (4 * numbers))  # few of what is soon summed: the partial sums have to be added up, too
    share = -(-total // min(most, _groups(numbers)))
    if _may_be_whole(shape, width):  # then no group ends inside of an image
        share = -(-share // (rows * columns)) * rows * columns
    groups = Tile(0, images, 0, rows).cut(columns, share)
    return [group.cut(columns, image_positions(shape, width)) for group in groups]


@_remembered
def image_table(shape: tuple[int, ...], width: int | None = None) -> np.ndarray:
    """`image_tiles` as rows of numbers, for compiled passes."""
    return _table(image_tiles(shape, width))


@_remembered
def product_table(shape: tuple[int, ...], width: int) -> np.ndarray:
    """`product_tiles` as rows of numbers."""
    return _table(product_tiles(shape, width))


@_remembered
def group_table(shape: tuple[int, ...], width: int, numbers: int) -> tuple[np.ndarray, np.ndarray]:
    """`tile_groups`: all tiles as one table, and for each group its first row there and the one after its last."""
    groups = tile_groups(shape, width, numbers)
    ends = np.cumsum([0, *map(len, groups)])
    return _table([tile for group in groups for tile in group]), _read_only(np.stack([ends[:-1], ends[1:]], axis=1))


def span_groups(count: int, numbers: int) -> list[list[slice]]:
    """Slices of range(count) in groups of one, for a sum over all of it whose result has so many numbers."""
    size = max(1, -(-count // _groups(numbers)))
    return [[slice(start, min(start + size, count))] for start in range(0, count, size)]


def _groups(numbers: int) -> int:
    """How many partial sums: few of large ones, for they cost memory."""
    return max(_FEW, min(TILES, TILES * LARGEST // numbers))


@_remembered
def spans(count: int, width: int = 1) -> tuple[slice, ...]:
    """Cut range(count) into slices for tiles that hold `width` numbers for each; they start at multiples of 64."""
    size = -(-tile_positions(count, width) // 64) * 64
    return tuple(slice(start, min(start + size, count)) for start in range(0, count, size))


@_remembered
def span_table(count: int, width: int = 1) -> np.ndarray:
    """`spans` as rows of numbers, for compiled passes."""
    return _table([(span.start, span.stop) for span in spans(count, width)])


def _table(rows: Sequence[tuple[int, ...]]) -> np.ndarray:
    return _read_only(np.array(rows, np.int64).reshape(len(rows), -1))


def _read_only(array: np.ndarray) -> np.ndarray:
    array.flags.writeable = False
    return array


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
            if min(_count, items) <= 1 or not _helpers(_count - 1).run(lambda: work(number, queue), number):
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
    found = span_table(*matrix.shape)
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
    found = spans(flat[0].size)
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
    found = span_table(result.size, len(partials))
    together(lambda queue: partial_sums.add_up(queue, found, terms, result), len(found))
    return total


def count() -> int:
    """How many threads compute."""
    return _count


@contextmanager
def many_passes() -> Iterator[None]:
    """Hold BLAS to one thread between the passes inside a `with` block, too: to ask it before and after each takes time."""
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


@contextmanager
def tiny_tiles() -> Iterator[None]:
    """Cut passes into tiles of a few hundred numbers inside a `with` block: a check of the cutting needs no large arrays then.

    The order of sums changes with the tiles, so results may differ by rounding.
    """
    global LARGEST, SMALLEST
    before, (LARGEST, SMALLEST) = (LARGEST, SMALLEST), (1024, 256)
    try:
        yield
    finally:
        LARGEST, SMALLEST = before


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
    if not is_whole(value) or value < 1:
        raise InputError(f"{name} is {value!r}; expected the number of threads, 1 or more")
    return value


def _default() -> int:
    wish = os.environ.get("XCEPTION_NP_THREADS")
    if wish is not None:
        return _checked("XCEPTION_NP_THREADS", int(wish) if wish.isdecimal() else wish)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


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
