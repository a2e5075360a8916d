import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from xception_np.data import Augmentation, Dataset, Draws, Flip, Loader, PaddedCrop, Preprocessing, loader, mixup, mixup_weights
from xception_np.errors import InputError
from xception_np.random import Purpose, Stream, permutation

COUNT = 23
IDENTITY = Preprocessing(4, (0, 0, 0), (1 / 255, 1 / 255, 1 / 255))  # x = pixel, but for rounding


@pytest.fixture(scope="module")
def dataset():
    """Picture k is all k, and so is its label."""
    numbers = np.arange(COUNT)
    images = np.ascontiguousarray(np.broadcast_to(numbers[:, None, None, None], (COUNT, 4, 4, 3)), np.uint8)
    return Dataset("mine", images, numbers, tuple(map(str, numbers)))


def loader_threads():
    return [thread for thread in threading.enumerate() if thread.name.startswith("xception_np-loader")]


@pytest.fixture(autouse=True)
def no_thread_is_left():
    assert loader_threads() == []
    yield
    assert loader_threads() == []


def test_an_epoch_is_the_permutation_of_its_number(dataset):
    batched = Loader(dataset, 5, IDENTITY, seed=9)
    batches = list(batched.epoch(4))
    order = permutation(Stream(9, Purpose.SHUFFLE, step=4), COUNT)[:20]  # three pictures do not fill a batch
    assert len(batched) == len(batches) == 4
    np.testing.assert_array_equal(np.concatenate([labels for _, labels in batches]), order)
    for x, labels in batches:
        assert x.shape == (5, 4, 4, 3) and x.dtype == np.float32 and x.flags.c_contiguous
        assert labels.dtype == np.int64
        np.testing.assert_array_equal(np.rint(x), np.broadcast_to(labels[:, None, None, None], x.shape))


def test_epochs_and_seeds_differ(dataset):
    def order(seed, epoch):
        return tuple(np.concatenate([labels for _, labels in Loader(dataset, 5, IDENTITY, seed=seed).epoch(epoch)]))

    assert len({order(0, 0), order(0, 1), order(1, 0), order(1, 1)}) == 4
    assert order(0, 1) == order(0, 1)


def test_the_last_batch_can_be_kept(dataset):
    batched = Loader(dataset, 5, IDENTITY, drop_last=False)
    labels = [batch.labels for batch in batched.epoch(0)]
    assert [len(part) for part in labels] == [5, 5, 5, 5, 3] and len(batched) == 5
    assert sorted(np.concatenate(labels)) == list(range(COUNT))
    assert len(list(Loader(dataset, 50, IDENTITY, drop_last=False).epoch(0))) == 1


def test_in_order_is_every_picture_as_it_is(dataset):
    batches = list(Loader(dataset, 5, IDENTITY, Augmentation((Flip(), PaddedCrop(3)))).in_order())
    assert [len(labels) for _, labels in batches] == [5, 5, 5, 5, 3]
    np.testing.assert_array_equal(np.concatenate([labels for _, labels in batches]), np.arange(COUNT))
    np.testing.assert_array_equal(np.concatenate([x for x, _ in batches]), IDENTITY.apply(dataset.images))


def test_an_epoch_is_augmented_by_index_and_preprocessed(dataset):
    augmentation = Augmentation((Flip(), PaddedCrop(2)))
    expected = augmentation.apply(dataset.images, Draws(1, 6, np.arange(COUNT)))
    for x, labels in Loader(dataset, 4, IDENTITY, augmentation, seed=1).epoch(6):
        np.testing.assert_array_equal(x, IDENTITY.apply(expected[labels]))


def test_threads_and_prefetching_change_nothing(dataset):
    def batches(threads, prefetch):
        return list(
            Loader(dataset, 2, IDENTITY, Augmentation((Flip(), PaddedCrop(1))), threads=threads, prefetch=prefetch).epoch(3)
        )

    expected = batches(1, 1)
    for threads, prefetch in [(3, 4), (3, 1), (1, 50), (2, 2)]:
        for (x, labels), (x0, labels0) in zip(batches(threads, prefetch), expected, strict=True):
            np.testing.assert_array_equal(x, x0)
            np.testing.assert_array_equal(labels, labels0)


