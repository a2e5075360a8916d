"""Damaged files: each must be read, or refused in one sentence. A program:

python tests/fuzzing/fuzzing.py --count 2000 --seed 0

A quarter of the files are archives, a quarter pictures, a quarter a run's, a quarter weights of other programs. It prints what came
of them and how much memory they took, as JSON; an exception that is not an InputError ends it.
"""

import argparse
import json
import tempfile
import time
from collections import Counter
from pathlib import Path

import data_files
import numpy as np
import run_files
import weight_files
from mutations_of_bytes import damaged, peak

from xception_np.errors import InputError


def kinds(generator, folder):
    """By kind: the files there are, as triples of a path, the whole content, and what reads it."""
    run = folder / "runs" / "run"
    run_files.make(run)
    readers = run_files.files(run)
    return {
        "archive": [(folder / "archive", *pair) for pair in data_files.archives(generator)],
        "picture": [(folder / "picture", *pair) for pair in data_files.images(generator)],
        "weights": [(folder / name, content, read) for name, content, read in weight_files.files()],
        "run": [(run / name, (run / name).read_bytes(), read) for name, read in readers.items()],
    }


def run(count, seed):
    """Read `count` damaged files; returns what came of them."""
    generator = np.random.default_rng(seed)
    outcomes, largest, slowest = Counter(), 0, 0.0
    with tempfile.TemporaryDirectory() as place:
        files = kinds(generator, Path(place))
        for path, whole, read in (file for group in files.values() for file in group):  # first undamaged, as a check of the readers
            path.write_bytes(whole)
            try_to(read, path)
            path.write_bytes(whole)
        before = peak()
        for number in range(count):
            kind = list(files)[number % len(files)]
            path, whole, read = files[kind][number // len(files) % len(files[kind])]
            content = damaged(path, whole, generator)
            path.write_bytes(content)
            begin = time.process_time()
            try:
                read(path)
                outcomes[f"{kind} read"] += 1
            except InputError as error:
                assert "\n" not in str(error), error
                outcomes[f"{kind} refused"] += 1
            except Exception as error:
                kept = Path(tempfile.gettempdir()) / f"fuzzing-{seed}-{number}-{path.name}"
                kept.write_bytes(content)
                raise AssertionError(f"file {number} of seed {seed}, kept as {kept}") from error
            largest, slowest = max(largest, len(content)), max(slowest, time.process_time() - begin)
            path.write_bytes(whole)
        memory = peak() - before
    return {"outcomes": outcomes, "largest": largest, "slowest": slowest, "memory": memory}


def try_to(read, path):
    """Read a whole file: what is read as another version of CIFAR than it is may be refused."""
    try:
        read(path)
    except InputError as error:
        assert path.name == "archive", error


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    print(json.dumps(run(arguments.count, arguments.seed)))
