"""HDF5 files that nobody vouches for: what is in them is looked at before it is read.

A file may point to other files (external links, external and virtual datasets), claim sizes that it does not have, or ask for
filters. Here links are not followed, and a dataset is read only in the shape that the model wants.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np

from xception_np.errors import InputError
from xception_np.weights.strict import Entry

MOST_DATASETS = 20_000
MOST_DEPTH = 8
LARGEST_CHUNK = 2**26  # bytes that a compressed piece may unpack to


@contextmanager
def opened(path: Path, source=None) -> Iterator[h5py.File]:
    """An HDF5 file (or `source`, a file object with its bytes), whose errors are sentences."""
    try:
        with h5py.File(path if source is None else source, "r", locking=False) as file:
            yield file
    except InputError:
        raise
    except Exception as error:  # h5py raises what comes to hand for a damaged file
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise InputError(f"weights {path} cannot be read ({reason}); expected an HDF5 file that Keras wrote") from error


def datasets(path: Path, group: h5py.Group, depth: int = 0) -> Iterator[tuple[str, h5py.Dataset]]:
    """(name, dataset) of everything in a group and in the groups inside."""
    if depth > MOST_DEPTH or len(group) > MOST_DATASETS:
        raise InputError(f"weights {path} has groups within groups without end; expected an HDF5 file that Keras wrote")
    for name in group:
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            raise InputError(f"weights {path} has a link at {group.name}/{name}; expected the arrays themselves")
        item = group[name]
        if isinstance(item, h5py.Group):
            yield from datasets(path, item, depth + 1)
        elif isinstance(item, h5py.Dataset):
            yield item.name.lstrip("/"), item


def entry(path: Path, name: str, dataset: h5py.Dataset) -> Entry:
    """A dataset that is not read yet."""
    elsewhere = bool(dataset.is_virtual or dataset.external)
    if elsewhere or dataset.shape is None:
        raise InputError(f"weights {path} has {name} in another file, or not at all; expected the array itself")
    if dataset.chunks and np.prod(dataset.chunks, dtype=float) * dataset.dtype.itemsize > LARGEST_CHUNK:
        raise InputError(f"weights {path} has {name} in pieces of {dataset.chunks}; expected at most {LARGEST_CHUNK:,} bytes each")
    return Entry(name, tuple(dataset.shape), str(dataset.dtype), lambda: np.asarray(dataset[()]))


def words(value) -> list[str]:
    """An attribute that holds names."""
    return [name.decode("utf-8", "replace") if isinstance(name, bytes) else str(name) for name in np.ravel(value)[:MOST_DATASETS]]
