"""Runs that stop between any two files and go on end with the bits of those that do not; test_kills.py has true kills."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from small_runs import restored, stripes, tiny_model, trainer

from xception_np.errors import InputError
from xception_np.training import Trainer


class Kill(BaseException):
    """Ends a run as abruptly as a test can in its own process."""


@pytest.mark.parametrize("count", range(1, 9))
def test_between_any_two_files_of_a_checkpoint(tmp_path, monkeypatch, count):
    """Killed after each of the renames of a checkpoint: what is there goes on to the same bits."""
    whole = trainer(tmp_path / "whole", epochs=3, validation=2, batch=15, averaging=0.5)
    whole.run()
    folder = tmp_path / "killed"
    run = trainer(folder, epochs=3, validation=2, batch=15, averaging=0.5)
    rename, renamed = Path.replace, []

    def replace(self, target):
        rename(self, target)
        if run.step:
            renamed.append(target.name)
        if len(renamed) == count:
            raise Kill

    with monkeypatch.context() as patch, pytest.raises(Kill):
        patch.setattr(Path, "replace", replace)
        run.run()
    again = restored(folder, epochs=3, validation=2, batch=15, averaging=0.5)
    again.run()
    np.testing.assert_array_equal(again.model.buffers.values, whole.model.buffers.values)
    np.testing.assert_array_equal(again.model.buffers.moving, whole.model.buffers.moving)
    assert [line[:5] for line in again.history] == [line[:5] for line in whole.history]
    assert [line[:4] for line in again.validations] == [line[:4] for line in whole.validations]


def test_before_the_first_step(tmp_path):
    run = trainer(tmp_path)
    run._start_folder()
    again = restored(tmp_path)
    assert again.step == 0
    again.run()
    assert again.finished


def test_a_finished_run_takes_no_more_steps(tmp_path):
    trainer(tmp_path, averaging=0.5).run()
    lines = (tmp_path / "metrics.jsonl").read_text()
    again = restored(tmp_path, averaging=0.5)
    again.run()
    assert (tmp_path / "metrics.jsonl").read_text() == lines
    assert len(again.history) == 6


@pytest.mark.parametrize(
    ("changed", "message"),
    [({"batch": 8}, "settings is .*but.*'batch': 16"), ({"validation": 8}, "images is 40 but 48 in the run")],
)
def test_another_run_is_not_gone_on_with(tmp_path, changed, message):
    trainer(tmp_path, epochs=1).run()
    other = trainer(tmp_path, epochs=1, **changed)
    with pytest.raises(InputError, match=message):
        other.restore()


def test_labels_that_mean_something_else_by_now_are_not_gone_on_with(tmp_path):
    """A class folder that was renamed may change the order of all classes."""
    run = trainer(tmp_path, epochs=1)
    run.run()
    renamed = replace(stripes(), classes=("horizontal", "vertical"))
    other = Trainer(tiny_model(), renamed, run.settings, tmp_path, augmentation=run.augmentation)
    with pytest.raises(InputError, match=r"classes is \['horizontal', 'vertical'\] but \['vertical', 'horizontal'\] in the run"):
        other.restore()


def test_no_run_to_go_on_with(tmp_path):
    with pytest.raises(InputError, match=r"state\.safetensors does not exist"):
        trainer(tmp_path).restore()


def test_lines_that_were_lost_are_missed(tmp_path):
    trainer(tmp_path, epochs=1).run()
    (tmp_path / "metrics.jsonl").write_text("")
    with pytest.raises(InputError, match=r"metrics\.jsonl has 0 steps; expected 3"):
        restored(tmp_path, epochs=1).run()
