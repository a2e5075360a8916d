"""Batches, prepared by background threads while the network computes."""

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

import numpy as np

from xception_np.data.augment import Augmentation, check_epoch
from xception_np.data.dataset import Dataset, Preprocessing
from xception_np.errors import InputError
from xception_np.random import Purpose, Stream, check_seed, permutation


class Batch(NamedTuple):
    """What a training step takes.

    x : (N, H, W, 3) array of float32, preprocessed
    labels : (N,) array of int64
    """

    x: np.ndarray
    labels: np.ndarray


class Loader:
    """Cuts a data set into batches.

    The loader has no state: the batches of an epoch are a function of (seed, epoch) alone, for any number of threads.

    Parameters
    ----------
    dataset : Dataset
    batch_size : int
    preprocessing : Preprocessing
    augmentation : Augmentation, optional
        For `epoch` only; pictures are taken as they are without one.
    seed : int
        From 0 to 2**32 - 1.
    drop_last : bool
        Whether `epoch` leaves out the pictures that do not fill a batch; other ones in every epoch.
    threads : int
        Background threads.
    prefetch : int
        Batches that are prepared ahead of the one in use, so at most this many + 1 are in memory.

    Raises
    ------
    InputError
        If a number is out of its range, or no batch would be full.
    """

    def __init__(
        self,
        dataset: Dataset,
        batch_size: int,
        preprocessing: Preprocessing,
        augmentation: Augmentation | None = None,
        seed: int = 0,
        *,
        drop_last: bool = True,
        threads: int = 1,
        prefetch: int = 4,
    ):
        self.dataset = dataset
        self.batch_size = _positive("batch_size", batch_size)
        self.preprocessing = preprocessing
        self.augmentation = augmentation
        self.seed = check_seed(seed)
        self.drop_last = drop_last
        self.threads = _positive("threads", threads)
        self.prefetch = _positive("prefetch", prefetch)
        if drop_last and batch_size > len(dataset):
            raise InputError(f"batch_size is {batch_size}; expected at most {len(dataset)}, the number of images")

    def __len__(self) -> int:
        """Batches in an epoch."""
        return len(self.dataset) // self.batch_size if self.drop_last else -(-len(self.dataset) // self.batch_size)

    def epoch(self, number: int) -> Iterator[Batch]:
        """The batches of an epoch, to train on: shuffled and augmented, otherwise in every epoch."""
        order = permutation(Stream(self.seed, Purpose.SHUFFLE, step=check_epoch(number)), len(self.dataset))
        return self._batches(self._cut(order)[: len(self)], number)

    def in_order(self) -> Iterator[Batch]:
        """All pictures once, to evaluate on: in the data set's order and as they are; the last batch may be smaller."""
        return self._batches(self._cut(np.arange(len(self.dataset))), None)

    def _cut(self, order: np.ndarray) -> list[np.ndarray]:
        return [order[start : start + self.batch_size] for start in range(0, len(order), self.batch_size)]

    def _batches(self, batches: Sequence[np.ndarray], epoch: int | None) -> Iterator[Batch]:
        pool = ThreadPoolExecutor(self.threads, thread_name_prefix="xception_np-loader")
        pending: deque[Future[Batch]] = deque()
        try:
            for indices in batches:
                pending.append(pool.submit(self._prepare, indices, epoch))
                if len(pending) > self.prefetch:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:  # also when the consumer leaves its loop early: then this generator is closed
            pool.shutdown(cancel_futures=True)

    def _prepare(self, indices: np.ndarray, epoch: int | None) -> Batch:
        images = self.dataset.images[indices]
        if self.augmentation is not None and epoch is not None:
            images = self.augmentation.apply(images, indices, self.seed, epoch)
        return Batch(self.preprocessing.apply(images), self.dataset.labels[indices])


def _positive(name: str, value) -> int:
    if not isinstance(value, int | np.integer) or value < 1:
        raise InputError(f"{name} is {value!r}; expected an integer, 1 or more")
    return int(value)
