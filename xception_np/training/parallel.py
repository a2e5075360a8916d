"""Many processes train one network: each takes its share of every batch, and all take the same step.

    gradient = sum over the processes of (share of the batch) * (gradient of the share's mean loss)

is the gradient of the whole batch's mean loss, so that n processes do what one would, as in the paper's synchronous ImageNet runs
(section 4.4: 60 GPUs). Two things are each process's own, as there: batch normalisation normalises a share by the share's
statistics, and dropout draws for a share. The moving statistics are averaged over the processes with the gradients.

One message a step carries it all, added up over the processes by one allreduce:

    share * (gradients, moving statistics, loss, accuracy), seconds of the first process, stop, checksum

Parameters change only after it has come back, and to the same bits everywhere: a process that waits for it in vain has the whole
state of the last step that all took.

`start` gives `Ranks` if an mpiexec started this process, and `Alone`, its twin for one process, otherwise:

    with parallel.together() as processes:
        Trainer(model, train, settings, folder, processes=processes).run()
"""

import hashlib
import math
import os
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple, TypeVar

import numpy as np

from xception_np import arrays, launcher, threads
from xception_np.errors import InputError, SharedError
from xception_np.layers import Buffers

T = TypeVar("T")

PATIENCE = 3600.0  # seconds to wait for the others, of which the first may be saving
FIRST_GRACE = 60.0  # seconds to wait on after a signal before any step was timed: the others may be compiling
BRISK = 0.05  # seconds of waiting in which the core is only lent; afterwards it is left
NAP = 0.001  # seconds between two looks then
CHECK_STEPS = 50  # steps between two comparisons of parameters
CHECK_BITS = 12  # of a checksum: its sum over thousands of processes is exact in float32
WORDS = 1000  # bytes of a sentence that goes to the others


class Lost(SharedError):
    """The other processes do not answer; parameters and moving statistics are those of the last step that all took."""


class Sum(NamedTuple):
    """What a step was, over all processes.

    loss, accuracy : of the whole batch
    seconds : that the run has taken, by the clock of the first process
    stop : whether a process was asked to stop
    waited : seconds that this process waited for the others and for the sum; 0 if it is alone
    """

    loss: float
    accuracy: float
    seconds: float
    stop: bool
    waited: float


class Alone:
    """One process: nothing to add up, nobody to wait for."""

    rank, count, first = 0, 1, True

    @property
    def threads(self) -> int:
        """How many threads this process should compute with."""
        return threads.count()

    def begin(self, buffers: Buffers, seconds: Callable[[], float], interrupted: Callable[[], bool], moves: bool = True) -> None:
        """Before the first `add_up`: where the model lies, what the time is, who knows of a signal, whether its statistics move."""
        self._seconds, self._interrupted = seconds, interrupted

    def add_up(self, buffers: Buffers, loss: float, accuracy: float, share: float) -> Sum:
        """Gradients, moving statistics, loss and accuracy of the whole batch, given those of this process's share of it."""
        return Sum(loss, accuracy, self._seconds(), self._interrupted(), 0.0)

    def all(self, function: Callable[[], T]) -> T:
        """Call a function in every process; what goes wrong in one of them is raised in all."""
        return function()

    def require_same(self, facts: Mapping[str, Any]) -> None:
        """Refuse to go on if the processes were started differently."""

    def words(self, sentence: str) -> list[str]:
        """A sentence from every process, in their order."""
        return [sentence]

    def meet(self) -> None:
        """Wait until all processes are here, however long the first one measures or saves before."""

    def leave(self) -> None:
        """Part in order, after the last message."""


