"""The random numbers behind augmentation: a function of (seed, epoch, the picture's index), and of nothing else.

A picture has a stream of words of its own in every epoch. Each use takes its own words out of it, so that switching one
kind of augmentation on or off changes nothing about the others:

    word   0      1    2     3       4 ... 7     8 ... 10   11      12    13
           flip   crop       mixup   window      colour     unused  cutout
"""

import numpy as np

from xception_np.errors import InputError
from xception_np.random import Purpose, check_seed, philox

FLIP = slice(0, 1)
CROP = slice(1, 3)
MIXUP = slice(3, 4)
WINDOW = slice(4, 8)
COLOUR = slice(8, 11)
CUTOUT = slice(12, 14)
_BLOCK = 4  # words that one call of Philox gives; no use crosses from one block into the next


class Draws:
    """What is drawn for some pictures in an epoch.

    Parameters
    ----------
    seed, epoch : int
        From 0 to 2**32 - 1.
    indices : (n,) array of integers
        The pictures' places in their data set.
    """

    def __init__(self, seed: int, epoch: int, indices: np.ndarray):
        self.seed, self.epoch, self.indices = check_seed(seed), check_epoch(epoch), indices
        self._blocks: dict[int, np.ndarray] = {}

    def __len__(self) -> int:
        return len(self.indices)

    def words(self, use: slice) -> np.ndarray:
        """Each picture's words for a use, (n, words) of uint64, each below 2**32."""
        block, start = divmod(use.start, _BLOCK)
        if block not in self._blocks:
            counter = np.zeros((len(self), 4), np.uint32)  # as random.words counts, for many streams at once
            counter[:, 0], counter[:, 2], counter[:, 3] = block, self.epoch, self.indices
            self._blocks[block] = philox(counter, (self.seed, Purpose.AUGMENTATION)).astype(np.uint64)
        return self._blocks[block][:, start : start + use.stop - use.start]

    def uniform(self, use: slice) -> np.ndarray:
        """The same words as numbers in the open interval (0, 1), float64."""
        return (self.words(use) + 0.5) / 2.0**32

    def below(self, use: slice, limit: int) -> np.ndarray:
        """The same words as integers from 0 to limit - 1, each as likely as another."""
        return (self.words(use) * np.uint64(limit) >> np.uint64(32)).astype(np.int64)

    def of_epoch(self, epoch: int) -> "Draws":
        """What is drawn for the same pictures in another epoch."""
        return Draws(self.seed, epoch, self.indices)


def check_epoch(epoch) -> int:
    """The epoch as an int, if it fits into 32 bits."""
    if not isinstance(epoch, int | np.integer) or not 0 <= epoch < 2**32:
        raise InputError(f"epoch is {epoch!r}; expected an integer from 0 to 4294967295")
    return int(epoch)
