"""HDF5 files that nobody vouches for: what is in them is looked at before it is read.

A file may point to other files (external links, external and virtual datasets), claim sizes that it does not have, or unpack to
far more than they are. Here links are not followed, and a dataset is read only as it is and in the shape that the model wants.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np

from xception_np.errors import InputError
from xception_np.weights.strict import Entry, printable

MOST_OBJECTS = 20_000  # groups and datasets, of which VGG-16 has 60 and Inception V3 some 700
MOST_DEPTH = 8
_EXPECTED = "expected an HDF5 file that Keras wrote"


@contextmanager
def opened(path: Path, source=None) -> Iterator[h5py.File]:
    """An HDF5 file (or `source`, a file object with its bytes), whose errors are sentences."""
    try:
        with h5py.File(path if source is None else source, "r", locking=False) as file:
            yield file
    except InputError:
        raise
    except Exception as error:  # h5py raises what comes to hand for a damaged file
        raise InputError(f"weights {path} cannot be read ({reason(error)}); {_EXPECTED}") from error


def reason(error: Exception) -> str:
    """What a library says, on one line."""
    return printable(" ".join(str(error).split())) or type(error).__name__


def datasets(path: Path, file: h5py.File) -> Iterator[tuple[str, h5py.Dataset]]:
    """(place, dataset) of everything in a file; InputError if it has links, or no end."""
    ahead: list[tuple[h5py.Group, int]] = [(file, 0)]
    seen = 0
    while ahead:
        group, depth = ahead.pop()
        for name in group:  # the names alone: nothing is opened yet
            place = f"{group.name.rstrip('/')}/{name}"
            seen += 1
            if seen > MOST_OBJECTS or depth > MOST_DEPTH:
                raise InputError(f"weights {path} have groups and arrays without end; {_EXPECTED}")
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                raise InputError(f"weights {path} have a link at {printable(place)}; expected the arrays themselves")
            item = group[name]
            if isinstance(item, h5py.Group):
                ahead.append((item, depth + 1))
            elif isinstance(item, h5py.Dataset):
                yield place.lstrip("/"), item


def entry(path: Path, name: str, dataset: h5py.Dataset) -> Entry:
    """A dataset that is not read yet."""
    elsewhere = bool(dataset.is_virtual or dataset.external)
    if elsewhere or dataset.shape is None:
        raise InputError(f"weights {path} have {printable(name)} in another file, or not at all; expected the array itself")
    if dataset.id.get_create_plist().get_nfilters():  # HDF5 unpacks to the end, whatever size the array has
        raise InputError(f"weights {path} have {printable(name)} packed; expected it as Keras writes it: h5repack -f NONE IN OUT")

    def read() -> np.ndarray:
        if dataset.id.get_storage_size() < dataset.nbytes:  # HDF5 reads 0 where nothing was ever written
            raise InputError(f"weights {path} have room for {printable(name)}, but not its numbers; expected a file that is whole")
        return np.asarray(dataset[()])

    return Entry(name, tuple(dataset.shape), str(dataset.dtype), read)


def word(value) -> str:
    """An attribute that holds a name."""
    value = np.ravel(value)[0]
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
