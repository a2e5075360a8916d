"""Whatever ends a run before its time, what has been learnt is kept."""

import os
import signal

import pytest
from small_runs import restored, trainer

from xception_np.data import Loader
from xception_np.errors import InputError
from xception_np.training import Trainer, runs


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_step_and_saves(tmp_path, number):
    before = signal.getsignal(number)
    run = trainer(tmp_path, epochs=10)

    def interrupt(progress):
        if progress.step == 4:
            os.kill(os.getpid(), number)

    with pytest.raises(KeyboardInterrupt):
        run.run(interrupt)
    assert signal.getsignal(number) is before
    assert restored(tmp_path, epochs=10).step == len(run.history) == 5
    assert runs.describe(tmp_path).state == "interrupted"


def test_a_signal_after_the_last_step_is_not_forgotten(tmp_path):
    run = trainer(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        run.run(lambda progress: os.kill(os.getpid(), signal.SIGINT) if progress.step == run.steps else None)
    again = restored(tmp_path)
    assert again.finished and again.step == run.steps


def test_a_second_signal_does_not_wait(tmp_path):
    run = trainer(tmp_path, epochs=10)

    def interrupt(progress):
        if progress.step == 4:
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        run.run(interrupt)
    assert restored(tmp_path, epochs=10).step == 4


def test_a_kill_while_the_model_is_measured_costs_nothing(tmp_path, monkeypatch):
    settings = {"epochs": 3, "averaging": 0.5, "validation": 8}
    whole = trainer(tmp_path / "whole", **settings)
    whole.run()
    run, evaluate = trainer(tmp_path / "run", **settings), Trainer.evaluate
    calls = iter([1, 2])

    def killed(self, pictures):
        if next(calls) == 2:
            raise ZeroDivisionError
        return evaluate(self, pictures)

    monkeypatch.setattr(Trainer, "evaluate", killed)
    with pytest.raises(ZeroDivisionError):
        run.run()
    monkeypatch.undo()
    again = restored(tmp_path / "run", **settings)
    assert again.step == 2 * len(again.loader) and len(again.validations) == 1
    again.run()
    assert [line[:4] for line in again.validations] == [line[:4] for line in whole.validations]
    assert again.best_accuracy == whole.best_accuracy
    for name in ("last", "averaged", "best"):
        assert (tmp_path / "run" / f"{name}.safetensors").read_bytes() == (tmp_path / "whole" / f"{name}.safetensors").read_bytes()


def test_a_picture_that_cannot_be_read_costs_no_step(tmp_path, monkeypatch):
    run, prepare = trainer(tmp_path, epochs=3), Loader._prepare
    broken = len(run.loader) + 2

    def read(self, indices, partner, epoch):
        read.count += 1
        if read.count == broken:
            raise InputError("picture is damaged")
        return prepare(self, indices, partner, epoch)

    read.count = 0
    monkeypatch.setattr(Loader, "_prepare", read)
    with pytest.raises(InputError, match="picture is damaged"):
        run.run()
    assert restored(tmp_path, epochs=3).step == broken - 1


def test_files_of_others_are_left_alone(tmp_path):
    for name in (".document.1234.tmp", ".last.safetensors.1234.tmp"):
        (tmp_path / name).touch()
    trainer(tmp_path, epochs=1).run()
    assert [path.name for path in tmp_path.glob(".*")] == [".document.1234.tmp"]


def test_whatever_a_watcher_raises_the_run_is_kept(tmp_path):
    run = trainer(tmp_path)

    def interrupt(progress):
        if progress.step == 2:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run.run(interrupt)
    assert restored(tmp_path).step == 2
    assert len((tmp_path / "metrics.jsonl").read_text().splitlines()) == 2
