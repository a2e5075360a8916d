"""Timing several programs fairly: each lives in a process of its own, stays warm, and is asked in turn, A B A B.

Side by side in one process, the threads of one would wait spinning on the cores of the other; one after the other, the machine
may have changed in between. So the parent asks one, waits until it answers, pauses, and asks the next. The first computation
of a turn is not timed: it finds caches, threads and clock as the other left them.

A contender is a command that answers on standard output with one line of JSON to begin with, {"loss": ..., ...}, and then, for every
line on its standard input, with {"seconds": ..., "peak_bytes": ...}: what `serve` does.
"""

import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import NamedTuple

PAUSE = 0.2  # seconds between turns: longer than a thread pool spins
WARM_UP = 2


class Result(NamedTuple):
    """What a contender took for one computation.

    median, fastest, slowest : seconds
    times_first : median over the rounds of its time over the first contender's in the same round
    peak_bytes : the largest resident memory of its process, start and compilation included
    """

    median: float
    fastest: float
    slowest: float
    times_first: float
    peak_bytes: int


def serve(compute: Callable[[], object], hello: dict) -> None:
    """The contender's side: introduce itself, then compute twice for every line and answer with the second one's time."""
    for _ in range(WARM_UP):
        compute()
    print(json.dumps(hello), flush=True)
    for _ in sys.stdin:
        compute()
        begin = time.perf_counter()
        compute()
        print(json.dumps({"seconds": time.perf_counter() - begin, "peak_bytes": _peak_bytes()}), flush=True)


class Contenders:
    """The parent's side: the processes of some commands by name, to be used in a `with` block.

    Attributes
    ----------
    hello : dict
        What each said to begin with.
    """

    def __init__(self, commands: dict[str, list[str]]):
        self._commands = commands
        self._stack = ExitStack()
        self._processes: dict[str, subprocess.Popen] = {}
        self.hello: dict[str, dict] = {}

    def __enter__(self):
        for name, command in self._commands.items():
            process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            self._processes[name] = self._stack.enter_context(process)
            self.hello[name] = self._answer(name)
        return self

    def __exit__(self, *problem):
        """End the processes: a closed standard input is the end of their loop."""
        self._stack.__exit__(*problem)

    def measure(self, rounds: int) -> dict[str, Result]:
        """Ask everyone in turn, this many times."""
        answers: dict[str, list[dict]] = {name: [] for name in self._processes}
        for _ in range(rounds):
            for name, process in self._processes.items():
                time.sleep(PAUSE)
                process.stdin.write("\n")
                process.stdin.flush()
                answers[name].append(self._answer(name))
        seconds = {name: [answer["seconds"] for answer in given] for name, given in answers.items()}
        first = next(iter(seconds.values()))
        return {
            name: Result(
                median=statistics.median(values),
                fastest=min(values),
                slowest=max(values),
                times_first=statistics.median(mine / theirs for mine, theirs in zip(values, first, strict=True)),
                peak_bytes=answers[name][-1]["peak_bytes"],
            )
            for name, values in seconds.items()
        }

    def _answer(self, name: str) -> dict:
        line = self._processes[name].stdout.readline()
        if not line:
            raise RuntimeError(f"the process of {name!r} ended without an answer; its message is above")
        return json.loads(line)


def _peak_bytes() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
