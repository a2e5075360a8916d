"""How passes are cut: everything once, each tile in one piece of memory."""

import numpy as np
import pytest

from xception_np import tiling
from xception_np.tiling import Tile


def test_tables():
    shape = (3, 5000, 7, 5)
    groups = tiling.tile_groups(shape, 100, 50)
    table, ends = tiling.group_table(shape, 100, 50)
    assert [[Tile(*row) for row in table[start:stop].tolist()] for start, stop in ends] == groups
    assert [Tile(*row) for row in tiling.image_table(shape).tolist()] == tiling.image_tiles(shape)
    assert [slice(*row) for row in tiling.span_table(5000, 700).tolist()] == list(tiling.spans(5000, 700))


def test_tables_are_kept_for_as_long_as_tiles_are_cut_alike():
    shape = (3, 40, 40, 5)
    kept = tiling.image_table(shape)
    with tiling.tiny_tiles():
        assert len(tiling.image_table(shape)) > len(kept)
    assert tiling.image_table(shape) is kept
    with pytest.raises(ValueError, match="read-only"):
        kept[0] = 0


@pytest.mark.parametrize(
    ("images", "rows", "columns"), [(1, 1, 1), (8, 147, 147), (3, 40, 17), (64, 7, 7), (1, 5000, 1), (2, 1, 5000), (700, 1, 1)]
)
def test_tiles_cover_every_row_once_and_are_contiguous(images, rows, columns):
    shape = (images, rows, columns, 5)
    array = np.zeros(shape)
    groups = tiling.tile_groups(shape, 100, 50)
    for tiles in (tiling.image_tiles(shape, 100), tiling.image_tiles(shape), [tile for group in groups for tile in group]):
        array.fill(0)
        for tile in tiles:
            part = tile.of(array)
            assert part.flags.c_contiguous
            part += 1
        assert (array == 1).all()
    assert len(groups) <= 2 * tiling.TILES


def test_large_tiles():
    assert [Tile(*row) for row in tiling.large_table((8, 8, 8, 384), 448).tolist()] == [Tile(0, 4, 0, 8), Tile(4, 8, 0, 8)]
    assert [Tile(*row) for row in tiling.large_table((2, 14, 14, 512), 4 * tiling.LARGEST).tolist()][:2] == [
        Tile(0, 1, 0, 1),
        Tile(0, 1, 1, 2),
    ]


def test_cut():
    assert Tile(2, 3, 10, 20).cut(columns=4, positions=8) == [Tile(2, 3, h, h + 2) for h in range(10, 20, 2)]
    assert Tile(0, 5, 0, 2).cut(columns=2, positions=8) == [Tile(0, 2, 0, 2), Tile(2, 4, 0, 2), Tile(4, 5, 0, 2)]


def test_positions_of_a_tile():
    assert tiling.tile_positions(16_000_000, 64) == tiling.LARGEST // 64  # as many as the cache holds
    assert tiling.tile_positions(32_000, 64) == 32_000 // tiling.TILES  # a share for every thread
    assert tiling.tile_positions(1000, 64) == tiling.SMALLEST // 64  # no less than pays
    assert tiling.tile_positions(1, 10**9) == 1


def test_tiles_of_images():
    assert [tile.h1 - tile.h0 for tile in tiling.image_tiles((8, 19, 19, 728))] == 8 * [19]  # a whole image is not too large
    assert [tile.h1 - tile.h0 for tile in tiling.image_tiles((1, 19, 19, 728))] == [4] + 5 * [3]  # one is for all threads
    assert max(tile.h1 - tile.h0 for tile in tiling.image_tiles((8, 74, 74, 256))) < 74
    assert tiling.image_tiles((128, 8, 8, 128))[:2] == [Tile(0, 8, 0, 8), Tile(8, 16, 0, 8)]
    for group in tiling.tile_groups((8, 32, 32, 64), 64, 4096):
        assert all((tile.h0, tile.h1) == (0, 32) for tile in group)


@pytest.mark.parametrize(
    ("threads", "shape", "rows"),
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
def test_tiles_of_products(threads, shape, rows):
    array = np.zeros(shape[:3])
    tiles = tiling.product_tiles(shape, shape[3], threads)
    assert [Tile(*row) for row in tiling.product_table(shape, shape[3], threads).tolist()] == tiles
    assert [tile.h1 - tile.h0 for tile in tiles] == rows
    for tile in tiles:
        part = tile.of(array)
        assert part.flags.c_contiguous
        part += 1
    assert (array == 1).all()


@pytest.mark.parametrize(
    ("threads", "shape", "rows", "positions"),
    [
        (2, (1, 19, 19, 728), [10, 10], [180, 181]),  # both look at the row in the middle
        (4, (1, 19, 19, 728), [5, 6, 6, 5], [90, 90, 90, 91]),
        (2, (3, 19, 19, 728), 3 * [10, 10], 3 * [180, 181]),
        (2, (1, 20, 20, 728), [10, 10], [200, 200]),
        (2, (1, 74, 74, 256), 22 * [3] + 4 * [2], 22 * [222] + 4 * [148]),  # enough for both; 25 of three rows would be 13 for one
        (2, (8, 37, 37, 728), None, 8 * [370, 333, 333, 333]),
        (2, (16, 19, 19, 728), 16 * [19], 16 * [361]),
        (2, (2, 4, 4, 384), [4], [32]),
        (None, (1, 19, 19, 728), [4] + 5 * [3], [76] + 5 * [57]),
    ],
)
def test_parts_of_products_are_as_equal_as_may_be(threads, shape, rows, positions):
    array = np.zeros(shape[:3])
    parts = tiling.product_parts(shape, shape[3], threads)
    assert [(*tile, first, last) for tile, first, last in parts] == list(map(tuple, tiling.part_table(shape, shape[3], threads)))
    assert rows in (None, [tile.h1 - tile.h0 for tile, _, _ in parts])
    np.testing.assert_allclose([last - first for _, first, last in parts], positions, atol=1)
    for tile, first, last in parts:
        tile.of(array).reshape(-1)[first:last] += 1
    assert (array == 1).all()


@pytest.mark.parametrize(
    ("count", "threads", "shares"), [(6552, 2, 6), (1638, 2, 2), (1638, 1, 2), (1000, 3, 3), (768, 16, 6), (5, 2, 1)]
)
def test_shares_are_equal_and_as_many_for_every_thread(count, threads, shares):
    starts, ends = tiling.share_table(count, threads).T
    assert starts[0] == 0 and ends[-1] == count and (starts[1:] == ends[:-1]).all()
    assert len(starts) == shares
    assert np.ptp(ends - starts) <= 1


def test_spans():
    assert tiling.spans(160, tiling.LARGEST // 64) == (slice(0, 64), slice(64, 128), slice(128, 160))
    assert tiling.spans(0, 4) == ()
    assert tiling.span_groups(40, 10) == [[slice(k, min(k + 3, 40))] for k in range(0, 40, 3)]
    assert len(tiling.span_groups(4000, 10**9)) == 4  # few of large sums
    assert tiling.span_groups(0, 1) == []


def test_tiny_tiles_make_many_and_end_with_the_block():
    shape, before = (2, 70, 17, 5), len(tiling.image_tiles((2, 70, 17, 5)))
    with tiling.tiny_tiles():
        assert len(tiling.image_tiles(shape)) > 10
    assert len(tiling.image_tiles(shape)) == before
