"""Runs test_products.py with the registers of another machine; its arguments are how many there are, and their bytes.

    python tests/ops/other_registers.py 16 32          as with AVX2

Numba's cache must be a folder of its own, for the code is not this machine's.
"""

import sys
from pathlib import Path

import pytest

from xception_np.ops import register_block

if __name__ == "__main__":
    register_block.REGISTERS, register_block.BYTES = map(int, sys.argv[1:])
    sys.exit(
        pytest.main(["-q", "-p", "no:cacheprovider", "-k", "not other_machine", str(Path(__file__).with_name("test_products.py"))])
    )
