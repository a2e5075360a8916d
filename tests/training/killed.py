"""A run that is killed at a given moment, or goes on from there; a program for test_kills.py.

python tests/training/killed.py FOLDER never
python tests/training/killed.py FOLDER step 7 0.25        in the 8th step of this start, after a quarter of its time
python tests/training/killed.py FOLDER write 12           at the 12th thing that this start does to a file for it to last

The process kills itself: to the kernel that is a kill like any other, but it comes where it should on a machine of any speed.
"""

import os
import signal
import sys
import threading
import time
from pathlib import Path

from small_runs import trainer

SETTINGS = {
    "epochs": 50,  # of 4 steps
    "batch": 11,
    "validation": 2,
    "save_steps": 3,  # does not divide an epoch
    "nesterov": True,
    "weight_decay": 1e-3,
    "averaging": 0.9,
    "clip": 1.0,
}


def start(folder, watch=lambda progress: None):
    run = trainer(folder, **SETTINGS)
    if (run.folder / "state.safetensors").exists():
        run.restore()
    run.run(watch)


def die(*ignored):
    os.kill(os.getpid(), signal.SIGKILL)


def in_a_step(count, fraction):
    """A function to call after every step, which has the process killed during the step after this many."""
    times = [time.perf_counter()]

    def watch(progress):
        times.append(time.perf_counter())
        if len(times) > count:
            threading.Timer(fraction * (times[-1] - times[-2]), die).start()

    return watch


def in_a_write(count):
    """Has the process killed in the midst of the count-th of: writing a file, having it written to the disk, renaming it."""
    done = 0

    def replaced(function, half):
        def act(*arguments, **options):
            nonlocal done
            done += 1
            if done == count:
                half(*arguments, **options)
                die()
            return function(*arguments, **options)

        return act

    def write_half(path, content):
        with open(path, "wb") as file:
            file.write(content[: len(content) // 2])

    os.fsync = replaced(os.fsync, lambda *arguments: None)
    Path.replace = replaced(Path.replace, Path.replace)
    Path.write_bytes = replaced(Path.write_bytes, write_half)


if __name__ == "__main__":
    match sys.argv[1:]:
        case [folder, "never"]:
            start(folder)
        case [folder, "step", count, fraction]:
            start(folder, in_a_step(int(count), float(fraction)))
        case [folder, "write", count]:
            in_a_write(int(count))
            start(folder)
