"""Helper threads that wait awake, because waking a sleeper takes longer than many a pass.

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


class Helpers:
    """Some threads that run passes together with the thread that calls `run`; one pass at a time.

    `_ticket[0]` counts the passes, and a helper writes into its own `_done[k, 0]` which one it has finished: a caller owns the pass
    from when it takes the lock until all helpers are done with it.
    """

    def __init__(self, count: int):
        from xception_np import waiting  # Numba: imported when the first helper starts, not with the package

        self._waiting = waiting
        self._core = _core_number()
        self._busy = threading.Lock()
        self._ticket = np.zeros(1, np.int64)
        self._caller_core = -1
        self._done = np.zeros((count, 8), np.int64)  # a cache line each
        self._condition = threading.Condition()
        self._asleep = 0
        waiting.announce(np.zeros(1, np.int64), np.ones(1, np.int64), 1)  # compiled now: an interrupt may find a pass under way
        waiting.until_all_are(self._done, 0)
        self._work: Callable[[], object] = _nothing
        self._errors: list[BaseException] = []
        for k in range(count):
            threading.Thread(target=self._help, args=(self._done[k],), name=f"xception_np-{k}", daemon=True).start()

    def run(self, work: Callable[[], object], begun: np.ndarray) -> bool:
        """Call `work()` on this thread and on all helpers; False, and nothing done, if another thread's pass is under way.

        When all are done, the first exception is raised, the caller's own before the helpers'.

        Parameters
        ----------
        begun : (1,) array of int64
            0 until a helper has left the interpreter for compiled code, if `work` counts there. The caller waits for that, for
            a moment: two who want the interpreter's lock at once would send one of them to sleep.
        """
        if not self._busy.acquire(blocking=False):
            return False
        try:
            self._work, self._caller_core = work, self._core()
            self._errors.clear()
            try:
                self._waiting.announce(self._ticket, begun, 0 if self._asleep else _PATIENCE)
                if self._asleep:  # one that falls asleep now has seen the new ticket, or is counted already
                    self._wake()
                work()
            finally:  # not even a KeyboardInterrupt, before or in `work`, leaves helpers behind that still write to its arrays
                if self._asleep:
                    self._wake()
                self._waiting.until_all_are(self._done, self._ticket[0])
                self._work = _nothing  # and nothing keeps its arrays from the pool of memory
            if self._errors:
                raise self._errors.pop(0)
        finally:
            self._busy.release()
        return True

    def _wake(self) -> None:
        with self._condition:
            self._condition.notify_all()

    def _help(self, done: np.ndarray) -> None:
        while True:
            if not self._waiting.changes(self._ticket, done[0], AWAKE):
                with self._condition:
                    self._asleep += 1
                    self._condition.wait_for(lambda: self._ticket[0] != done[0])
                    self._asleep -= 1
            if self._core() == self._caller_core >= 0:
                _leave(self._caller_core)
            try:
                self._work()
            except BaseException as error:
                self._errors.append(error)
            done[0] += 1


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