class Ranks:
    """One process among those that an mpiexec started.

    Every wait looks about: a signal, a process that is gone or a silence that is too long end it with `Lost`; that of `meet` only
    ends so if MPI says that a process is gone.

    Parameters
    ----------
    mpi : module
        `mpi4py.MPI`.

    Attributes
    ----------
    rank, count : int
        Place of this process, from 0, and how many there are.
    first : bool
        Whether it is the one that writes files and speaks.
    threads : int
        Its share of the machine's cores, or as many as XCEPTION_NP_THREADS says.
    """

    def __init__(self, mpi):
        self._mpi, self._comm = mpi, mpi.COMM_WORLD
        self.rank, self.count = self._comm.Get_rank(), self._comm.Get_size()
        self.first = self.rank == 0
        cores = self._cores()  # all have to ask, whatever each was told
        self.threads = threads.count() if "XCEPTION_NP_THREADS" in os.environ else cores
        self._interrupted: Callable[[], bool] = lambda: False
        self._grace = FIRST_GRACE

    def begin(self, buffers: Buffers, seconds: Callable[[], float], interrupted: Callable[[], bool], moves: bool = True) -> None:
        """As `Alone.begin`."""
        self._seconds, self._interrupted, self._moves = seconds, interrupted, moves
        self._moving = np.array(arrays.to_host(buffers.moving))  # as all have it: a forward pass moves this process's
        self._message = np.empty(buffers.gradients.size + buffers.moving.size + 5, buffers.gradients.dtype)
        self._sums, self._last = 0, time.perf_counter()

    def add_up(self, buffers: Buffers, loss: float, accuracy: float, share: float) -> Sum:
        """As `Alone.add_up`.

        Raises
        ------
        Lost
            If a process does not answer.
        InputError
            If another process has other parameters.
        """
        start = time.perf_counter()
        values, gradients, moving = buffers
        end = gradients.size + moving.size
        gradient_part, moving_part, numbers = np.split(self._message, [gradients.size, end])
        checksum = zlib.crc32(arrays.to_host(values).data) % 2**CHECK_BITS if self._sums % CHECK_STEPS == 0 else 0
        np.multiply(arrays.to_host(gradients), share, out=gradient_part)
        np.multiply(arrays.to_host(moving), share, out=moving_part)
        numbers[:] = share * loss, share * accuracy, self._seconds() if self.first else 0, self._interrupted(), checksum
        try:
            self._wait(self._comm.Iallreduce(self._mpi.IN_PLACE, self._message))
        except BaseException:
            arrays.write(moving, self._moving)
            raise
        arrays.write(gradients, gradient_part)
        for array in (moving, self._moving) if self._moves else ():  # a sum of shares of what stays would be rounded
            arrays.write(array, moving_part)
        loss, accuracy, seconds, stop, checksums = map(float, numbers)
        if checksums != self.count * checksum:
            raise InputError(f"process {self.rank} has other parameters than the rest, which must not be; the run was stopped")
        now = time.perf_counter()
        self._grace = 1 + 2 * (now - self._last)  # a process that lives is here within a step
        self._sums, self._last = self._sums + 1, now
        return Sum(loss, min(accuracy, 1.0), seconds, stop > 0, now - start)  # shares of 1 may add up to a little more

    def all(self, function: Callable[[], T]) -> T:
        """As `Alone.all`."""
        problem, cause = "", None
        try:
            result = function()
        except (InputError, OSError, MemoryError) as error:
            problem, cause = str(error) or "out of memory", error
        problems = self.words(problem)
        if any(problems):
            rank = next(rank for rank, found in enumerate(problems) if found)
            whose = "" if len(set(problems)) == 1 else f"process {rank} of {self.count}: "
            raise SharedError(whose + problems[rank]) from cause
        return result

    def require_same(self, facts: Mapping[str, Any]) -> None:
        """As `Alone.require_same`; the facts' names are the same in all processes."""
        mine = np.frombuffer(b"".join(hashlib.sha256(repr(fact).encode()).digest() for fact in facts.values()), np.uint8)
        found = self._gather(mine).reshape(self.count, len(facts), -1)
        differing = (found != found[0]).any(axis=2)
        if differing.any():
            rank, fact = np.argwhere(differing)[0]
            raise SharedError(
                f"{list(facts)[fact]} differs between process 0 and process {rank}; "
                "expected all processes to be started with the same options and data"
            )

    def words(self, sentence: str) -> list[str]:
        """As `Alone.words`; cut off where they are too long."""
        mine = np.frombuffer(sentence.encode(errors="backslashreplace")[:WORDS].ljust(WORDS, b"\0"), np.uint8)
        return [row.tobytes().rstrip(b"\0").decode(errors="ignore") for row in self._gather(mine)]

    def meet(self) -> None:
        """As `Alone.meet`."""
        self._wait(self._comm.Ibarrier(), math.inf)

    def leave(self) -> None:
        """As `Alone.leave`."""
        self.meet()
        self._mpi.Finalize()

    def _gather(self, mine: np.ndarray) -> np.ndarray:
        found = np.empty((self.count, mine.size), np.uint8)
        self._wait(self._comm.Iallgather(mine, found))
        return found

    def _wait(self, request, patience: float = PATIENCE) -> None:
        begin = time.perf_counter()
        until, asked = begin + patience, False
        try:
            while not request.Test():
                now = time.perf_counter()
                if not asked and until < math.inf and self._interrupted():  # without an end, it is the first who is at work
                    asked, until = True, min(until, now + self._grace)
                if now > until:
                    raise Lost(f"the other processes did not answer for {now - begin:.0f} seconds; one of them is lost")
                if now - begin < BRISK:
                    os.sched_yield()
                else:
                    time.sleep(NAP)
        except self._mpi.Exception as error:
            raise Lost(f"the other processes do not answer ({error.Get_error_string()})") from error

    def _cores(self) -> int:
        """A share of the cores that this process may use: those on its machine that may use the same ones have the others."""
        mine = np.zeros(4096, np.uint8)
        mine[list(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else range(os.cpu_count() or 1)] = 1
        here = self._comm.Split_type(self._mpi.COMM_TYPE_SHARED)
        found = np.empty((here.Get_size(), mine.size), np.uint8)
        here.Allgather(mine, found)
        return max(1, int(mine.sum()) // int((found == mine).all(axis=1).sum()))


Processes = Alone | Ranks


def start() -> Processes:
    """The processes of this run.

    Raises
    ------
    SharedError
        If an mpiexec started several, and mpi4py is missing, or its MPI is another one than the mpiexec's.
    """
    if not launcher.launched() or launcher.size() == 1:
        return Alone()
    try:
        import mpi4py

        mpi4py.rc.finalize = False  # it waits for all: a process that leaves because another one is lost would not end
        from mpi4py import MPI
    except (ImportError, RuntimeError) as error:  # the latter where there is no MPI to load
        raise SharedError(
            f"an mpiexec started this process, but there is no MPI for Python ({error}); "
            "install it with: pip install 'xception-np[mpi]'"
        ) from error
    ranks = Ranks(MPI)
    if launcher.size() not in (None, ranks.count):
        library = MPI.Get_library_version().split("\n")[0].strip("\0 ")
        raise SharedError(
            f"mpiexec started {launcher.size()} processes, but mpi4py sees {ranks.count}: its MPI is another one ({library}); "
            "expected the mpiexec that belongs to it"
        )
    return ranks


@contextmanager
def together() -> Iterator[Processes]:
    """The processes of this run, each with its share of the machine's cores inside the `with` block.

    They part in order, also after an error that they share. After any other they are not waited for: some may be gone.
    """
    processes = start()
    try:
        with threads.use(processes.threads):
            yield processes
    except Lost:
        raise
    except SharedError:
        processes.leave()
        raise
    processes.leave()
