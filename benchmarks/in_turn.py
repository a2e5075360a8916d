"""Timing several programs fairly: each lives in a process of its own, stays warm, and is asked in turn, A B A B.

In one process, the threads of one would wait, spinning, on the cores that the other needs; one after the other, the machine
may have changed in between. So the parent asks one, waits for its answer, pauses, and asks the next. The first computation
of a turn is not timed: it finds caches, threads and clock as another left them.

A contender is a command that answers every line on its standard input, the name of a subject, with a line of JSON. When a subject
is new: it computes twice, says by a few numbers what came out, and warms up; or says why it cannot. After that: it says what one
computation takes. That is what `serve` does. The loss of a training step knows nothing of its gradients; that of the next one does.
"""

import json
import math
import os
import re
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from xception_np.errors import InputError

PAUSE = 0.2  # seconds between turns: longer than a thread pool spins
LEAST = 0.1  # seconds of computing in a turn at least; what is shorter is repeated
AGAIN = 100  # times the tolerance for the second computation: what a step made of the rounding of the one before


class Work(NamedTuple):
    """A computation: `compute()`, and the arrays that its result stands for, in our layouts, to compare with those of others."""

    compute: Callable[[], Any]
    arrays: Callable[[Any], list[np.ndarray]]


class Result(NamedTuple):
    """What a contender took for one computation.

    median, fastest, slowest : seconds
    times_first : its time over the first contender's in the same round, median over the rounds
    peak_bytes : the largest resident memory of its process while it computes; where that cannot be asked for, since it began
    faults : pages that it had to ask the system for in one computation, median
    """

    median: float
    fastest: float
    slowest: float
    times_first: float
    peak_bytes: int
    faults: float


def serve(work_of: Callable[[str], Work]) -> None:
    """The contender's side: answer until standard input is closed."""
    answers = _standard_output()
    works: dict[str, tuple[Work, int]] = {}
    for line in sys.stdin:
        subject = line.rstrip("\n")
        if subject in works:
            answer = _timed(*works[subject])
        else:
            works.clear()  # the memory of the one before is no part of this one's
            answer = _met(subject, work_of, works)
        print(json.dumps(answer), file=answers, flush=True)


def _met(subject: str, work_of: Callable[[str], Work], works: dict[str, tuple[Work, int]]) -> dict:
    """A new subject: the numbers of two computations, or why there are none."""
    try:
        work = work_of(subject)
        answer = {"numbers": [[_numbers(array) for array in work.arrays(work.compute())] for _ in range(2)]}
    except InputError as error:
        return {"cannot": str(error)}
    works[subject] = work, _repeats(work)
    return answer


def _standard_output():
    """Standard output for answers alone: what libraries print there goes to standard error."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    return answers


def _numbers(array: np.ndarray) -> tuple[float, float]:
    """The length of an array as a vector, and of its unit vector the product with a random one."""
    flat = np.ravel(array).astype(np.float64)
    length = float(np.linalg.norm(flat))
    return length, float(flat @ np.random.default_rng(0).standard_normal(flat.size)) / (length or 1.0)


def _repeats(work: Work) -> int:
    """How often to compute in a turn, as one more computation says."""
    begin = time.perf_counter()
    work.compute()
    return math.ceil(LEAST / (time.perf_counter() - begin))


def _timed(work: Work, repeats: int) -> dict:
    work.compute()
    _forget_peak()
    faults, begin = resource.getrusage(resource.RUSAGE_SELF).ru_minflt, time.perf_counter()
    for _ in range(repeats):
        work.compute()
    seconds, after = time.perf_counter() - begin, resource.getrusage(resource.RUSAGE_SELF)
    return {"seconds": seconds / repeats, "faults": (after.ru_minflt - faults) / repeats, "peak_bytes": _peak_bytes()}


def _forget_peak() -> None:
    """On Linux: the peak of resident memory is what is resident now."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def _peak_bytes() -> int:
    try:
        found = re.search(r"VmHWM:\s*(\d+) kB", Path("/proc/self/status").read_text())
    except OSError:
        found = None
    if found:
        return 1024 * int(found[1])
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else 1024 * most


@contextmanager
def started(commands: dict[str, list[str]], **settings) -> Iterator[dict[str, subprocess.Popen]]:
    """The parent's side: a process for each command; they end with the `with` block, when their standard input is closed."""
    with ExitStack() as stack:
        yield {
            name: stack.enter_context(
                subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, **settings)
            )
            for name, command in commands.items()
        }


def ask(name: str, process: subprocess.Popen, subject: str) -> dict:
    """A contender's answer; the program ends if there is none."""
    try:
        process.stdin.write(subject + "\n")
        process.stdin.flush()
        line = process.stdout.readline()
    except BrokenPipeError:
        line = ""
    if not line:
        with suppress(BrokenPipeError):  # what it did not take is still to be written; the next to try would fail again
            process.stdin.close()
        sys.exit(f"the process of {name} ended without an answer to {subject!r}; its own message is above")
    return json.loads(line)


def meet(processes: dict[str, subprocess.Popen], subject: str, tolerance: float) -> dict[str, subprocess.Popen]:
    """Let everyone compute a subject twice, and give those who can; the program ends if the first one cannot, or results differ by
    more, relative to their size.
    """
    answers = {name: ask(name, process, subject) for name, process in processes.items()}
    for name, answer in answers.items():
        if "cannot" in answer:
            print(f"{subject}: {name} cannot compute it: {answer['cannot']}", file=sys.stderr)
    numbers = {name: answer["numbers"] for name, answer in answers.items() if "numbers" in answer}
    first = next(iter(answers))
    if first not in numbers:
        sys.exit(2)
    for which, allowed in enumerate((tolerance, AGAIN * tolerance)):
        expected = np.array(numbers[first][which])
        for name, found in numbers.items():
            if not found[which]:  # its results are not those of the subject
                continue
            scale = np.stack([np.where(expected[:, 0], expected[:, 0], 1), np.ones(len(expected))], axis=1)
            worst = np.max(np.abs(np.array(found[which]) - expected) / scale)
            if not worst <= allowed:
                what = f"{subject}: results of {name} and {first}" + ", the second time," * which
                sys.exit(f"{what} differ by {worst:.1g} of their size; expected at most {allowed:g}")
    return {name: processes[name] for name in numbers}


def measure(processes: dict[str, subprocess.Popen], subject: str, rounds: int) -> dict[str, Result]:
    """Ask everyone in turn, this many times; the first is the one to whom the others are compared."""
    answers: dict[str, list[dict]] = {name: [] for name in processes}
    for _ in range(rounds):
        for name, process in processes.items():
            time.sleep(PAUSE)
            answers[name].append(ask(name, process, subject))
    seconds = {name: [each["seconds"] for each in given] for name, given in answers.items()}
    first, *_ = seconds.values()
    return {
        name: Result(
            median=statistics.median(times),
            fastest=min(times),
            slowest=max(times),
            times_first=statistics.median(mine / theirs for mine, theirs in zip(times, first, strict=True)),
            peak_bytes=max(each["peak_bytes"] for each in answers[name]),
            faults=statistics.median(each["faults"] for each in answers[name]),
        )
        for name, times in seconds.items()
    }
