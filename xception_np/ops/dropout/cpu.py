"""Dropout on the CPU: ten rounds of Philox in registers give the words of four numbers."""

import numpy as np

from xception_np import arrays, random, threads, tiling
from xception_np.ops.compile import compiled
from xception_np.ops.dropout import Cache, threshold

_MULTIPLIERS = tuple(map(np.uint64, random.MULTIPLIERS))
_WEYL = tuple(map(np.uint64, random.WEYL))


def forward(x, rate, stream):
    return _apply(x, rate, stream), Cache(x.shape, x.dtype, rate, stream)


def backward(dy, cache):
    # y = x * mask / (1 - rate), so dx = dy * mask / (1 - rate), with the same mask
    return _apply(dy, cache.rate, cache.stream)


def _apply(x, rate, stream):
    y = arrays.empty_like(x)
    x_flat, y_flat = x.reshape(-1), y.reshape(-1)
    key = np.uint64(stream.seed), np.uint64(stream.purpose)
    place = np.uint64(stream.step), np.uint64(stream.item)
    limit, scale = np.uint64(threshold(rate)), x.dtype.type(1 / (1 - rate))

    def span_forward(span):  # a span starts at a multiple of four
        _drop(x_flat[span], y_flat[span], np.uint64(span.start // 4), key, place, limit, scale, _MULTIPLIERS, _WEYL, random.ROUNDS)

    threads.for_tiles(span_forward, tiling.spans(x.size))
    return y


@compiled
def _drop(x, y, first_block, key, place, limit, scale, multipliers, weyl, rounds):
    """y = x * scale where the word is at least `limit`, else 0; four words of a block at a time."""
    low, half = np.uint64(0xFFFFFFFF), np.uint64(32)
    words = np.empty(4, np.uint64)
    for start in range(0, x.size, 4):
        block = first_block + np.uint64(start // 4)
        c0, c1, c2, c3 = block & low, block >> half, place[0], place[1]
        k0, k1 = key
        for _ in range(rounds):
            product0, product1 = c0 * multipliers[0], c2 * multipliers[1]
            c0, c1 = (product1 >> half) ^ c1 ^ k0, product1 & low
            c2, c3 = (product0 >> half) ^ c3 ^ k1, product0 & low
            k0, k1 = (k0 + weyl[0]) & low, (k1 + weyl[1]) & low
        words[0], words[1], words[2], words[3] = c0, c1, c2, c3
        for k in range(min(4, x.size - start)):
            y[start + k] = x[start + k] * scale if words[k] >= limit else 0
