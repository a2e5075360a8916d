"""Timing several programs fairly: each lives in a process of its own, stays warm, and is asked in turn, A B A B.

In one process, the threads of one would wait, spinning, on the cores that the other needs; one after the other, the machine
may have changed in between. So the parent asks one, waits for its answer, pauses, and asks the next. The first computation
of a turn is not timed: it finds caches, threads and clock as another left them.

A contender is a command that prints a line of JSON when it is ready and then, for every line on its standard input, one with
`seconds` and `peak_bytes`: what `serve` does.
"""

import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import NamedTuple

PAUSE = 0.2  # seconds between turns: longer than a thread pool spins
WARM_UP = 2  # computations before the first turn


class Result(NamedTuple):
    """What a contender took for one computation.

    median, fastest, slowest : seconds
    times_first : its time over the first contender's in the same round, median over the rounds
    peak_bytes : the largest resident memory of its process, start and compilation included
    """

    median: float
    fastest: float
    slowest: float
    times_first: float
    peak_bytes: int


def serve(compute: Callable[[], object], hello: dict) -> None:
    """The contender's side: say hello, then compute twice for every line and answer with the time of the second."""
    for _ in range(WARM_UP):
        compute()
    print(json.dumps(hello), flush=True)
    for _ in sys.stdin:
        compute()
        begin = time.perf_counter()
        compute()
        print(json.dumps({"seconds": time.perf_counter() - begin, "peak_bytes": _peak_bytes()}), flush=True)


@contextmanager
def started(commands: dict[str, list[str]]) -> Iterator[dict[str, subprocess.Popen]]:
    """The parent's side: a process for each command; they end with the `with` block, when their standard input is closed."""
    with ExitStack() as stack:
        yield {
            name: stack.enter_context(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
            for name, command in commands.items()
        }


def answer(name: str, process: subprocess.Popen) -> dict:
    """The next line of a contender: its hello, or a time."""
    line = process.stdout.readline()
    if not line:
        sys.exit(f"the process of {name} ended without an answer; its own message is above")
    return json.loads(line)


def measure(processes: dict[str, subprocess.Popen], rounds: int) -> dict[str, Result]:
    """Ask everyone in turn, this many times; the first is the one to whom the others are compared."""
    answers: dict[str, list[dict]] = {name: [] for name in processes}
    for _ in range(rounds):
        for name, process in processes.items():
            time.sleep(PAUSE)
            process.stdin.write("\n")
            process.stdin.flush()
            answers[name].append(answer(name, process))
    seconds = {name: [each["seconds"] for each in given] for name, given in answers.items()}
    first = next(iter(seconds.values()))
    return {
        name: Result(
            median=statistics.median(times),
            fastest=min(times),
            slowest=max(times),
            times_first=statistics.median(mine / theirs for mine, theirs in zip(times, first, strict=True)),
            peak_bytes=answers[name][-1]["peak_bytes"],
        )
        for name, times in seconds.items()
    }


def _peak_bytes() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
