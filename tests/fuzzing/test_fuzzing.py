"""What is damaged is read or refused in a sentence, and costs no more memory than it may."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("fuzzing.py")


@pytest.mark.parametrize("count", [200, pytest.param(2000, marks=pytest.mark.slow)])
def test_damaged_files(count):
    command = [sys.executable, "-W", "error::ResourceWarning", SCRIPT, "--count", str(count), "--seed", "1"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=1200)
    assert (run.returncode, run.stderr) == (0, "")
    result = json.loads(run.stdout)
    assert sum(result["outcomes"].values()) == count
    assert min(result["outcomes"].values()) > count / 50 and len(result["outcomes"]) == 8  # all kinds are read, and refused
    assert result["memory"] < 3 * result["largest"] + 200e6
    assert result["slowest"] < 5  # seconds of the processor
