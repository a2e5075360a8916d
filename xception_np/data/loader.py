"""Batches, prepared by background threads while the network computes."""

import itertools
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

import numpy as np

from xception_np.data.augment import Augmentation
from xception_np.data.dataset import Pictures
from xception_np.data.draws import Draws, check_epoch
from xception_np.data.mixup import mixup, mixup_weights
from xception_np.data.preprocessing import Preprocessing
from xception_np.errors import InputError, is_whole
from xception_np.random import Purpose, Stream, check_seed, permutation


class Batch(NamedTuple):
    """What a training step takes.

    x : (N, H, W, 3) array of float32, preprocessed
    labels : (N,) array of int64; with mixup (N, classes) of float32, what each class has of the picture
    """

    x: np.ndarray
    labels: np.ndarray


class Loader:
    """Cuts a data set into batches.

    The loader has no state: the batches of an epoch are a function of (seed, epoch) alone, for any number of threads. Of many
    processes each takes its share of every batch; together they have the batches that one process would have.

    Parameters
    ----------
    dataset : Pictures
        Pixels in memory, or files that the background threads decode.
    batch_size : int
        Of all processes together.
    preprocessing : Preprocessing
    augmentation : Augmentation, optional
        Not for `in_order`; pictures are taken as they are without one.
    seed : int
        From 0 to 2**32 - 1.
    drop_last : bool
        Whether an epoch leaves out the pictures that do not fill a batch; other ones in every epoch.
    threads : int
        Background threads.
    prefetch : int
        Batches that are prepared ahead of the one in use, so at most this many + 1 are in memory.
    share : pair of ints
        (rank, ranks): which part of every batch is this process's, and how many processes there are.

    Raises
    ------
    InputError
        If a number is out of its range, or no batch would be full.
    """

    def __init__(
        self,
        dataset: Pictures,
        batch_size: int,
        preprocessing: Preprocessing,
        augmentation: Augmentation | None = None,
        seed: int = 0,
        *,
        drop_last: bool = True,
        threads: int = 1,
        prefetch: int = 4,
        share: tuple[int, int] = (0, 1),
    ):
        self.dataset = dataset
        self.batch_size = _positive("batch_size", batch_size)
        self.preprocessing = preprocessing
        self.augmentation = augmentation
        self.seed = check_seed(seed)
        self.drop_last = drop_last
        self.threads = _positive("threads", threads)
        self.prefetch = _positive("prefetch", prefetch)
        self.rank, self.ranks = share
        if not 0 <= self.rank < self.ranks <= batch_size:
            raise InputError(f"share is {share}; expected (rank, ranks): ranks at most {batch_size}, a batch, and rank below ranks")
        if drop_last and batch_size > len(dataset):
            raise InputError(f"batch_size is {batch_size}; expected at most {len(dataset)}, the number of images")

    def __len__(self) -> int:
        """Batches in an epoch."""
        return len(self.dataset) // self.batch_size if self.drop_last else -(-len(self.dataset) // self.batch_size)

    def epoch(self, number: int) -> Iterator[Batch]:
        """The batches of an epoch, to train on: shuffled and augmented, otherwise in every epoch."""
        check_epoch(number)
        return self._prefetched((indices, number) for indices in self._shuffled(number))

    def steps(self, first: int, last: int) -> Iterator[Batch]:
        """The batches of a run from the step `first` to before `last`: epoch after epoch, with no wait between two."""
        if not 0 <= first <= last:
            raise InputError(f"first is {first}; expected the number of a step, 0 to {last}")
        epoch, batch = divmod(first, len(self))
        numbered = ((indices, number) for number in itertools.count(epoch) for indices in self._shuffled(number))
        return self._prefetched(itertools.islice(numbered, batch, batch + last - first))

    def in_order(self) -> Iterator[Batch]:
        """All pictures once, to evaluate on: in the data set's order and as they are; the last batch may be smaller."""
        return self._prefetched((indices, None) for indices in self._cut(np.arange(len(self.dataset))))

    def _shuffled(self, epoch: int) -> list[np.ndarray]:
        """Indices of each batch of an epoch."""
        order = permutation(Stream(self.seed, Purpose.SHUFFLE, step=epoch), len(self.dataset))
        return self._cut(order)[: len(self)]

    def _cut(self, order: np.ndarray) -> list[np.ndarray]:
        """Indices of each batch."""
        return [order[start : start + self.batch_size] for start in range(0, len(order), self.batch_size)]

    def _prefetched(self, batches: Iterable[tuple[np.ndarray, int | None]]) -> Iterator[Batch]:
        """The batches of these indices, each with the number of its epoch."""
        pool = ThreadPoolExecutor(self.threads, thread_name_prefix="xception_np-loader")
        pending: deque[Future[Batch]] = deque()
        try:
            for indices, epoch in batches:
                first, last = (len(indices) * rank // self.ranks for rank in (self.rank, self.rank + 1))
                if first == last:  # a last batch with fewer pictures than processes
                    continue
                # The picture behind the last one is mixup's partner for it; behind the last of the batch comes the first.
                partner = indices[last % len(indices)]
                pending.append(pool.submit(self._prepare, indices[first:last], partner, epoch))
                if len(pending) > self.prefetch:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:  # also when the consumer leaves its loop early: then this generator is closed
            pool.shutdown(cancel_futures=True)

    def _prepare(self, indices: np.ndarray, partner: int, epoch: int | None) -> Batch:
        if epoch is None or self.augmentation is None:
            return Batch(self.preprocessing.apply(self.dataset.read(indices)), self.dataset.labels[indices])
        if not self.augmentation.mixup:
            return self._augmented(indices, epoch, self.augmentation)
        x, labels = self._augmented(np.append(indices, partner), epoch, self.augmentation)
        weights = mixup_weights(self.augmentation.mixup, Draws(self.seed, epoch, indices))
        return Batch(*mixup(x, labels, weights, len(self.dataset.classes)))

    def _augmented(self, indices: np.ndarray, epoch: int, augmentation: Augmentation) -> Batch:
        draws = Draws(self.seed, epoch, indices)
        images = augmentation.apply(self.dataset.read(indices, augmentation.windows(draws)), draws)
        return Batch(self.preprocessing.apply(images), self.dataset.labels[indices])


def _positive(name: str, value) -> int:
    if not is_whole(value) or value < 1:
        raise InputError(f"{name} is {value!r}; expected an integer, 1 or more")
    return int(value)
