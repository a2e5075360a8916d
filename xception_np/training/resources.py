"""What a run costs besides its arithmetic: memory, and time spent waiting for pictures."""

import os
import resource
import sys
import time
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TypeVar

from xception_np.training.history import Progress

_STATM = Path("/proc/self/statm")
Item = TypeVar("Item")


def memory() -> int:
    """Bytes of this process that are in memory now; where the system does not tell (macOS), the most there were so far."""
    if _STATM.exists():
        return int(_STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def timed(items: Iterator[Item]) -> Iterator[tuple[Item, float]]:
    """Each item, and the seconds that were spent waiting for it."""
    begin = time.perf_counter()
    for item in items:
        yield item, time.perf_counter() - begin
        begin = time.perf_counter()


def share_waited(history: Sequence[Progress]) -> float:
    """The part of a run's time, 0 to 1, in which the network waited for the loader."""
    return sum(line.waited for line in history) / history[-1].seconds


def share_summed(history: Sequence[Progress]) -> float:
    """The part of the time of its steps with others, 0 to 1, in which the first of many processes waited for them and the sum."""
    # a step's seconds are those before it waits, so its wait lies between them and the next one's
    together = [(earlier.allreduce, later.seconds - earlier.seconds) for earlier, later in pairwise(history) if earlier.allreduce]
    waited, taken = map(sum, zip(*together, strict=True)) if together else (0.0, 0.0)
    return waited / taken if taken else 0.0


def most_memory(history: Sequence[Progress]) -> int:
    """The most bytes that a run had in memory after any of its steps."""
    return max(line.memory for line in history)
