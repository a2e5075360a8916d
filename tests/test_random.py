import numpy as np
import pytest

from xception_np import random
from xception_np.errors import InputError
from xception_np.random import Purpose, Stream

S = Stream(7, Purpose.CHECK, 1, 2)


@pytest.mark.parametrize(
    ("counter", "key", "words"),
    [
        ("00000000 00000000 00000000 00000000", "00000000 00000000", "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
        ("ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff", "408f276d 41c83b0e a20bc7c6 6d5451fd"),
        ("243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0", "d16cfe09 94fdcceb 5001e420 24126ea1"),
    ],
)
def test_known_answers(counter, key, words):
    """The vectors that Random123 publishes for philox4x32-10 (kat_vectors)."""
    counter, key, words = ([int(word, 16) for word in text.split()] for text in (counter, key, words))
    assert random.philox(np.array(counter, np.uint32), tuple(key)).tolist() == words


def test_blocks_do_not_depend_on_each_other():
    counters = np.arange(24, dtype=np.uint32).reshape(2, 3, 4)
    together = random.philox(counters, (1, 2))
    assert together.shape == (2, 3, 4)
    assert together.dtype == np.uint32
    assert np.array_equal(together[1, 2], random.philox(counters[1, 2], (1, 2)))


def test_the_counter_of_a_stream():
    words = random.words(Stream(seed=5, purpose=Purpose.SHUFFLE, step=6, item=7), 8)
    assert np.array_equal(words[4:], random.philox(np.array([1, 0, 6, 7], np.uint32), (5, Purpose.SHUFFLE)))


def test_a_longer_draw_starts_with_the_shorter_one():
    assert np.array_equal(random.words(S, 5), random.words(S, 1000)[:5])
    assert random.words(S, 0).size == 0


def test_streams_differ_in_each_of_their_numbers():
    streams = [S, S._replace(seed=8), S._replace(purpose=Purpose.DROPOUT), S._replace(step=3), S._replace(item=3)]
    assert len({random.words(stream, 4).tobytes() for stream in streams}) == len(streams)


def test_uniform():
    numbers = random.uniform(S, (100, 100))
    assert numbers.shape == (100, 100)
    assert 0 < numbers.min() < numbers.max() < 1
    assert numbers.mean() == pytest.approx(1 / 2, abs=5 * np.sqrt(1 / 12 / 10000))  # 5 standard deviations
    assert random.uniform(S, (3,), np.float32).dtype == np.float32
    assert random.uniform(Stream(0, Purpose(0)), (1,))[0] == (0x6627E8D5 + 0.5) / 2**32


def test_normal():
    numbers = random.normal(S, (100, 100))
    assert numbers.mean() == pytest.approx(0, abs=5 / 100)
    assert numbers.var() == pytest.approx(1, abs=5 * np.sqrt(2 / 10000))
    assert (np.abs(numbers) < 1).mean() == pytest.approx(0.6827, abs=5 * np.sqrt(0.6827 * 0.3173 / 10000))
    assert np.isfinite(numbers).all()
    assert random.normal(S, (2, 0)).shape == (2, 0)


def test_permutation():
    order = random.permutation(S, 1000)
    assert sorted(order) == list(range(1000))
    assert (order != np.arange(1000)).mean() > 0.98
    assert np.array_equal(order, random.permutation(S, 1000))
    assert random.permutation(S, 0).size == 0
    first = [random.permutation(S._replace(step=step), 3)[0] for step in range(3000)]
    assert np.bincount(first).tolist() == pytest.approx([1000] * 3, abs=5 * np.sqrt(3000 * 2 / 9))


@pytest.mark.parametrize("seed", [-1, 2**32, 1.5, "7", None])
def test_wrong_seeds(seed):
    with pytest.raises(InputError, match=r"seed is .*; expected an integer from 0 to 4294967295"):
        random.words(Stream(seed, Purpose.CHECK), 4)


def test_seeds_at_the_ends():
    assert random.check_seed(2**32 - 1) == 2**32 - 1
    assert type(random.check_seed(np.int64(3))) is int
