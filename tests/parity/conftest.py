"""Lets the tests import their neighbours here, and PyTorch's versions of our operations and networks from benchmarks/."""

import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "benchmarks")]


@pytest.fixture(scope="session", autouse=True)
def one_torch_thread():
    """The arrays are too small to share out, and threads that wait for a busy core take seconds."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
