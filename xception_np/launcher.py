"""What an `mpiexec` tells the processes that it starts, and a guard that outlives its haste.

A process knows by its environment that it is one of many:

    PMI_RANK, PMI_SIZE                             MPICH, Intel MPI, Slurm's srun
    OMPI_COMM_WORLD_RANK, OMPI_COMM_WORLD_SIZE     Open MPI
    PMIX_RANK                                      other launchers that speak PMIx; the size is known to MPI only

Without one of these it is alone, whatever MPI there may be, and none is loaded.

When one of its processes dies, MPICH's launcher sends SIGKILL to all others at once, and Open MPI's after a quarter of a second:
no time to write a checkpoint. So the process that the launcher knows does no more than wait for a child in a session of its own,
which computes: `stand_guard`. What the launcher kills is the guard, and the child, which sees that it is gone, ends in order.
"""

import os
import signal
import sys
import threading
import time
from contextlib import suppress

_RANKS = ("PMI_RANK", "OMPI_COMM_WORLD_RANK", "PMIX_RANK")
_SIZES = ("PMI_SIZE", "OMPI_COMM_WORLD_SIZE")
_SIGNALS = (signal.SIGINT, signal.SIGTERM)
NOTICE_SECONDS = 1.0  # for a launcher to see that a line is cut
LAST_SECONDS = 120.0  # that a process may take to save after its guard was killed


def launched() -> bool:
    """Whether an mpiexec started this process, which may be the only one."""
    return _number(_RANKS) is not None


def rank() -> int:
    """The place of this process among all that were started with it, from 0; 0 if it is alone."""
    return _number(_RANKS) or 0


def size() -> int | None:
    """How many processes were started; None where the launcher does not say."""
    return _number(_SIZES)


def _number(names: tuple[str, ...]) -> int | None:
    """The first of these variables that a launcher set: to a number of a few digits."""
    said = (os.environ.get(name, "") for name in names)
    return next((int(text) for text in said if text.isdecimal() and len(text) < 10), None)


def stand_guard() -> None:
    """Go on in a child process, in a session of its own; this one waits for it, and never returns.

    To be called before there are threads, for a child has only the one that forks.

        launcher --- SIGINT, SIGTERM ---> guard --- a byte in a pipe ---> child: the same signal
        launcher --- SIGKILL -----------> guard     the pipe's end -----> child: SIGTERM, unless it had a signal before

    The child's exit status is the guard's. If a signal ended the child, the guard says so: nobody else can.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.setsid()
        os.close(writing)
        threading.Thread(target=_relay, args=(reading,), name="xception_np-guard", daemon=True).start()
        return
    os.close(reading)
    for number in _SIGNALS:
        signal.signal(number, lambda received, frame: _tell(writing, received))
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status < 0:
        print(
            f"xception-np: process {rank()} was ended by {signal.Signals(-status).name}, and the run with it; "
            "go on with `xception-np train --resume` and its folder, with any number of processes",
            file=sys.stderr,
            flush=True,
        )
        status = 128 - status
    if status:
        _hang_up()
    os._exit(status)


def _hang_up() -> None:
    """Let MPICH's launcher see that this process's line to it is cut before it can see that the process is gone.

    It looks for both. The former ends the run; if it comes upon the latter first, it waits for the other processes, and these wait
    for this one.
    """
    with suppress(KeyError, ValueError, OSError):  # another launcher has no such line
        os.close(int(os.environ["PMI_FD"]))
        time.sleep(NOTICE_SECONDS)


def _tell(writing: int, number: int) -> None:
    with suppress(BrokenPipeError):  # the child has just ended
        os.write(writing, bytes([number]))


def _relay(reading: int) -> None:
    """Turn what the guard writes, or its end, into signals; end a process that does not end by itself."""
    main, told = threading.main_thread().ident or 0, False
    while number := os.read(reading, 1):
        signal.pthread_kill(main, number[0])
        told = True
    if not told:
        signal.pthread_kill(main, signal.SIGTERM)
    time.sleep(LAST_SECONDS)
    os._exit(1)
