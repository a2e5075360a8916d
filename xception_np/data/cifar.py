"""CIFAR-10 in its official binary version: 60,000 pictures of 32x32 pixels in ten classes.

A file is a row of records of 3,073 bytes: the label, then 1,024 red, 1,024 green and 1,024 blue bytes, row by row.

    cifar-10-batches-bin/data_batch_1.bin ... data_batch_5.bin    10,000 records each, to train on
    cifar-10-batches-bin/test_batch.bin                           10,000 records, held out

Files are read from a directory or straight out of a tar archive; nothing is extracted, and the Python version, which
is pickled and so could run code when it is read, is refused.

Source: A. Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009.
"""

import hashlib
import lzma
import os
import tarfile
import zlib
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import numpy as np

from xception_np.data.dataset import CHANNELS, Dataset, Split
from xception_np.errors import InputError

NAME = "cifar10"
CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
SIZE = 32
RECORD = 1 + CHANNELS * SIZE * SIZE  # bytes

_FOLDER = "cifar-10-batches-bin"
_PICKLED_FOLDER = "cifar-10-batches-py"
_GET = "get cifar-10-binary.tar.gz from https://www.cs.toronto.edu/~kriz/cifar.html"
_UNREADABLE = (tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, OSError)


class Member(NamedTuple):
    """What a file must be: how many records, and the SHA-1 of all its bytes."""

    records: int
    sha1: str


MEMBERS: Mapping[str, Member] = {  # as published; the last one is held out
    "data_batch_1.bin": Member(10_000, "aadd24acce27caa71bf4b10992e9e7b2d74c2540"),
    "data_batch_2.bin": Member(10_000, "c0ba65cce70568cd57b4e03e9ac8d2a5367c1795"),
    "data_batch_3.bin": Member(10_000, "1dd00a74ab1d17a6e7d73e185b69dbf31242f295"),
    "data_batch_4.bin": Member(10_000, "aab85764eb3584312d3c7f65fd2fd016e36a258e"),
    "data_batch_5.bin": Member(10_000, "26e2849e66a845b7f1e4614ae70f4889ae604628"),
    "test_batch.bin": Member(10_000, "67eb016db431130d61cd03c7ad570b013799c88c"),
}


def load(path: str | os.PathLike, members: Mapping[str, Member] = MEMBERS) -> Split:
    """Read CIFAR-10.

    Parameters
    ----------
    path : str or path
        The directory with the .bin files, the directory above it, or a tar archive (gz, bz2, xz or not compressed).
    members : {file name: Member}
        What the files must be; the last one is held out.

    Returns
    -------
    train, test : Dataset
        Files in the order of `members`, records in the order of the file.

    Raises
    ------
    InputError
        If the path does not exist or is the Python version, or if a file is missing, cut short or altered.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(f"{path} does not exist; expected CIFAR-10's binary version, a directory or an archive: {_GET}")
    total = sum(member.records for member in members.values())
    images, labels = np.empty((total, SIZE, SIZE, CHANNELS), np.uint8), np.empty(total, np.int64)
    places = _places(members)
    try:
        for name, content in (_directory if path.is_dir() else _archive)(path, members):
            _check_sum(f"{path}: {name}", content, members[name].sha1)
            images[places[name]], labels[places[name]] = _decode(f"{path}: {name}", content)
    except _UNREADABLE as error:
        raise InputError(f"{path} cannot be read ({error}); expected a whole archive or directory: {_GET}") from error
    held_out = places[name := list(members)[-1]]
    return Split(
        Dataset(NAME, images[: held_out.start], labels[: held_out.start], CLASSES),
        Dataset(NAME, images[held_out], labels[held_out], CLASSES),
    )


def _directory(path: Path, members: Mapping[str, Member]) -> Iterator[tuple[str, bytes]]:
    """Name and content of every file."""
    folder = path / _FOLDER if (path / _FOLDER).is_dir() else path
    missing = [name for name in members if not (folder / name).is_file()]
    if missing:
        pickled = any((place / _pickled(name)).exists() for place in (path, path / _PICKLED_FOLDER) for name in members)
        raise _incomplete(path, missing, pickled)
    for name, member in members.items():
        _check_size(f"{path}: {name}", (folder / name).stat().st_size, member)
        yield name, (folder / name).read_bytes()


def _archive(path: Path, members: Mapping[str, Member]) -> Iterator[tuple[str, bytes]]:
    """Name and content of every file, in the archive's order: going back would mean decompressing again."""
    if not tarfile.is_tarfile(path):
        raise InputError(f"{path} is not a tar archive; expected CIFAR-10's binary version, a directory or an archive: {_GET}")
    missing, pickled = dict(members), False
    with tarfile.open(path) as archive:
        for info in archive:
            place = PurePosixPath(info.name)
            pickled = pickled or place.name in map(_pickled, members)
            name = place.name
            # A link, or a file of that name somewhere else in the archive, is not what was published.
            if name in missing and place in (PurePosixPath(_FOLDER, name), PurePosixPath(name)) and info.isreg():
                _check_size(f"{path}: {name}", info.size, missing.pop(name))
                yield name, archive.extractfile(info).read()  # type: ignore[union-attr]  # not None for a regular file
            if not missing:
                return
    raise _incomplete(path, missing, pickled)


def _places(members: Mapping[str, Member]) -> dict[str, slice]:
    """Where each file's records go."""
    ends = np.cumsum([member.records for member in members.values()]).tolist()
    return {name: slice(end - member.records, end) for (name, member), end in zip(members.items(), ends, strict=True)}


def _decode(what: str, content: bytes) -> tuple[np.ndarray, np.ndarray]:
    """Images (n, 32, 32, 3) and labels (n,) of n records."""
    records = np.frombuffer(content, np.uint8).reshape(-1, RECORD)
    labels = records[:, 0]
    if labels.max() >= len(CLASSES):
        worst = labels.argmax()
        raise InputError(f"{what} has label {labels[worst]} in record {worst}; expected 0 to {len(CLASSES) - 1}: {_GET}")
    planes = records[:, 1:].reshape(-1, CHANNELS, SIZE, SIZE)
    return planes.transpose(0, 2, 3, 1), labels


def _check_size(what: str, size: int, member: Member) -> None:
    """Before a file is read: nothing larger than expected ever gets into memory."""
    expected = member.records * RECORD
    if size != expected:
        raise InputError(f"{what} has {size} bytes; expected {expected}, {member.records} records of {RECORD} bytes: {_GET}")


def _check_sum(what: str, content: bytes, expected: str) -> None:
    found = hashlib.sha1(content, usedforsecurity=False).hexdigest()
    if found != expected:
        raise InputError(f"{what} has SHA-1 {found}; expected {expected}: the file was altered, {_GET}")


def _pickled(name: str) -> str:
    """What a file is called in the Python version."""
    return name.removesuffix(".bin")


def _incomplete(path: Path, missing: Collection[str], pickled: bool) -> InputError:
    if pickled:
        return InputError(f"{path} is CIFAR-10's Python version, which is pickled and never read; expected the binary one: {_GET}")
    return InputError(f"{path} has no {', '.join(missing)}; expected all files of CIFAR-10's binary version: {_GET}")
