"""What README shows can be typed in: commands have their options, and programs run."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from xception_np import __version__
from xception_np.cli import app

README = Path(__file__).parents[1].joinpath("README.md").read_text()
COMMANDS = re.findall(r"^    (?:.*&& |mpiexec -n 4 )?xception-np (.*?)(?: {2,}#.*)?$", README, re.MULTILINE)
PROGRAMS = re.findall(r"^```python\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
DOWNLOADS = 'pretrained.load("imagenet")'


def test_there_is_something_to_test():
    assert len(COMMANDS) > 25
    assert len(PROGRAMS) == 7
    assert sum(DOWNLOADS in program for program in PROGRAMS) == 1


def test_what_is_to_be_cited_is_this_version():
    assert f"\nversion: {__version__}\n" in Path(__file__).parents[1].joinpath("CITATION.cff").read_text()


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_and_their_options_exist(command):
    """An unknown one is refused before `--help` is answered."""
    result = CliRunner().invoke(app, [*shlex.split(command, comments=True), "--help"])
    assert result.exit_code == 0, result.output
    assert "Usage" in result.output


@pytest.mark.slow
@pytest.mark.parametrize("program", [program for program in PROGRAMS if DOWNLOADS not in program])
def test_programs_run(program, tmp_path):
    ended = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
