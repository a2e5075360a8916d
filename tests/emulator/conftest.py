"""Kernels of the tests' own, compiled; skipped where there is no compiler."""

from pathlib import Path

import pytest

from xception_np.emulator import MissingCompiler, RawModule, toolchain

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def kernels():
    """A function (file, defines) -> RawModule, for a `.cu` file beside this one."""
    try:
        toolchain.compiler()
    except MissingCompiler as error:
        pytest.skip(str(error))
    known = {}

    def load(file, *options):
        key = (file, *options)
        if key not in known:
            known[key] = RawModule((HERE / file).read_text(), options, file)
        return known[key]

    return load
