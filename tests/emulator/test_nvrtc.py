"""NVIDIA's compiler: what its log and its code say of kernels whose answers are known."""

import re
from pathlib import Path

import pytest

from xception_np.emulator import MissingCompiler, nvrtc
from xception_np.errors import InputError

HERE = Path(__file__).parent
FACTOR = """
extern "C" __global__ void scale(const REAL* x, REAL* y, int n) {
    __shared__ REAL tile[64];
    const int i = blockIdx.x * 64 + threadIdx.x;
    tile[threadIdx.x] = i < n ? x[i] : REAL(0);
    __syncthreads();
    if (i < n) y[i] = tile[63 - threadIdx.x] * FACTOR;
}
"""
LARGE = """
extern "C" __global__ __launch_bounds__(1024, 2) void large(const float* x, float* y, int n) {
    float sums[64];
#pragma unroll
    for (int k = 0; k < 64; ++k) sums[k] = 0;
    for (int i = 0; i < n; ++i)
#pragma unroll
        for (int k = 0; k < 64; ++k) sums[k] += x[i * 64 + k] * sums[(k + 7) % 64];
#pragma unroll
    for (int k = 0; k < 64; ++k) y[k] = sums[k];
}
extern "C" __global__ void small(float* y) { y[threadIdx.x] = 1; }
"""
pytestmark = pytest.mark.usefixtures("needs_nvrtc")


@pytest.mark.parametrize("arch", nvrtc.ARCHITECTURES)
@pytest.mark.parametrize(("file", "options"), [("computing.cu", ()), ("counted.cu", ("-DPADDING=1",)), ("planted.cu", ())])
def test_it_takes_what_the_emulator_takes(file, options, arch):
    compiled = nvrtc.compile((HERE / file).read_text(), ("-DREAL=float", *options), arch=arch, file=file)
    assert compiled.arch == arch
    assert set(compiled.kernels) == set(
        re.findall(r"__global__ (?:__launch_bounds__\(64\) )?void (\w+)\(", (HERE / file).read_text())
    )
    assert all(0 < each.registers <= 255 for each in compiled.kernels.values())


def test_shared_memory_and_no_spills():
    compiled = nvrtc.compile(FACTOR, ("-DREAL=double", "-DFACTOR=2"))
    assert compiled.kernels["scale"]._replace(registers=0) == (0, 0, 0, 0, 64 * 8)


def test_spills():
    compiled = nvrtc.compile(LARGE)
    large, small = compiled.kernels["large"], compiled.kernels["small"]
    assert large.registers <= 32
    assert large.spill_stores > 0 and large.spill_loads > 0 and large.stack > 0
    assert (small.spill_stores, small.spill_loads, small.stack) == (0, 0, 0)


def test_a_double_literal_in_a_kernel_of_floats():
    assert nvrtc.double_precision(nvrtc.compile(FACTOR, ("-DREAL=float", "-DFACTOR=0.1f")).ptx) == []
    found = nvrtc.double_precision(nvrtc.compile(FACTOR, ("-DREAL=float", "-DFACTOR=0.1")).ptx)
    assert any(instruction.startswith("mul") for instruction in found)
    assert nvrtc.double_precision(nvrtc.compile(FACTOR, ("-DREAL=double", "-DFACTOR=0.1")).ptx)


def test_what_does_not_compile():
    message = (
        r'a.cu does not compile for sm_90: a.cu\(7\): error: identifier "FACTOR" is undefined; expected CUDA C\+\+ that NVRTC takes'
    )
    with pytest.raises(InputError, match=message):
        nvrtc.compile(FACTOR, ("-DREAL=float",), arch="sm_90", file="a.cu")
    with pytest.raises(InputError, match=r"kernel\.cu does not compile for sm_1"):
        nvrtc.compile(LARGE, arch="sm_1")


def test_missing(monkeypatch):
    monkeypatch.setattr(nvrtc.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingCompiler, match="NVRTC was not found; install its wheel: pip install 'xception-np"):
        nvrtc._library.__wrapped__()
