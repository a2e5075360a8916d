"""Helper threads that spin (wait awake), because waking a sleeper takes longer than many a pass.

A training step runs a few hundred passes of a fraction of a millisecond each. A thread that sleeps between them has to be woken by
the operating system, some 50 to 100 microseconds each time, and perhaps on the core of the one who woke it. So a helper looks for
its next pass in a compiled loop that does not hold the interpreter's lock, and goes to sleep only after a millisecond or two.
"""

import os
import threading
from collections.abc import Callable
from contextlib import suppress

import numpy as np

AWAKE = 2_000_000  # looks before a helper falls asleep, of about a nanosecond each
_PATIENCE = 100_000  # looks for a sign that the helpers have begun, before the caller begins
_NAP = 1.0  # seconds that a helper sleeps at a time: an interrupt may come between a caller and who it was about to wake


class Helpers:
    """Some threads that run passes together with the thread that calls `run`; one pass at a time.

    `_ticket[0]` counts the passes, the first `_most[0]` helpers take part in this one, and each writes into its own `_done[k, 0]`
    which one it has finished: a caller owns the pass from when it takes the lock until these are done with it. The others stay in
    their loop: where a pass has few tiles, many who ask for the interpreter's lock would only be in each other's way.
    """

    def __init__(self, count: int):
        from xception_np import waiting  # Numba: imported when the first helper starts, not with the package

        self._waiting = waiting
        self._core = _core_number()
        self._busy = threading.Lock()
        self._ticket = np.zeros(1, np.int64)
        self._caller_core = -1
        self._most = np.zeros(1, np.int64)
        self._done = np.zeros((count, 8), np.int64)  # a cache line each
        self._condition = threading.Condition()
        self._asleep = [False] * count
        one = np.ones(1, np.int64)
        waiting.announce(one, self._most, 0, one, 1)  # compiled now: an interrupt may find a pass under way
        waiting.until_all_are(self._done, 0)
        waiting.finish(self._done[0], self._ticket[0] - 1)
        self._work: Callable[[], object] = _nothing
        self._errors: list[BaseException] = []
        for k in range(count):
            threading.Thread(target=self._help, args=(k, self._done[k]), name=f"xception_np-{k}", daemon=True).start()

    def run(self, work: Callable[[], object], begun: np.ndarray, most: int) -> bool:
        """Call `work()` on this thread and on helpers; False, and nothing done, if another thread's pass is under way.

        When all are done, the first exception is raised, the caller's own before the helpers'.

        Parameters
        ----------
        begun : (1,) array of int64
            0 until a helper has left the interpreter for compiled code, if `work` counts there. The caller waits for that, for
            a moment: two who want the interpreter's lock at once would send one of them to sleep.
        most : int
            Helpers that there is work for.
        """
        if not self._busy.acquire(blocking=False):
            return False
        try:
            self._work, self._caller_core = work, self._core()
            self._errors.clear()
            done = self._done[:most]
            try:
                looks = 0 if any(self._asleep[:most]) else _PATIENCE
                self._waiting.announce(self._ticket, self._most, len(done), begun, looks)
                if any(self._asleep[:most]):  # one that falls asleep now has seen the new ticket, or has said so
                    self._wake()
                work()
            finally:  # not even a KeyboardInterrupt, before or in `work`, leaves helpers behind that still write to its arrays
                self._waiting.until_all_are(done, self._ticket[0])
                self._work = _nothing  # and nothing keeps its arrays from the pool of memory
            if self._errors:
                raise self._errors.pop(0)
        finally:
            self._busy.release()
        return True

    def _wake(self) -> None:
        with self._condition:
            self._condition.notify_all()

    def _help(self, k: int, done: np.ndarray) -> None:
        looks = AWAKE
        while True:
            if not self._waiting.is_wanted(self._ticket, self._most, done, k, looks) and not self._sleep(k, done):
                looks = 1  # between two naps
                continue
            looks = AWAKE
            ticket = self._ticket[0]
            try:
                if self._core() == self._caller_core >= 0:
                    _leave(self._caller_core)
                self._work()
            except BaseException as error:
                self._errors.append(error)
            self._waiting.finish(done, ticket)

    def _sleep(self, k: int, done: np.ndarray) -> bool:
        """Wait until a pass wants the k-th helper; False if none does for a while."""
        with self._condition:
            self._asleep[k] = True
            wanted = self._condition.wait_for(lambda: self._ticket[0] != done[0] and k < self._most[0], _NAP)
            self._asleep[k] = False
        return wanted


def _nothing() -> None:
    """The work of a helper between passes."""


def _leave(core: int) -> None:
    """Move this thread to another core: the operating system would take its time, and two who never sleep share one until then."""
    if hasattr(os, "sched_setaffinity"):
        cores = os.sched_getaffinity(0)
        if len(cores) > 1:
            with suppress(OSError):  # the system may have taken cores away since: then it decides
                os.sched_setaffinity(0, cores - {core})
                os.sched_setaffinity(0, cores)


def _core_number() -> Callable[[], int]:
    """A function that says on which core it runs; -1 where the system does not tell (macOS)."""
    import ctypes

    try:
        return ctypes.PyDLL(None).sched_getcpu
    except AttributeError:
        return lambda: -1