class Recorded:
    """An augmentation that notes what it was asked for, and fails on one picture."""

    mixup = 0

    def __init__(self, bad=None):
        self.calls = []
        self.bad = bad
        self.second = threading.Event()

    def windows(self, draws):
        return None

    def apply(self, images, draws):
        if self.bad in draws.indices:
            raise RuntimeError(f"picture {self.bad}")
        self.calls.append(draws.indices)
        if len(self.calls) == 2:
            self.second.set()
        return images


def test_the_next_batch_is_prepared_while_one_is_in_use(dataset):
    recorded = Recorded()
    batches = Loader(dataset, 2, IDENTITY, recorded, prefetch=1).epoch(0)
    next(batches)
    assert recorded.second.wait(timeout=60)
    batches.close()


def test_prefetch_batches_are_asked_for_ahead(dataset, monkeypatch):
    asked = []

    class Counting(ThreadPoolExecutor):
        def submit(self, function, indices, *rest):
            asked.append(indices)
            return super().submit(function, indices, *rest)

    monkeypatch.setattr(loader, "ThreadPoolExecutor", Counting)
    batches = Loader(dataset, 1, IDENTITY, prefetch=3).epoch(0)
    for taken in (1, 2):
        next(batches)
        assert len(asked) == taken + 3
    batches.close()


def test_a_loop_that_is_left_does_not_wait_for_what_has_not_begun(dataset, monkeypatch):
    leaving = threading.Event()

    class Announcing(ThreadPoolExecutor):
        def shutdown(self, **options):
            super().shutdown(**options | {"wait": False})
            leaving.set()
            super().shutdown(wait=True)

    class Held(Recorded):
        def apply(self, images, draws):
            result = super().apply(images, draws)
            if len(self.calls) == 2:
                assert leaving.wait(timeout=60)
            return result

    monkeypatch.setattr(loader, "ThreadPoolExecutor", Announcing)
    held = Held()
    batches = Loader(dataset, 1, IDENTITY, held, prefetch=10).epoch(0)
    next(batches)
    assert held.second.wait(timeout=60)  # the second batch has begun, nine more are asked for
    batches.close()
    assert len(held.calls) == 2


def test_a_loop_that_is_left_leaves_no_thread(dataset):
    for _ in Loader(dataset, 2, IDENTITY, threads=3).epoch(0):
        assert loader_threads()
        break
    assert loader_threads() == []


@pytest.mark.parametrize("kind", [RuntimeError, KeyboardInterrupt])
def test_an_exception_of_the_consumer_leaves_no_thread(dataset, kind):
    with pytest.raises(kind):
        for _ in Loader(dataset, 2, IDENTITY, threads=3).epoch(0):
            raise kind
    assert loader_threads() == []


def test_an_exception_of_a_thread_reaches_the_consumer_at_its_batch(dataset):
    order = permutation(Stream(0, Purpose.SHUFFLE, step=0), COUNT)
    batches = Loader(dataset, 2, IDENTITY, Recorded(bad=order[5]), threads=2).epoch(0)
    assert [next(batches).labels.tolist() for _ in range(2)] == [order[:2].tolist(), order[2:4].tolist()]
    with pytest.raises(RuntimeError, match=f"picture {order[5]}"):
        next(batches)
    assert loader_threads() == []


@pytest.mark.parametrize("alpha", [0.0, 0.4])
def test_the_shares_of_all_processes_are_the_batches_of_one(dataset, alpha):
    augmentation = Augmentation((Flip(), PaddedCrop(1)), mixup=alpha)
    whole = list(Loader(dataset, 7, IDENTITY, augmentation, seed=3).epoch(2))
    shares = [Loader(dataset, 7, IDENTITY, augmentation, seed=3, share=(rank, 3)).epoch(2) for rank in range(3)]
    for (x, labels), parts in zip(whole, zip(*shares, strict=True), strict=True):
        assert [len(part.x) for part in parts] == [2, 2, 3]
        np.testing.assert_array_equal(np.concatenate([part.x for part in parts]), x)
        np.testing.assert_array_equal(np.concatenate([part.labels for part in parts]), labels)


def test_the_shares_of_an_evaluation_are_every_picture_once(dataset):
    shares = [Loader(dataset, 11, IDENTITY, drop_last=False, share=(rank, 3)).in_order() for rank in range(3)]
    labels = [[part.tolist() for _, part in share] for share in shares]  # batches of 11, 11 and 1
    assert labels == [[[0, 1, 2], [11, 12, 13]], [[3, 4, 5, 6], [14, 15, 16, 17]], [[7, 8, 9, 10], [18, 19, 20, 21], [22]]]


