"""Runs the tests of what is written in registers of another machine; its arguments are how many there are, and their bytes.

    python tests/ops/other_registers.py 16 32          as with AVX2

Numba's cache must be a folder of its own, for the code is not this machine's.
"""

import sys
from pathlib import Path

import pytest

from xception_np.ops import register_block

if __name__ == "__main__":
    register_block.REGISTERS, register_block.BYTES = map(int, sys.argv[1:])
    files = [
        str(Path(__file__).with_name(name))
        for name in (
            "test_packing.py",
            "test_products.py",
            "test_depthwise_rows.py",
            "test_transposed_block.py",
            "test_squares.py",
            "test_winograd.py",
        )
    ]
    sys.exit(pytest.main(["-q", "-p", "no:cacheprovider", "-k", "not other_machine", *files]))
