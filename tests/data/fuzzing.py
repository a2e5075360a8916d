"""Damaged data files: each must be read, or refused in one sentence. Also a program:

python tests/data/fuzzing.py --count 2000 --seed 0

It prints what came of the files and how much memory they took, as JSON; an exception that is not an InputError ends it.
"""

import argparse
import dataclasses
import hashlib
import io
import json
import re
import resource
import struct
import sys
import tarfile
import tempfile
import time
import zlib
from collections import Counter
from pathlib import Path

import numpy as np
from PIL import Image

from xception_np.data import cifar, pictures
from xception_np.data.cifar_versions import CIFAR10, CIFAR100, Member
from xception_np.errors import InputError

SIZE = 24  # pixels that pictures are decoded to
PNG_SIGNATURE = 8


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


def mutated(content, generator):
    """A copy with one to three things done to it, more often near its beginning, where the headers are."""
    result = bytearray(content)
    for _ in range(generator.integers(1, 4)):
        at = int(len(result) * generator.random() ** generator.choice([1, 3]))
        length = int(generator.integers(1, 40))
        match generator.integers(0, 7):
            case 0:
                result[at : at + 1] = generator.bytes(1)
            case 1:
                result[at : at + length] = generator.bytes(length)
            case 2:
                result[at : at + length] = bytes([generator.choice([0, 255])]) * length
            case 3:
                del result[at : at + length]
            case 4:
                result[at:at] = result[:length]
            case 5:
                result[at : at + 4] = struct.pack(generator.choice([">I", "<I"]), 2 ** int(generator.integers(0, 32)) - 1)
            case 6 if generator.random() < 0.3:
                del result[at:]
    return bytes(result)


def repaired(content):
    """The chunks of a PNG file with the checksums they should have: else few mutations would get past the first one."""
    result, at = bytearray(content), PNG_SIGNATURE
    while at + 12 <= len(result):
        (length,) = struct.unpack_from(">I", result, at)
        end = at + 8 + length
        if end + 4 > len(result):
            break
        struct.pack_into(">I", result, end, zlib.crc32(result[at + 4 : end]))
        at = end + 4
    return bytes(result)


def read_archive(path, versions):
    train, test = cifar.load(path, versions)
    assert (train.images.shape[1:], len(train), len(test)) == ((32, 32, 3), 3, 2)


def read_picture(path):
    image = pictures.load_picture(path, SIZE)
    assert image.shape == (SIZE, SIZE, 3) and image.dtype == np.uint8


def run(count, seed):
    """Read `count` damaged files, half of them archives; returns what came of them."""
    generator = np.random.default_rng(seed)
    archives, images = list(cifar_files(generator)), list(picture_files(generator))
    outcomes, largest, slowest = Counter(), 0, 0.0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "damaged"
        for number in range(count):
            if number % 2:
                content, *rest = archives[number // 2 % len(archives)]
                content, read = mutated(content, generator), read_archive
            else:
                original, rest, read = images[number // 2 % len(images)], [], read_picture
                content = mutated(original, generator)
                if original.startswith(b"\x89PNG") and generator.random() < 0.8:
                    content = repaired(content)
            path.write_bytes(content)
            begin = time.perf_counter()
            try:
                read(path, *rest)
                outcomes[f"{read.__name__} succeeded"] += 1
            except InputError as error:
                assert "\n" not in str(error), error
                outcomes[f"{read.__name__} refused"] += 1
            except Exception as error:
                kept = Path(tempfile.gettempdir()) / f"fuzzing-{seed}-{number}"
                kept.write_bytes(content)
                raise AssertionError(f"file {number} of seed {seed}, kept as {kept}") from error
            largest, slowest = max(largest, len(content)), max(slowest, time.perf_counter() - begin)
    return {"outcomes": outcomes, "largest": largest, "slowest": slowest}


def peak():
    """The most memory this process had, in bytes."""
    status = Path("/proc/self/status")
    if status.exists():  # on Linux getrusage tells the parent's peak too, if that was higher
        return int(re.search(r"VmHWM:\s+(\d+) kB", status.read_text())[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    before = peak()
    print(json.dumps({**run(arguments.count, arguments.seed), "memory": peak() - before}))
