"""The compiler: what is kept of its work, and what is said when it is missing or does not like a kernel."""

import os
import time
from pathlib import Path

import numpy as np
import pytest

from xception_np.emulator import MissingCompiler, RawModule, check, device, toolchain
from xception_np.errors import InputError

SOURCE = 'extern "C" __global__ void fill(int* y) {{ y[threadIdx.x] = {} * VALUE; }}'


@pytest.fixture
def cache(tmp_path, monkeypatch, kernels):
    """An empty folder for what is compiled."""
    monkeypatch.setattr(toolchain, "cache_folder", lambda: tmp_path)
    return tmp_path


@pytest.fixture
def asked(monkeypatch):
    """What the compiler is asked for; it does nothing but leave a file."""
    files = []

    def compile_nothing(arguments, file):
        files.append(file)
        Path(arguments[-1]).write_text("machine code")

    monkeypatch.setattr(toolchain, "_run", compile_nothing)
    return files


def built(factor=1, value=5):
    return toolchain.library(SOURCE.format(factor), "fill.cu", "fast", [f"VALUE={value}"])


def test_what_was_compiled_is_kept_until_something_changes(cache, asked, monkeypatch):
    first = built()
    assert asked == ["scheduler", "unchecked", "fill.cu", "fill.cu"]  # compiled and linked
    assert len(list(cache.iterdir())) == 3
    assert built() == first
    assert len(asked) == 4
    assert len({first, built(value=6), built(factor=2)}) == 3
    assert len(asked) == 8
    monkeypatch.setattr(toolchain, "KERNEL_FLAGS", {"fast": ["-O1"]})
    assert built() != first
    assert len(asked) == 10
    monkeypatch.setattr(toolchain, "_version", lambda path: "another compiler")
    built()
    assert len(asked) == 14  # the runtime, too


def test_what_nobody_used_for_a_month_goes(cache, asked):
    used, forgotten = built(), built(value=6)
    for path in cache.iterdir():
        os.utime(path, (0, time.time() - 40 * 24 * 3600))
    built()
    new = built(value=7)
    assert used.exists() and new.exists() and not forgotten.exists()
    assert len(asked) == 8


def test_a_compilation_that_fails_leaves_nothing(cache):
    y = device.zeros(4, np.int32)

    def fill(factor):
        RawModule(SOURCE.format(factor), ("-DVALUE=5",), "fill.cu").get_function("fill")((1,), (4,), (y,))

    fill(1)
    assert y.get().tolist() == [5] * 4
    before = sorted(cache.iterdir())
    with pytest.raises(InputError, match=r"fill.cu does not compile: fill.cu:1:\d+: error: .*nonsense.*; expected CUDA"):
        fill("nonsense")
    with pytest.raises(InputError, match=r"fill.cu does not compile: .*undefined reference to `missing"):
        fill("({ int missing(); missing(); })")
    assert sorted(cache.iterdir()) == before


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
