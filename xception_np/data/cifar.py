"""CIFAR-10 and CIFAR-100 in their official binary versions: 60,000 pictures of 32x32 pixels in ten or a hundred classes.

A file is a row of records: the label, then 1,024 red, 1,024 green and 1,024 blue bytes, row by row. CIFAR-100 has two labels,
a coarse one and a fine one, of which we learn the fine one.

    cifar-10-batches-bin/data_batch_1.bin ... data_batch_5.bin    10,000 records of 3,073 bytes each, to train on
    cifar-10-batches-bin/test_batch.bin                           10,000 records, held out
    cifar-100-binary/train.bin                                    50,000 records of 3,074 bytes, to train on
    cifar-100-binary/test.bin                                     10,000 records, held out

Files are read from a directory or straight out of a tar archive; nothing is extracted, and the Python version, which
is pickled and so could run code when it is read, is refused.

Source: A. Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009.
"""

import hashlib
import os
import tarfile
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path, PurePosixPath

import numpy as np

from xception_np.data.cifar_versions import ADDRESS, SIZE, VERSIONS, Member, Version
from xception_np.data.dataset import CHANNELS, Dataset, Split
from xception_np.errors import InputError

_LARGEST_MEMBER = 2**28  # bytes; the largest that was published has 154 million
_LONGEST_NAME = 2**16  # bytes of what stands before a member: its name, if that is long, and more about it
_NAMES = (tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE)


def load(path: str | os.PathLike, versions: Sequence[Version] = VERSIONS) -> Split:
    """Read CIFAR-10 or CIFAR-100, whichever is there.

    Parameters
    ----------
    path : str or path
        The directory with the .bin files, the directory above it, or a tar archive (gz, bz2, xz or not compressed).
    versions : sequence of Version
        What may be there.

    Returns
    -------
    train, test : Dataset
        Files in the order of the version's members, records in the order of the file.

    Raises
    ------
    InputError
        If the path does not exist or is the Python version, or if a file is missing, cut short or altered.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(f"{path} does not exist; expected {_wanted(versions)}")
    if not (path.is_dir() or path.is_file()):
        raise InputError(f"{path} is neither a directory nor a file; expected {_wanted(versions)}")
    try:
        return _load(path, versions)
    except InputError:
        raise
    except Exception as error:  # tarfile and the decompressors raise almost anything on a damaged archive
        reason = " ".join(str(error).split()) or type(error).__name__
        raise InputError(f"{path} cannot be read ({reason}); expected a whole archive or directory: {_get(versions)}") from error


def _load(path: Path, versions: Sequence[Version]) -> Split:
    files = _directory(path, versions) if path.is_dir() else _archive(path, versions)
    version, name, content = next(files)
    places = _places(version)
    total = sum(member.records for member in version.members.values())
    images, labels = np.empty((total, SIZE, SIZE, CHANNELS), np.uint8), np.empty(total, np.int64)
    while True:
        _check_sum(f"{path}: {name}", content, version, version.members[name])
        images[places[name]], labels[places[name]] = _decode(f"{path}: {name}", content, version)
        del content  # the next one is as large
        try:
            _, name, content = next(files)
        except StopIteration:
            break
    held_out = places[list(version.members)[-1]]
    return Split(
        Dataset(version.name, images[: held_out.start], labels[: held_out.start], version.classes),
        Dataset(version.name, images[held_out], labels[held_out], version.classes),
    )


def _directory(path: Path, versions: Sequence[Version]) -> Iterator[tuple[Version, str, bytes]]:
    """Version, name and content of every file."""
    for version in versions:
        folder = path / version.folder if (path / version.folder).is_dir() else path
        missing = [name for name in version.members if not (folder / name).is_file()]
        if len(missing) < len(version.members):
            break
    else:
        pickled = [v for v in versions for place in (path, path / v.pickled_folder) if (place / v.pickled[0]).is_file()]
        raise _nothing(path, versions, pickled)
    if missing:
        raise _incomplete(path, version, missing)
    for name, member in version.members.items():
        _check_size(f"{path}: {name}", (folder / name).stat().st_size, version, member)
        yield version, name, (folder / name).read_bytes()


class _Header(tarfile.TarInfo):
    """A member's header, refused before what it announces is read: a file of a few bytes can hold names of gigabytes."""

    @classmethod
    def frombuf(cls, buf, encoding, errors):
        found = super().frombuf(buf, encoding, errors)
        most = _LONGEST_NAME if found.type in _NAMES else _LARGEST_MEMBER
        if found.size > most:
            raise ValueError(f"a member has {found.size} bytes, more than {most}")
        return found


