"""The command line as a user runs it: a process of its own, with its own folder, output and exit status.

To start Python and to import NumPy, Numba, matplotlib and scikit-learn takes 2 seconds, a refusal a hundredth of one. So there is
one process (multiprocessing's fork server) that has imported them and done nothing else, and every command is a fork of it.
What depends on how a program is started, such as who runs it, asks for `COMMAND`, a new interpreter.
"""

import multiprocessing
import os
import sys
import tempfile
import time
from functools import cache
from multiprocessing import forkserver
from pathlib import Path
from subprocess import CompletedProcess, TimeoutExpired

import pytest

from xception_np import cli, commands

COMMAND = [sys.executable, "-m", "xception_np"]


def run(*arguments, cwd=None, env=None, timeout=300):
    """`xception-np` with these arguments: what `subprocess.run` would return, with standard output and error as text."""
    words = list(map(str, arguments))
    with tempfile.TemporaryDirectory() as folder:
        streams = [Path(folder) / name for name in ("out", "error")]
        process = _server().Process(target=_main, args=(words, cwd or os.getcwd(), env or dict(os.environ), *streams))
        process.start()
        process.join(timeout)
        if process.is_alive():
            process.kill()
            raise TimeoutExpired(["xception-np", *words], timeout, *(path.read_text() for path in streams))
        return CompletedProcess(["xception-np", *words], process.exitcode, *(path.read_text() for path in streams))


@cache
def _server():
    """It imports `every_import`, which it finds only by this variable."""
    server = multiprocessing.get_context("forkserver")
    server.set_forkserver_preload(["every_import"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(__file__).parent))
        forkserver.ensure_running()
    return server


def _main(words, folder, environment, *streams):
    commands.STARTED = time.perf_counter()
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    for number, path in enumerate(streams, start=1):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), number)
    sys.argv = ["xception-np", *words]
    cli.main()
