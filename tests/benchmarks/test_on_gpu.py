"""`python -m benchmarks.on_gpu`: what it says where there is no GPU."""

import subprocess
import sys

import pytest

from xception_np import arrays
from xception_np.errors import InputError


@pytest.mark.slow
@pytest.mark.no_gpu
def test_without_a_gpu_it_says_what_is_missing(pytestconfig):
    pytest.importorskip("torch", reason="the extra `parity` is not installed")
    try:
        arrays.device("gpu")
    except InputError as error:
        command = [sys.executable, "-m", "benchmarks.on_gpu", "--model", "xception_small"]
        result = subprocess.run(command, cwd=pytestconfig.rootpath, capture_output=True, text=True, timeout=300)
        assert (result.returncode, result.stdout) == (2, "")
        assert result.stderr == f"{error}\n"
    else:
        pytest.skip("there is a GPU")
