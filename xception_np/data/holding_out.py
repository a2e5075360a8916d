"""Pictures to choose by: taken from the training set, so that the test set is read once, at the end."""

import numpy as np

from xception_np.data.dataset import Pictures, Split
from xception_np.errors import InputError
from xception_np.random import Purpose, Stream, check_seed, permutation


def hold_out(train: Pictures, count: int = 5000, seed: int = 0) -> Split:
    """Split training pictures: the same ones for the same seed, of each class its share.

    Parameters
    ----------
    train : Pictures
    count : int
        How many to hold out.
    seed : int
        From 0 to 2**32 - 1.

    Returns
    -------
    train, test : Pictures
        Both in the order of the original.

    Raises
    ------
    InputError
        If there are not more pictures than that.
    """
    if not isinstance(count, int | np.integer) or not 0 < count < len(train):
        raise InputError(f"count is {count!r}; expected how many of the {len(train)} pictures to hold out, 1 to {len(train) - 1}")
    order = permutation(Stream(check_seed(seed), Purpose.SHUFFLE, item=2), len(train))  # items 0, 1: epochs, digits
    quotas = _quotas(np.bincount(train.labels, minlength=len(train.classes)), count)
    held_out = np.sort(np.concatenate([order[train.labels[order] == label][:quota] for label, quota in enumerate(quotas)]))
    return Split(train.subset(np.setdiff1d(order, held_out)), train.subset(held_out))


def _quotas(sizes: np.ndarray, count: int) -> list[int]:
    """How many of each class: its share rounded down, and one more for the largest remainders until all are given."""
    quotas, remainders = np.divmod(sizes * count, sizes.sum())
    quotas[np.argsort(-remainders, kind="stable")[: count - quotas.sum()]] += 1
    return quotas.tolist()
