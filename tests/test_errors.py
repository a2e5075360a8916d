"""Sentences for what a caller got wrong."""

from pathlib import Path

import pytest

from xception_np.errors import InputError, check_file, in_a_sentence


def test_a_path_that_cannot_be_looked_at():
    with pytest.raises(InputError, match=r"cannot be looked at \(File name too long\); expected weights"):
        check_file("file", Path("x" * 300), "weights")


def test_a_program_ends_with_its_sentence(capsys):
    with pytest.raises(SystemExit, match="2"), in_a_sentence():
        raise InputError("x is 3; expected 4")
    assert capsys.readouterr().err == "x is 3; expected 4\n"
