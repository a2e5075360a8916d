"""Data sets, and how they become batches.

    train, test = data.load("cifar10")                        # or digits, glyphs, cifar100, or a path of files
    train, validation = data.hold_out(train, 5000)            # to choose by; the test set is for the end
    preprocessing = data.Preprocessing.of(train)
    augmentation = data.Augmentation.of(train)                # or data.notation.read("alternating flip, crop 4, mixup 0.2")
    loader = data.Loader(train, 64, preprocessing, augmentation, seed=0)
    for x, labels in loader.epoch(0): ...                     # shuffled, augmented, prepared in the background
    for x, labels in data.Loader(test, 64, preprocessing, drop_last=False).in_order(): ...

Whatever is random is a function of (seed, epoch, index of the picture): threads change nothing. Mixup's partner of a picture is the
next one in its batch.
"""

import os
from pathlib import Path

from xception_np.data import cifar, digits, download, glyphs, image_folder, imagenet, notation
from xception_np.data.augment import Augmentation
from xception_np.data.cifar_versions import ADDRESS, SIZE, VERSIONS
from xception_np.data.dataset import Dataset, Pictures, Split
from xception_np.data.draws import Draws
from xception_np.data.holding_out import hold_out
from xception_np.data.image_folder import ImageFolder
from xception_np.data.loader import Batch, Loader
from xception_np.data.mixup import mixup, mixup_weights
from xception_np.data.preprocessing import Preprocessing
from xception_np.data.transforms import AlternatingFlip, ColourJitter, Cutout, Flip, PaddedCrop, RandomResizedCrop
from xception_np.errors import InputError
from xception_np.files import with_home

__all__ = [
    "AlternatingFlip",
    "Augmentation",
    "Batch",
    "ColourJitter",
    "Cutout",
    "Dataset",
    "Draws",
    "Flip",
    "ImageFolder",
    "Loader",
    "PaddedCrop",
    "Pictures",
    "Preprocessing",
    "RandomResizedCrop",
    "Split",
    "glyphs",
    "hold_out",
    "imagenet",
    "is_folder_of_pictures",
    "is_name",
    "load",
    "load_test",
    "mixup",
    "mixup_weights",
    "notation",
]


def load(source: str | os.PathLike, size: int | None = None) -> Split:
    """Load a data set by its name or its path.

    Parameters
    ----------
    source : str or path
        `digits`; `glyphs`, or with its joint dependence `glyphs:0.75`; `cifar10` or `cifar100`, which are downloaded at first use;
        where the binary version of one of these is (a directory, or a tar archive); or a folder of pictures,
        `train/<class>/*` and `val/<class>/*`.
    size : int, optional
        Height and width in pixels that pictures in folders are decoded to, 128 if not given; the other data sets have 32.

    Returns
    -------
    train, test : Pictures

    Raises
    ------
    InputError
        If there is no such data set, or its files are not what was published.
    """
    path = with_home(source)
    by_name = {version.name: version for version in VERSIONS}
    if is_folder_of_pictures(source):
        return image_folder.load(path, image_folder.SIZE if size is None else size)
    is_there = is_name(source) or path.exists()
    if is_there and size not in (None, SIZE):
        raise InputError(
            f"size is {size!r}; expected {SIZE}, the size of the pictures of {source}: only folders of pictures are scaled"
        )
    if source == digits.NAME:
        return digits.load()
    if glyphs.is_name(str(source)):
        return glyphs.from_name(str(source))
    if source in by_name:
        version = by_name[str(source)]
        return cifar.load(download.fetch(f"{ADDRESS}/{version.archive}", version.md5), [version])
    if not is_there:
        raise InputError(
            f"data is {str(source)!r}; expected 'digits', 'glyphs', 'cifar10', 'cifar100', or the path of CIFAR's binary version "
            "(a directory or an archive) or of a folder of pictures (train/<class>/* and val/<class>/*)"
        )
    return cifar.load(path)


def load_test(source: str | os.PathLike, size: int | None = None) -> Pictures:
    """The held-out pictures of a data set alone; of folders, those in `val/<class>/*`, or in `<class>/*` if there is no `val`.

    The arguments and errors are those of `load`.
    """
    if is_scaled(source):
        return image_folder.load_test(with_home(source), image_folder.SIZE if size is None else size)
    return load(source, size).test


def is_name(source: str | os.PathLike) -> bool:
    """Whether a source is the name of a data set, which goes before a path of that name."""
    return source in (digits.NAME, *(version.name for version in VERSIONS)) or glyphs.is_name(str(source))


def is_folder_of_pictures(source: str | os.PathLike) -> bool:
    """Whether a source is a folder of pictures, and no name: CIFAR's directories hold files alone, or folders of other names."""
    return not is_name(source) and any((with_home(source) / part).is_dir() for part in ("train", "val"))


def is_scaled(source: str | os.PathLike) -> bool:
    """Whether `load_test` scales the pictures of a source: those in folders."""
    return is_folder_of_pictures(source) or (not is_name(source) and _holds_classes(with_home(source)))


def _holds_classes(path: Path) -> bool:
    """Whether a folder has folders in it, beside them the classes' names at most, and none of CIFAR's."""
    found = list(path.iterdir()) if path.is_dir() else []
    inside = [item for item in found if not item.name.startswith(".") and item.name != image_folder.NAMES]
    ours = {version.folder for version in VERSIONS} | {version.pickled_folder for version in VERSIONS}
    return bool(inside) and all(item.is_dir() and item.name not in ours for item in inside)
