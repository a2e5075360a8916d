"""The guard: what a launcher does to it, its child survives and learns."""

import os
import signal
import socket
import subprocess
import sys

import pytest

from xception_np import launcher

CHILD = """
import os, signal, sys
from xception_np import launcher
launcher.stand_guard()
signal.signal(signal.SIGTERM, signal.default_int_handler)
try:
    print("ready", os.getppid(), os.getpid(), flush=True)
    signal.pause()
except KeyboardInterrupt:
    print("saved", flush=True)
    sys.exit(7)
"""


def started(line=None):
    environment = {**os.environ, "PMI_RANK": "3", "PMI_SIZE": "4"}
    inherited = ()
    if line is not None:
        environment["PMI_FD"], inherited = str(line.fileno()), (line.fileno(),)
    process = subprocess.Popen(
        [sys.executable, "-c", CHILD],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        pass_fds=inherited,
    )
    ready, guard, child = process.stdout.readline().split()
    assert (ready, int(guard)) == ("ready", process.pid)
    return process, int(child)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_are_passed_on(number):
    process, _ = started()
    process.send_signal(number)
    assert process.communicate(timeout=60) == ("saved\n", "")
    assert process.returncode == 7


def test_a_guard_that_is_killed():
    process, _ = started()
    process.kill()
    assert process.communicate(timeout=60) == ("saved\n", "")  # the child has the pipe: this waits for its end


def test_a_child_that_is_killed():
    process, child = started()
    os.kill(child, signal.SIGKILL)
    out, errors = process.communicate(timeout=60)
    assert out == ""
    assert errors.startswith("xception-np: process 3 was ended by SIGKILL, and the run with it; go on with")
    assert errors.count("\n") == 1
    assert process.returncode == 128 + signal.SIGKILL


def test_the_launcher_sees_that_the_line_is_cut_before_the_guard_is_gone():
    """In the other order MPICH's launcher waits for the rest, in some three of a hundred runs."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        process, child = started(theirs)
        theirs.close()
        os.kill(child, signal.SIGKILL)
        ours.settimeout(60)
        assert ours.recv(1) == b""
        assert process.poll() is None
        assert process.communicate(timeout=60)[1].startswith("xception-np: process 3 was ended by SIGKILL")
        assert process.returncode == 128 + signal.SIGKILL


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, (False, 0, None)),
        ({"PMI_RANK": "2", "PMI_SIZE": "3"}, (True, 2, 3)),
        ({"OMPI_COMM_WORLD_RANK": "1", "OMPI_COMM_WORLD_SIZE": "4", "PMIX_RANK": "1"}, (True, 1, 4)),
        ({"PMIX_RANK": "5"}, (True, 5, None)),
        ({"PMI_RANK": "x", "PMI_SIZE": ""}, (False, 0, None)),
    ],
)
def test_who_started_this(monkeypatch, variables, expected):
    for name in ("PMI_RANK", "PMI_SIZE", "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "PMIX_RANK"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert (launcher.launched(), launcher.rank(), launcher.size()) == expected
