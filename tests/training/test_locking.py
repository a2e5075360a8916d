"""A run folder is one process's at a time, and free again when that has ended, however it ended."""

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest
from small_runs import restored, trainer

from xception_np.errors import InputError
from xception_np.training import locking, runs

PROCESS = """
import sys
from small_runs import trainer
trainer(sys.argv[1], save_steps=1).run(lambda progress: print(progress.step, flush=True) or sys.stdin.readline())
"""


@pytest.fixture
def other(tmp_path):
    """Another process, in the middle of a run: it has taken a step, and waits for a line before the next."""
    command = [sys.executable, "-c", PROCESS, str(tmp_path / "run")]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, text=True, cwd=Path(__file__).parent, **pipes) as process:
        assert process.stdout.readline() == "1\n"
        yield process
        process.kill()


def test_a_second_process_is_told_who_is_at_it(tmp_path, other):
    folder = tmp_path / "run"
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert runs.describe(folder).state == "running"
    with pytest.raises(InputError, match=f"in use by process {other.pid} on "):
        trainer(folder).run()
    with pytest.raises(InputError, match=f"in use by process {other.pid} on "):
        restored(folder, save_steps=1)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == files


def test_a_kill_frees_the_folder(tmp_path, other):
    other.kill()
    other.wait()
    assert runs.describe(tmp_path / "run").state == "interrupted"
    run = restored(tmp_path / "run", save_steps=1)
    assert run.step == 1
    run.run()
    assert runs.describe(tmp_path / "run").state == "finished"


def test_two_trainers_in_one_process(tmp_path):
    first = trainer(tmp_path)

    def second(progress):
        assert runs.describe(tmp_path).state == "running"
        trainer(tmp_path).run()

    with pytest.raises(InputError, match="in use by process"):
        first.run(second)
    assert restored(tmp_path).step == 1
    with first.lock, first.lock:
        pass
    assert runs.describe(tmp_path).state == "interrupted"


def test_a_pipe_is_no_lock(tmp_path):
    os.mkfifo(tmp_path / locking.NAME)
    assert not locking.is_held(tmp_path)


def test_a_look_keeps_nobody_out(tmp_path, monkeypatch):
    with open(tmp_path / locking.NAME, "a+") as look:
        fcntl.flock(look, fcntl.LOCK_SH | fcntl.LOCK_NB)
        monkeypatch.setattr(locking.time, "sleep", lambda _: look.close())
        with locking.Lock(tmp_path):
            assert locking.is_held(tmp_path)