def _archive(path: Path, versions: Sequence[Version]) -> Iterator[tuple[Version, str, bytes]]:
    """Version, name and content of every file, in the archive's order: going back would mean decompressing again."""
    found: Version | None = None
    missing: list[str] = []
    pickled: list[Version] = []
    with _opened(path, versions) as archive:
        for info in archive:
            place = PurePosixPath(info.name)
            pickled += [v for v in versions if place.name in v.pickled and place.parent.name in (v.pickled_folder, "")]
            if found is None and (found := _version_of(place, info, versions)):
                missing = list(found.members)
            if found and place.name in missing and _is_member(place, info, found):
                missing.remove(place.name)
                _check_size(f"{path}: {place.name}", info.size, found, found.members[place.name])
                yield found, place.name, archive.extractfile(info).read()  # type: ignore[union-attr]  # not None for a file
            if found and not missing:
                return
    raise _incomplete(path, found, missing) if found else _nothing(path, versions, pickled)


def _opened(path: Path, versions: Sequence[Version]) -> tarfile.TarFile:
    try:
        return tarfile.open(path, tarinfo=_Header)
    except tarfile.ReadError as error:
        raise InputError(f"{path} is not a tar archive; expected {_wanted(versions)}") from error


def _version_of(place: PurePosixPath, info: tarfile.TarInfo, versions: Sequence[Version]) -> Version | None:
    return next((version for version in versions if _is_member(place, info, version)), None)


def _is_member(place: PurePosixPath, info: tarfile.TarInfo, version: Version) -> bool:
    """A link, or a file of that name somewhere else in the archive, is not what was published."""
    expected = (PurePosixPath(version.folder, place.name), PurePosixPath(place.name))
    return place.name in version.members and place in expected and info.isreg()


def _places(version: Version) -> dict[str, slice]:
    """Where each file's records go."""
    ends = np.cumsum([member.records for member in version.members.values()]).tolist()
    return {name: slice(end - member.records, end) for (name, member), end in zip(version.members.items(), ends, strict=True)}


def _decode(what: str, content: bytes, version: Version) -> tuple[np.ndarray, np.ndarray]:
    """Images (n, 32, 32, 3) and labels (n,) of n records."""
    records = np.frombuffer(content, np.uint8).reshape(-1, version.record)
    for column, label in enumerate(version.labels):
        labels = records[:, column]
        if labels.max() >= label.values:
            worst = labels.argmax()
            raise InputError(
                f"{what} has {label.what} {labels[worst]} in record {worst}; expected 0 to {label.values - 1}: {_get([version])}"
            )
    planes = records[:, len(version.labels) :].reshape(-1, CHANNELS, SIZE, SIZE)
    return planes.transpose(0, 2, 3, 1), labels


def _check_size(what: str, size: int, version: Version, member: Member) -> None:
    """Before a file is read: nothing larger than expected ever gets into memory."""
    expected = member.records * version.record
    if size != expected:
        records = f"{member.records} records of {version.record} bytes"
        raise InputError(f"{what} has {size} bytes; expected {expected}, {records}: {_get([version])}")


def _check_sum(what: str, content: bytes, version: Version, member: Member) -> None:
    if member.sha1 is None:
        return
    found = hashlib.sha1(content, usedforsecurity=False).hexdigest()
    if found != member.sha1:
        raise InputError(f"{what} has SHA-1 {found}; expected {member.sha1}: the file was altered, {_get([version])}")


def _incomplete(path: Path, version: Version, missing: Collection[str]) -> InputError:
    return InputError(
        f"{path} has no {', '.join(missing)}; expected all files of {version.title}'s binary version: {_get([version])}"
    )


def _nothing(path: Path, versions: Sequence[Version], pickled: Sequence[Version]) -> InputError:
    if pickled:
        version = pickled[0]
        reason = f"is {version.title}'s Python version, which is pickled and never read"
        return InputError(f"{path} {reason}; expected the binary one: {_get([version])}")
    names = ", ".join(name for version in versions for name in version.members)
    pictures = "; or a folder of pictures, train/<class>/* and val/<class>/*" * path.is_dir()
    return InputError(f"{path} has none of {names}; expected {_wanted(versions)}{pictures}")


def _wanted(versions: Sequence[Version]) -> str:
    titles = " or ".join(version.title for version in versions)
    return f"the binary version of {titles}, a directory or an archive: {_get(versions)}"


def _get(versions: Sequence[Version]) -> str:
    return f"get {' or '.join(version.archive for version in versions)} from {ADDRESS}/cifar.html"
