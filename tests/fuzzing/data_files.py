"""Data sets as files, whole: CIFAR's archives and pictures, with what reads them."""

import dataclasses
import hashlib
import io
import tarfile
from functools import partial

import numpy as np
from PIL import Image

from xception_np.data import cifar, pictures
from xception_np.data.cifar_versions import CIFAR10, CIFAR100, Member

SIZE = 24  # pixels that pictures are decoded to


def archive(mode, folder, files):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as tar:
        for name, content in files.items():
            info = tarfile.TarInfo(f"{folder}/{name}")
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def records(generator, count, *labels):
    return b"".join(bytes(generator.integers(0, limit) for limit in labels) + generator.bytes(3072) for _ in range(count))


def cifar_files(generator):
    """Archives in every compression, each with the versions it is read as; and the same without checksums, to get further."""
    ten = {"data_batch_1.bin": records(generator, 3, 10), "test_batch.bin": records(generator, 2, 10)}
    hundred = {"train.bin": records(generator, 3, 20, 100), "test.bin": records(generator, 2, 20, 100)}
    checked = {name: Member(len(content) // 3073, hashlib.sha1(content).hexdigest()) for name, content in ten.items()}
    unchecked = {name: Member(member.records) for name, member in checked.items()}
    fine = dataclasses.replace(CIFAR100, members={"train.bin": Member(3), "test.bin": Member(2)})
    for mode in ("w", "w:gz", "w:bz2", "w:xz"):
        for members in (checked, unchecked):
            versions = [dataclasses.replace(CIFAR10, members=members), fine]
            yield archive(mode, CIFAR10.folder, ten), versions
        yield archive(mode, CIFAR100.folder, hundred), [CIFAR10, fine]


def picture_files(generator):
    """A picture in every format and in many of its kinds."""
    noise = Image.fromarray(generator.integers(0, 256, (5, 6, 3), np.uint8)).resize((60, 50), Image.Resampling.BICUBIC)
    clear = noise.convert("RGBA")
    clear.putalpha(100)
    exif = noise.getexif()
    exif[0x0112] = 6
    for kind, picture, options in [
        ("JPEG", noise, {"exif": exif}),
        ("JPEG", noise.resize((300, 200)), {"progressive": True}),
        ("JPEG", noise.convert("CMYK"), {}),
        ("JPEG", noise.convert("L"), {}),
        ("PNG", noise, {"exif": exif}),
        ("PNG", noise.convert("P"), {"transparency": 3}),
        ("PNG", Image.fromarray(generator.integers(0, 2**16, (20, 30), np.uint16)), {}),
        ("PNG", clear, {}),
        ("GIF", noise, {"save_all": True, "append_images": [noise.rotate(90)]}),
        ("BMP", noise, {}),
        ("WEBP", clear, {"lossless": True}),
        ("WEBP", noise, {}),
    ]:
        buffer = io.BytesIO()
        picture.save(buffer, kind, **options)
        yield buffer.getvalue()


def read_archive(versions, path):
    train, test = cifar.load(path, versions)
    assert (train.images.shape[1:], len(train), len(test)) == ((32, 32, 3), 3, 2)


def read_picture(path):
    image = pictures.load_picture(path, SIZE)
    assert image.shape == (SIZE, SIZE, 3) and image.dtype == np.uint8


def archives(generator):
    """Pairs of a content and a function that reads it."""
    return [(content, partial(read_archive, versions)) for content, versions in cifar_files(generator)]


def images(generator):
    """The same for pictures."""
    return [(content, read_picture) for content in picture_files(generator)]
