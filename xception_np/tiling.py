"""How passes are cut: tiles of images, spans of rows, groups of either for a sum.

A tile is as large as the caches like, and there are enough tiles for many threads, however many there are: what is summed, and in
which order, depends on shapes alone. Only `product_tiles`, `product_parts` and `share_table`, for what is no sum over their tiles,
ask how many.

`image_tiles`, `product_tiles`, `product_parts`, `tile_groups` and `spans` give objects for passes that are written in Python,
`image_table`, `product_table`, `part_table`, `group_table`, `large_table`, `span_table` and `share_table` rows of numbers for
compiled ones.
"""

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache, wraps
from typing import NamedTuple, TypeVar

import numpy as np

T = TypeVar("T")

TILES = 16  # tiles of a pass at least, where they do not get too small: work for that many threads
LARGEST = 5 * 2**16  # numbers in a tile at most: its panel, 1.25 MiB in float32, stays in the second-level cache
ENOUGH = 256  # positions in a tile of images, or as many as it has channels: more only take its arrays out of the cache
AT_ONCE = 400  # positions, or terms, that a sum over them takes at once: its numbers are read and written for each such part
SMALLEST = 2**16  # numbers in a tile at least: below, handing it to a thread costs as much as computing it
MANY_ROWS = 768  # rows of a matrix from which on they are shared out, and not the terms of its sum
SMALL_SHARE = 128  # rows in a share at least, where there are so many
LARGE_SHARE = 1024  # and about as many, where that makes shares enough for all threads
_FEW = 4  # groups of tiles in a sum at least, where there are so many tiles; and images, where a tile may be a whole one


