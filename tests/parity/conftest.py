"""Lets the tests import their neighbours here and PyTorch's versions of our operations and networks in benchmarks/."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "benchmarks")]
