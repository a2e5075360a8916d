"""Damage to HDF5 files that leaves them HDF5 files: names, shapes, types and numbers that are wrong."""

import io

import h5py
import numpy as np


def changed(content, generator):
    """A copy with one array, or its place, changed."""
    buffer = io.BytesIO(content)
    with h5py.File(buffer, "r+") as file:
        places = []
        file.visititems(lambda place, item: places.append(place) if isinstance(item, h5py.Dataset) else None)
        place, other = generator.choice(places, 2)
        value = file[place][()]
        match generator.integers(0, 9):
            case 0:
                del file[place]
            case 1:  # two arrays under each other's names
                file.move(place, "aside")
                if other != place:
                    file.move(other, place)
                file.move("aside", other)
            case 2:
                _replace(file, place, value[..., :-1])
            case 3:
                _replace(file, place, value[None])
            case 4:
                kind = (np.int32, np.float16, np.complex64, "S4", bool)[generator.integers(0, 5)]
                _replace(file, place, np.ones(value.shape, kind))
            case 5:
                odd = (np.nan, np.inf, -np.inf, 1e38, 1e300)[generator.integers(0, 5)]
                _replace(file, place, np.full(value.shape, odd))
            case 6:
                side = 10 ** int(generator.integers(2, 8))
                del file[place]
                file.create_dataset(place, (side, side), np.float32, chunks=(100, 100))
            case 7:
                del file[place]
                file[place] = (h5py.SoftLink(f"/{other}"), h5py.ExternalLink("/etc/passwd", "/"))[generator.integers(0, 2)]
            case 8:
                group = place.rpartition("/")[0] or "/"
                file.move(group, f"{group}x") if group != "/" else file.move(place, f"{place}x")
    return buffer.getvalue()


def _replace(file, place, value):
    del file[place]
    file[place] = value
