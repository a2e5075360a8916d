"""Counter-based random numbers: Philox 4x32-10, the same bits on every implementation, thread and rank.

A generator with a state gives numbers that depend on who asked before. Here a number is a pure function of where it is
used: (seed, purpose, step, item) names a stream, and the n-th number of a stream needs none of the others. So dropout
draws its mask again in the backward pass rather than keep it, and the order in which threads work cannot change a run.

    counter (4 words of 32 bits) = (block's low word, block's high word, step, item)
    key     (2 words)            = (seed, purpose)
    philox(counter, key)        -> 4 random words: numbers 4 * block to 4 * block + 3 of the stream

Source: Salmon, Moraes, Dror, Shaw, "Parallel Random Numbers: As Easy as 1, 2, 3" (SC 2011), section 4.3.
"""

from enum import IntEnum
from typing import NamedTuple

import numpy as np

from xception_np.errors import InputError, is_whole

MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
WEYL = (0x9E3779B9, 0xBB67AE85)  # what the key grows by each round
ROUNDS = 10
_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)


class Purpose(IntEnum):
    """What a stream is for; two purposes never share numbers."""

    INITIAL_VALUES = 0
    SHUFFLE = 1
    AUGMENTATION = 2
    DROPOUT = 3
    CHECK = 4
    PICTURES = 5


class Stream(NamedTuple):
    """A sequence of 2**66 random words, named by four numbers of 32 bits each.

    `step` counts optimizer steps or epochs; `item` says which layer, parameter or sample.
    """

    seed: int
    purpose: Purpose
    step: int = 0
    item: int = 0


def philox(counter: np.ndarray, key: tuple[int, int]) -> np.ndarray:
    """Ten rounds of Philox 4x32 on an array of counters (..., 4) of uint32; returns the same shape."""
    c0, c1, c2, c3 = (counter[..., word].astype(np.uint64) for word in range(4))
    k0, k1 = np.uint64(key[0]), np.uint64(key[1])
    for _ in range(ROUNDS):
        product0, product1 = c0 * np.uint64(MULTIPLIERS[0]), c2 * np.uint64(MULTIPLIERS[1])
        c0, c1, c2, c3 = (product1 >> _HALF) ^ c1 ^ k0, product1 & _LOW, (product0 >> _HALF) ^ c3 ^ k1, product0 & _LOW
        k0, k1 = (k0 + np.uint64(WEYL[0])) & _LOW, (k1 + np.uint64(WEYL[1])) & _LOW
    return np.stack((c0, c1, c2, c3), axis=-1).astype(np.uint32)


def words(stream: Stream, count: int) -> np.ndarray:
    """The first `count` words of a stream, uint32."""
    check_stream(stream)
    blocks = np.arange(-(-count // 4), dtype=np.uint64)
    counter = np.empty((blocks.size, 4), np.uint32)
    counter[:, 0], counter[:, 1] = blocks & _LOW, blocks >> _HALF
    counter[:, 2], counter[:, 3] = stream.step, stream.item
    return philox(counter, (stream.seed, stream.purpose)).reshape(-1)[:count]


def uniform(stream: Stream, shape, dtype=np.float64) -> np.ndarray:
    """Numbers in (0, 1): (word + 1/2) / 2**32, rounded to `dtype` from float64; in float32 the largest is rounded to 1."""
    return ((words(stream, int(np.prod(shape))) + 0.5) / 2.0**32).reshape(shape).astype(dtype)


def normal(stream: Stream, shape, dtype=np.float64) -> np.ndarray:
    """Standard normal numbers, by Box and Muller: sqrt(-2 ln u) cos(2 pi v) from pairs (u, v) of uniform numbers."""
    u, v = uniform(stream, (int(np.prod(shape)), 2)).T
    return (np.sqrt(-2 * np.log(u)) * np.cos(2 * np.pi * v)).reshape(shape).astype(dtype)


def permutation(stream: Stream, count: int) -> np.ndarray:
    """A random order of range(count)."""
    high, low = words(stream, 2 * count).reshape(count, 2).T
    return np.lexsort((low, high))


def check_stream(stream) -> None:
    """Check that all four numbers of a stream fit into 32 bits."""
    if not isinstance(stream, Stream):
        raise InputError(f"stream is a {type(stream).__name__}; expected a xception_np.random.Stream")
    for name, value in stream._asdict().items():
        _word(name, value)


def check_seed(seed) -> int:
    """The seed as an int, if it fits into 32 bits."""
    return _word("seed", seed)


def _word(name: str, value) -> int:
    if not is_whole(value) or not 0 <= value < 2**32:
        raise InputError(f"{name} is {value!r}; expected an integer from 0 to 4294967295")
    return int(value)