@pytest.mark.parametrize("first", [0, 3, 4, 11])
def test_a_run_is_epoch_after_epoch_and_can_be_taken_up_anywhere(dataset, first):
    batched = Loader(dataset, 5, IDENTITY, Augmentation((PaddedCrop(2),), mixup=1.0), seed=1)
    expected = [batch for epoch in range(4) for batch in batched.epoch(epoch)][first:]
    for batch, actual in zip(expected, batched.steps(first, 16), strict=True):
        np.testing.assert_array_equal(actual.x, batch.x)
        np.testing.assert_array_equal(actual.labels, batch.labels)


def test_a_run_that_cannot_be(dataset):
    for first, last in ((-1, 4), (5, 4)):
        with pytest.raises(InputError, match=f"first is {first}; expected the number of a step, 0 to 4"):
            Loader(dataset, 5, IDENTITY).steps(first, last)


def test_mixup_is_between_neighbours_of_a_batch(dataset):
    order = permutation(Stream(6, Purpose.SHUFFLE, step=2), COUNT)
    loaded = Loader(dataset, 5, IDENTITY, Augmentation(mixup=0.4), seed=6).epoch(2)
    for start, (x, targets) in zip(range(0, 20, 5), loaded, strict=True):
        indices = order[start : start + 5]
        pairs = np.append(indices, indices[0])
        weights = mixup_weights(0.4, Draws(6, 2, indices))
        expected_x, expected = mixup(IDENTITY.apply(dataset.images[pairs]), dataset.labels[pairs], weights, COUNT)
        np.testing.assert_array_equal(x, expected_x)
        np.testing.assert_array_equal(targets, expected)
        assert targets.shape == (5, COUNT) and targets.dtype == np.float32


def test_an_evaluation_is_not_mixed(dataset):
    x, labels = next(Loader(dataset, 5, IDENTITY, Augmentation(mixup=1.0)).in_order())
    np.testing.assert_array_equal(x, IDENTITY.apply(dataset.images[:5]))
    np.testing.assert_array_equal(labels, np.arange(5))


def test_a_wrong_size_is_reported(dataset):
    with pytest.raises(InputError, match=r"images has shape \(5, 4, 4, 3\); expected \(N, 8, 8, 3\)"):
        next(Loader(dataset, 5, Preprocessing(8, (0, 0, 0), (1, 1, 1))).epoch(0))


def test_a_process_ends_with_an_iterator_that_was_never_finished():
    program = (
        "import numpy as np; from xception_np.data import *;"
        "d = Dataset('mine', np.zeros((9, 4, 4, 3), np.uint8), np.zeros(9, np.int64), ('a',));"
        "batches = Loader(d, 1, Preprocessing(4, (0, 0, 0), (1, 1, 1)), threads=2).epoch(0); next(batches); print('done')"
    )
    run = subprocess.run([sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, timeout=120)
    assert (run.returncode, run.stdout, run.stderr) == (0, "done\n", "")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"batch_size": 0}, "batch_size is 0; expected an integer, 1 or more"),
        ({"batch_size": 24}, "batch_size is 24; expected at most 23, the number of images"),
        ({"threads": 0}, "threads is 0; expected an integer, 1 or more"),
        ({"prefetch": 0.5}, "prefetch is 0.5; expected an integer, 1 or more"),
        ({"share": (2, 2)}, r"share is \(2, 2\); expected \(rank, ranks\): ranks at most 4, a batch, and rank below ranks"),
        ({"share": (0, 5)}, r"share is \(0, 5\); expected"),
        ({"seed": -1}, "seed is -1; expected an integer from 0 to 4294967295"),
    ],
)
def test_loader_says_what_is_wrong(dataset, change, message):
    with pytest.raises(InputError, match=message):
        Loader(**{"dataset": dataset, "batch_size": 4, "preprocessing": IDENTITY} | change)


@pytest.mark.parametrize("number", [-1, 2**32, 1.0])
def test_an_epoch_is_refused_before_the_first_batch(dataset, number):
    with pytest.raises(InputError, match=r"epoch is .*; expected an integer from 0 to 4294967295"):
        Loader(dataset, 4, IDENTITY).epoch(number)
