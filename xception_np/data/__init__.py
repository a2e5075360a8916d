"""Data sets, and how they become batches.

    train, test = data.load("digits")                         # or the path of CIFAR-10's binary version
    preprocessing = data.Preprocessing.of(train)
    loader = data.Loader(train, 64, preprocessing, data.Augmentation.of(train), seed=0)
    for x, labels in loader.epoch(0): ...                     # shuffled, augmented, prepared in the background
    for x, labels in data.Loader(test, 64, preprocessing, drop_last=False).in_order(): ...

Whatever is random is a function of (seed, epoch, index of the picture): threads and batches change nothing.
"""

import os
from pathlib import Path

from xception_np.data import cifar, digits
from xception_np.data.augment import Augmentation
from xception_np.data.dataset import Dataset, Preprocessing, Split
from xception_np.data.loader import Batch, Loader
from xception_np.errors import InputError

__all__ = ["Augmentation", "Batch", "Dataset", "Loader", "Preprocessing", "Split", "load"]


def load(source: str | os.PathLike) -> Split:
    """Load a data set by its name or its path.

    Parameters
    ----------
    source : str or path
        `digits`, or where CIFAR-10's binary version is: a directory, or a tar archive.

    Returns
    -------
    train, test : Dataset

    Raises
    ------
    InputError
        If there is no such data set, or its files are not what was published.
    """
    if source == digits.NAME:
        return digits.load()
    path = Path(source).expanduser()
    if not path.exists():
        raise InputError(
            f"data is {str(source)!r}; expected 'digits' or the path of CIFAR-10's binary version (a directory or an archive)"
        )
    return cifar.load(path)
