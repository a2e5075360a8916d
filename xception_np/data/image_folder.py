"""Pictures in folders, a folder for each class; they need not fit into memory.

    train/<class>/*      to train on
    val/<class>/*        held out
    classes.txt          optional: lines of `folder index name`, for names that are easier to read than the folders'

Labels follow the sorted names of the folders. Files are decoded when they are asked for, by the loader's threads.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np

from xception_np import threads
from xception_np.data.dataset import CHANNELS, Dataset, Split, Window, check_labels, count_values, is_shown, shown
from xception_np.errors import InputError

T = TypeVar("T")
U = TypeVar("U")

SIZE = 128  # pixels, if no size is asked for
LARGEST = 4096
SAMPLE = 2000  # pictures that statistics are taken from, where there are more
NAMES = "classes.txt"
_NAMES_BYTES = 1_000_000  # more than any list of classes has
_LAYOUT = "expected train/<class>/* and val/<class>/*, with the same classes and at least one picture in each"


@dataclass(frozen=True, eq=False)
class ImageFolder:
    """Picture files, and their labels.

    Attributes
    ----------
    name : str
    paths : tuple of str
    labels : (N,) array of int64, from 0 to len(classes) - 1
    classes : tuple of str
    size : int
        Height and width in pixels that pictures are decoded to: the shorter side is scaled to it, the middle kept.
    scaled : int, optional
        What the shorter side is scaled to instead, before the middle is cut out.
    """

    name: str
    paths: tuple[str, ...] = field(repr=False)
    labels: np.ndarray = field(repr=False)
    classes: tuple[str, ...]
    size: int
    scaled: int | None = None

    def __post_init__(self):
        check_size(self.size)
        check_labels(self.labels, len(self.paths), self.classes)

    def __len__(self) -> int:
        return len(self.paths)

    def read(self, indices: np.ndarray, window: Window | None = None) -> np.ndarray:
        """The pictures at these indices, (n, size, size, 3) of uint8; a window is cut from the whole file's picture."""
        from xception_np.data.pictures import load_picture  # Pillow takes a tenth of a second to import

        images = np.empty((len(indices), self.size, self.size, CHANNELS), np.uint8)
        for k, index in enumerate(indices):
            images[k] = load_picture(self.paths[index], self.size, window and partial(window, k), self.scaled)
        return images

    @property
    def folders(self) -> tuple[str, ...]:
        """The folders of the classes, by label."""
        first = np.unique(self.labels, return_index=True)[1]
        return tuple(Path(self.paths[k]).parent.name for k in first)

    def as_classes(self, classes: tuple[str, ...], numbers: Sequence[int]) -> "ImageFolder":
        """The same pictures with other labels: numbers[label], of these classes."""
        return replace(self, labels=np.asarray(numbers, np.int64)[self.labels], classes=classes)

    def subset(self, indices) -> "ImageFolder":
        """The pictures at these indices (an integer array or a slice), in that order."""
        chosen = np.arange(len(self))[indices]
        return replace(self, paths=tuple(self.paths[k] for k in chosen), labels=self.labels[chosen])

    def histogram(self) -> np.ndarray:
        """How often each channel has each value, (3, 256): of all pictures, or of 2,000 at equal distances."""
        count = min(len(self), SAMPLE)
        return sum(map(count_values, self._read_all(np.arange(count) * len(self) // count)))  # type: ignore[return-value]

    def decoded(self) -> Dataset:
        """The same pictures in memory, `size * size * 3` bytes each: faster where they are read as they are, again and again."""
        images = np.concatenate(list(self._read_all(np.arange(len(self)))))
        return Dataset(self.name, images, self.labels, self.classes)

    def _read_all(self, indices: np.ndarray, at_once: int = 16) -> Iterator[np.ndarray]:
        return _by_threads(self.read, [indices[start : start + at_once] for start in range(0, len(indices), at_once)])


def load(path: str | os.PathLike, size: int = SIZE) -> Split:
    """Find the pictures in folders.

    Parameters
    ----------
    path : str or path
        The folder that `train` and `val` are in.
    size : int
        Height and width to decode to, in pixels.

    Returns
    -------
    train, test : ImageFolder
        Classes and files in the order of their names.

    Raises
    ------
    InputError
        If a folder is missing or empty, there are fewer than two classes, train and val differ in their classes, the name of one
        cannot be shown, or a file is not a picture. Files are opened for that, but not decoded: a damaged one may still be found
        when it is read.
    """
    path = Path(path)
    size = check_size(size)
    for part in ("train", "val"):
        if not (path / part).is_dir():
            raise InputError(f"{path} has no folder {part}; {_LAYOUT}")
    folders = _classes(path / "train")
    if len(folders) < 2:
        raise InputError(f"{path}/train has {len(folders)} class{'es' * (not folders)}; expected two or more: {_LAYOUT}")
    _check_same(path, folders, _classes(path / "val"))
    names = _names(path / NAMES, folders)
    name = shown(path.resolve().name)
    return Split(*(_part(name, path / part, folders, names, size) for part in ("train", "val")))


def load_test(path: str | os.PathLike, size: int = SIZE) -> ImageFolder:
    """The held-out pictures only: of `val/<class>/*`, or of `<class>/*` where there is no folder `val`.

    Raises
    ------
    InputError
        As in `load`.
    """
    path = Path(path)
    root = path / "val" if (path / "val").is_dir() else path
    folders = _classes(root)
    if not folders:
        raise InputError(f"{root} has no class folders; expected val/<class>/*, or <class>/*")
    return _part(shown(path.resolve().name), root, folders, _names(path / NAMES, folders), check_size(size))


def check_size(size) -> int:
    """The size, if pictures can be decoded to it."""
    if not isinstance(size, int | np.integer) or isinstance(size, bool) or not 1 <= size <= LARGEST:
        raise InputError(f"size is {size!r}; expected the pictures' height and width in pixels, 1 to {LARGEST}")
    return int(size)


def _part(name: str, root: Path, folders: list[str], names: tuple[str, ...], size: int) -> ImageFolder:
    files = [_entries(root / folder, of_folders=False) for folder in folders]
    paths = tuple(str(root / folder / file) for folder, inside in zip(folders, files, strict=True) for file in inside)
    _check_pictures(paths)
    labels = np.repeat(np.arange(len(folders)), [len(inside) for inside in files]).astype(np.int64)
    return ImageFolder(name, paths, labels, names, size)


def _classes(root: Path) -> list[str]:
    return _entries(root, of_folders=True)


def _entries(root: Path, of_folders: bool) -> list[str]:
    """The names of all folders, or all files, in a folder, sorted.

    Hidden ones do not count, nor does the file of the classes' names beside their folders; nothing else may be there.
    """
    try:
        with os.scandir(root) as entries:
            found = {entry.name: entry.is_dir() for entry in entries if not entry.name.startswith(".")}
    except OSError as error:
        raise InputError(f"{root} cannot be read ({error.strerror}); {_LAYOUT}") from error
    if of_folders:
        found.pop(NAMES, None)
    for name, is_folder in found.items():
        if is_folder != of_folders:
            kind, wanted = ("folder", "pictures") if is_folder else ("file", "class folders")
            raise InputError(f"{root}/{name} is a {kind}, among {wanted}; {_LAYOUT}")
    if not found and not of_folders:
        raise InputError(f"{root} has no pictures; {_LAYOUT}")
    return sorted(found)


def _check_same(path: Path, train: list[str], val: list[str]) -> None:
    for part, missing in (("val", sorted(set(train) - set(val))), ("train", sorted(set(val) - set(train)))):
        if missing:
            listed = ", ".join(missing[:5]) + f" and {len(missing) - 5} more" * (len(missing) > 5)
            raise InputError(f"{path}/{part} has no class {listed}; {_LAYOUT}")


def _check_pictures(paths: tuple[str, ...]) -> None:
    from xception_np.data.pictures import check_picture

    for _ in _by_threads(check_picture, paths, 1000):  # raises what the first wrong one, in the order of names, raised
        pass


def _by_threads(function: Callable[[T], U], items: Sequence[T], at_once: int = 16) -> Iterator[U]:
    """What a function makes of items, in their order; no more than `at_once` are waiting, for there may be millions."""
    with ThreadPoolExecutor(threads.count(), thread_name_prefix="xception_np-decoder") as pool:
        for start in range(0, len(items), at_once):
            yield from pool.map(function, items[start : start + at_once])


def _names(path: Path, folders: list[str]) -> tuple[str, ...]:
    """The classes' names as `classes.txt` gives them; the folders' own if it does not name each, all differently, to be shown."""
    if path.is_file() and path.stat().st_size <= _NAMES_BYTES:
        lines = [line.split(maxsplit=2) for line in path.read_text("utf-8", errors="replace").splitlines()]
        named = {parts[0]: parts[2].strip() for parts in lines if len(parts) == 3}
        names = tuple(named[folder] for folder in folders if folder in named)
        if len(set(names)) == len(folders) and all(map(is_shown, names)):
            return names
    return tuple(folders)
