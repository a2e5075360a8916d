"""The compiler: what is kept of its work, and what is said when it is missing or does not like a kernel."""

import os
import time

import numpy as np
import pytest

from xception_np.emulator import MissingCompiler, RawModule, check, device, toolchain
from xception_np.errors import InputError

SOURCE = 'extern "C" __global__ void fill(int* y) {{ y[threadIdx.x] = {} * VALUE; }}'


@pytest.fixture
def cache(tmp_path, monkeypatch, kernels):
    """An empty folder for what is compiled, and a list of what the compiler is asked for."""
    monkeypatch.setattr(toolchain, "cache_folder", lambda: tmp_path)
    monkeypatch.setattr(toolchain, "_RUNTIME", {"fast": ("scheduler", "unchecked")})
    made = []
    original = toolchain._run
    monkeypatch.setattr(toolchain, "_run", lambda arguments, file: (made.append(file), original(arguments, file)))
    return tmp_path, made


def filled(factor=1, value=5):
    y = device.zeros(4, np.int32)
    RawModule(SOURCE.format(factor), (f"-DVALUE={value}",), "fill.cu").get_function("fill")((1,), (4,), (y,))
    return y.get().tolist()


def test_what_was_compiled_is_kept_until_something_changes(cache, monkeypatch):
    folder, made = cache
    assert filled() == [5] * 4
    assert made == ["scheduler", "unchecked", "fill.cu", "fill.cu"]  # compiled and linked
    assert len(list(folder.iterdir())) == 3
    assert filled() == [5] * 4
    assert len(made) == 4
    assert filled(value=6) == [6] * 4
    assert filled(factor=2) == [10] * 4
    assert len(made) == 8
    monkeypatch.setattr(toolchain, "KERNEL_FLAGS", {"fast": ["-O1"]})
    assert filled() == [5] * 4
    assert len(made) == 10
    monkeypatch.setattr(toolchain, "_version", lambda path: "another compiler")
    assert filled() == [5] * 4
    assert len(made) == 14  # the runtime, too


def test_a_compilation_that_fails_leaves_nothing(cache):
    folder, _ = cache
    filled()
    before = sorted(folder.iterdir())
    with pytest.raises(InputError, match=r"fill.cu does not compile: fill.cu:1:\d+: error: .*nonsense.*; expected CUDA"):
        filled(factor="nonsense")
    with pytest.raises(InputError, match=r"fill.cu does not compile: .*undefined reference to `missing"):
        filled(factor="({ int missing(); missing(); })")
    assert sorted(folder.iterdir()) == before


def test_what_nobody_used_for_a_month_goes(cache):
    folder, _ = cache
    filled()
    filled(value=6)
    for path in folder.iterdir():
        os.utime(path, (0, time.time() - 40 * 24 * 3600))
    filled()  # is in use again, but its runtime is not asked for
    filled(value=7)
    assert len(list(folder.glob("fill*.so"))) == 2
    assert filled() == [5] * 4


def test_no_compiler(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingCompiler, match=r"^g\+\+ was not found; the emulator compiles kernels with it: install GCC \(Debian"):
        RawModule(SOURCE.format(1), ("-DVALUE=1",)).get_function("fill")((1,), (4,), (device.zeros(4, np.int32),))


def test_another_compiler_by_the_same_name(monkeypatch, tmp_path):
    (tmp_path / "g++").write_text("#!/bin/sh\necho Apple clang version 15.0.0\n")
    (tmp_path / "g++").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    with pytest.raises(MissingCompiler, match=r"g\+\+ is Apple clang version 15.0.0; the emulator needs GCC's"):
        toolchain.compiler()


def test_our_reading_of_a_signature_is_held_against_the_compilers(kernels):
    """An array as a parameter is a pointer to C, and not to us."""
    text = 'extern "C" __global__ void k(int x[4]) { x[0] = 1; }'
    with pytest.raises(InputError, match="parameters of k"):
        check(RawModule(text).get_function("k"), 1, 1, (np.int32(1),))