def _remembered(function: Callable[..., T]) -> Callable[..., T]:
    """A function of shapes and the limits above that keeps its results: a training step asks for the same ones again and again."""
    kept = lru_cache(4096)(lambda limits, *arguments: function(*arguments))
    return wraps(function)(
        lambda *arguments: kept((TILES, LARGEST, ENOUGH, SMALLEST, AT_ONCE, SMALL_SHARE, LARGE_SHARE, _FEW), *arguments)
    )


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
        """Smaller tiles of about this many positions: whole images, or parts of one; as equal as may be."""
        n0, n1, h0, h1 = self
        rows = h1 - h0
        if rows * columns > positions:
            return self.in_parts(-(-rows // max(1, positions // columns)))
        count = -(-(n1 - n0) // max(1, positions // max(rows * columns, 1)))
        return [Tile(*span, h0, h1) for span in _equal_spans(n0, n1, count)]

    def in_parts(self, count: int) -> list["Tile"]:
        """Every image in so many tiles, or one a row: as equal as may be."""
        n0, n1, h0, h1 = self
        return [Tile(n, n + 1, *span) for n in range(n0, n1) for span in _equal_spans(h0, h1, min(count, h1 - h0))]


def _equal_spans(start: int, stop: int, count: int) -> Iterator[tuple[int, int]]:
    """So many spans, of which the first may be one longer than the last."""
    size, more = divmod(stop - start, max(1, count))
    return itertools.pairwise(start + k * size + min(k, more) for k in range(count + 1))


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
    """Cut (N, H, W, C) into tiles that hold `width` numbers for each position, C if not given.

    Of an image that is cut, an even number and as equal as may be: a few tiles, of one image, are work for two threads.
    """
    images, rows, columns, channels = shape
    positions = image_positions(shape, width or channels)
    if rows * columns <= positions:
        return Tile(0, images, 0, rows).cut(columns, positions)
    count = -(-rows // max(1, positions // columns))
    return Tile(0, images, 0, rows).in_parts(count + count % 2)


def product_tiles(shape: tuple[int, ...], width: int, threads: int) -> list[Tile]:
    """The same for a pass that reads a large matrix for every tile: no more tiles than the cache and an even share for all want.

    Only for what does not depend on how it is cut: with another number of threads these tiles are others.
    """
    images, rows, columns, _ = shape
    numbers, positions = rows * columns * width, max(1, SMALLEST // width, min(max(ENOUGH, width), LARGEST // width))
    count = -(-rows // max(1, positions // columns))
    if numbers < SMALLEST or (count == 1 and images >= _FEW * threads):
        return image_tiles(shape, width)  # whole images
    share = threads // math.gcd(threads, images)  # in so many parts, the images are as much work for every thread
    return Tile(0, images, 0, rows).in_parts(min(-(-count // share) * share, max(2 * count, numbers // SMALLEST)))


def product_parts(shape: tuple[int, ...], width: int, threads: int | None) -> list[tuple[Tile, int, int]]:
    """The same, cut within a row where need be: tiles, and from which to before which of its positions each is one's own.

    19 rows for two threads are 10 and 9: one would wait for a tenth of the time. So both look at the tenth row, and each multiplies
    half of it. Where there are tiles enough for all, they are whole: a row that two look at is work for both. And where the number
    of threads may not matter, it is None.
    """
    images, rows, columns, _ = shape
    tiles = image_tiles(shape, width) if threads is None else product_tiles(shape, width, threads)
    count, several_images_a_tile = divmod(len(tiles), images)
    if threads is None or several_images_a_tile or len(tiles) >= _FEW * threads:
        return [(tile, 0, (tile.n1 - tile.n0) * (tile.h1 - tile.h0) * columns) for tile in tiles]
    ends = [k * rows * columns // count for k in range(count + 1)]
    parts = [(first // columns, -(-last // columns), first % columns, last - first) for first, last in itertools.pairwise(ends)]
    return [(Tile(n, n + 1, h0, h1), first, first + size) for n in range(images) for h0, h1, first, size in parts]


def tile_groups(shape: tuple[int, ...], width: int, numbers: int) -> list[list[Tile]]:
    """Tiles of (N, H, W, C) in groups, for a sum over all positions whose result has so many numbers; see `threads.sum_tiles`."""
    images, rows, columns, _ = shape
    total = images * rows * columns
    most = max(_FEW, total * width // (4 * numbers))  # few of what is soon summed: the partial sums have to be added up, too
    count, whole = min(most, _groups(numbers)), Tile(0, images, 0, rows)
    if count <= images or _may_be_whole(shape, width):  # no group ends inside of an image
        groups = whole.cut(columns, -(-images // count) * rows * columns)
    else:
        groups = whole.in_parts(max(1, round(count / images)))
    return [group.cut(columns, image_positions(shape, width)) for group in groups]


@_remembered
def image_table(shape: tuple[int, ...], width: int | None = None) -> np.ndarray:
    """`image_tiles` as rows of numbers, for compiled passes."""
    return _table(image_tiles(shape, width))


@_remembered
def product_table(shape: tuple[int, ...], width: int, threads: int) -> np.ndarray:
    """`product_tiles` as rows of numbers."""
    return _table(product_tiles(shape, width, threads))


@_remembered
def part_table(shape: tuple[int, ...], width: int, threads: int | None) -> np.ndarray:
    """`product_parts` as rows of numbers: (n0, n1, h0, h1, first, last)."""
    return _table([(*tile, first, last) for tile, first, last in product_parts(shape, width, threads)])


@_remembered
def group_table(shape: tuple[int, ...], width: int, numbers: int) -> tuple[np.ndarray, np.ndarray]:
    """`tile_groups`: all tiles as one table, and for each group its first row there and the one after its last."""
    groups = tile_groups(shape, width, numbers)
    ends = np.cumsum([0, *map(len, groups)])
    return _table([tile for group in groups for tile in group]), _read_only(np.stack([ends[:-1], ends[1:]], axis=1))


@_remembered
def large_table(shape: tuple[int, ...], width: int) -> np.ndarray:
    """Tiles of (N, H, W, C), as rows of numbers, for a pass of which every thread goes through all: as large as the cache likes."""
    images, rows, columns, _ = shape
    return _table(Tile(0, images, 0, rows).cut(columns, max(1, min(AT_ONCE, LARGEST // width))))


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


@_remembered
def share_table(count: int, threads: int) -> np.ndarray:
    """range(count) cut into equal spans, as many for every thread, for what does not depend on how it is cut: (start, stop)."""
    shares = min(threads * max(1, round(count / (LARGE_SHARE * threads))), max(1, count // SMALL_SHARE))
    return _table(list(_equal_spans(0, count, shares)))


def _table(rows: Sequence[tuple[int, ...]]) -> np.ndarray:
    return _read_only(np.array(rows, np.int64).reshape(len(rows), -1))


def _read_only(array: np.ndarray) -> np.ndarray:
    array.flags.writeable = False
    return array


@contextmanager
def tiny_tiles() -> Iterator[None]:
    """Cut passes into tiles of a few hundred numbers inside a `with` block: a check of the cutting needs no large arrays then.

    The order of sums changes with the tiles, so results may differ by rounding.
    """
    global LARGEST, SMALLEST, MANY_ROWS, SMALL_SHARE, LARGE_SHARE
    before = LARGEST, SMALLEST, MANY_ROWS, SMALL_SHARE, LARGE_SHARE
    LARGEST, SMALLEST, MANY_ROWS, SMALL_SHARE, LARGE_SHARE = 1024, 256, 100, 32, 64
    try:
        yield
    finally:
        LARGEST, SMALLEST, MANY_ROWS, SMALL_SHARE, LARGE_SHARE = before
