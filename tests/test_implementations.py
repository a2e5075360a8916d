import subprocess
import sys

import pytest

from xception_np import implementations, ops
from xception_np.errors import InputError


def test_the_default_is_cpu():
    assert implementations.default() == "cpu"
    assert implementations.load("xception_np.ops.relu").__name__ == "xception_np.ops.relu.cpu"


def test_one_call():
    assert implementations.load("xception_np.ops.relu", "reference").__name__ == "xception_np.ops.relu.reference"


def test_use_ends_with_the_block():
    with pytest.raises(KeyError), implementations.use("reference"):
        assert implementations.load("xception_np.ops.relu").__name__ == "xception_np.ops.relu.reference"
        raise KeyError
    assert implementations.default() == "cpu"


def test_unknown_names():
    with (
        pytest.raises(InputError, match="implementation is 'gpus'; expected one of 'reference', 'cpu'"),
        implementations.use("gpus"),
    ):
        pass
    assert implementations.default() == "cpu"


def test_the_table_marks_the_default():
    lines = implementations.table().splitlines()
    assert [line.split()[0] for line in lines if not line.startswith("*")] == ["reference"]
    assert [line.split()[1] for line in lines if line.startswith("*")] == ["cpu"]


def test_every_operation_has_every_implementation():
    for operation in ops.__all__:
        for name in implementations.NAMES:
            assert implementations.load(f"xception_np.ops.{operation}", name)


def test_importing_the_package_compiles_nothing():
    program = "import sys, xception_np, xception_np.ops; print('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout == "False\n"
