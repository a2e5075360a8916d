"""What a launch refuses before anything runs, and how host code is checked as a whole."""

import re

import numpy as np
import pytest

from xception_np.emulator import RawModule, check, checking, device, launch, run
from xception_np.errors import InputError

SOURCE = """
extern "C" __global__ void scale(const float* __restrict__ x, float* __restrict__ y, float factor, int n) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) y[i] = factor * x[i];
}
extern "C" __global__ void wrong(float* y) { y[threadIdx.x] = y[threadIdx.x + 1]; }
extern "C" __global__ void stuck(float* y) {
    if (threadIdx.x % 2) y[0] = __shfl_sync(0xffffffff, 1.0f, 0);
    __syncthreads();
}
extern "C" __global__ void shared(float* y, int n) {
    extern __shared__ float all[];
    all[n - 1] = 1;
    y[0] = all[n - 1];
}
extern "C" __global__ void three(int* y) {
    y[((blockIdx.z * gridDim.y + blockIdx.y) * gridDim.x + blockIdx.x) * blockDim.x * blockDim.y * blockDim.z +
      (threadIdx.z * blockDim.y + threadIdx.y) * blockDim.x + threadIdx.x] = threadIdx.z * 100 + blockIdx.y * 10 + gridDim.z;
}
"""
MODULE = RawModule(SOURCE, file="launched.cu")
SCALE = MODULE.get_function("scale")


def array(size=64, dtype=np.float32):
    return device.asarray(np.arange(size).astype(dtype))


X, Y, HOST = array(), array(), np.zeros(64, np.float32)
GOOD = (X, Y, np.float32(2), np.int32(64))


def replaced(number, value):
    return (*GOOD[:number], value, *GOOD[number + 1 :])


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (GOOD[:3], "args has 3 values; expected 4, as kernel scale takes: const float* x, float* y, float factor, int n"),
        (replaced(2, 2.0), "argument factor of kernel scale is 2.0 (float); expected a NumPy number, float32, for float"),
        (
            replaced(2, np.float64(2)),
            "argument factor of kernel scale is np.float64(2.0) (float64); expected a NumPy number, float32",
        ),
        (replaced(3, 64), "argument n of kernel scale is 64 (int); expected a NumPy number, int32, for int"),
        (replaced(3, np.int64(64)), "argument n of kernel scale is np.int64(64) (int64); expected a NumPy number, int32"),
        (
            replaced(0, HOST),
            "argument x of kernel scale is a ndarray of float32; expected a device array of float32, for const float*",
        ),
        (replaced(0, array(64, np.float64)), "is a ndarray of float64; expected a device array of float32"),
        (replaced(0, None), "argument x of kernel scale is None (NoneType); expected a device array of float32"),
        (replaced(3, X), "argument n of kernel scale is a ndarray of float32; expected a NumPy number, int32"),
        (replaced(1, X), "arguments x = y of kernel scale are one array; expected different ones, as __restrict__ promises"),
        (
            (X[:40], X[20:60], *GOOD[2:]),
            "arguments x and y of kernel scale overlap in part; expected arrays that are apart, or the same",
        ),
    ],
)
def test_arguments_that_are_not_what_the_kernel_takes(args, message):
    for launched in (check, run):
        with pytest.raises(InputError, match=re.escape(message)):
            launched(SCALE, 1, 64, args)


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"block": 1025}, "block is 1025; expected up to three whole numbers, at most (1024, 1024, 64)"),
        ({"block": (64, 32)}, "block is (64, 32, 1), 2048 threads; expected 1 to 1024"),
        ({"block": 0}, "block is (0, 1, 1), 0 threads; expected 1 to 1024"),
        ({"block": (1, 1, 65)}, "block is (1, 1, 65); expected"),
        ({"grid": (1, 65536)}, "grid is (1, 65536); expected up to three whole numbers, at most (2147483647, 65535, 65535)"),
        ({"grid": (1, 1, 1, 1)}, "grid is (1, 1, 1, 1); expected up to three"),
        ({"grid": 1.5}, "grid is 1.5; expected up to three"),
        ({"grid": -1}, "grid is -1; expected up to three"),
        ({"shared_mem": 48 * 1024 + 1}, "shared_mem is 49153; expected at most 49152 bytes, or more, up to 232448"),
        ({"shared_mem": -1}, "shared_mem is -1; expected"),
        ({"order": "sideways"}, "order is 'sideways'; expected one of 'forward', 'reverse', 'random'"),
        ({"only": [3]}, "only is [3]; expected numbers of blocks below 1"),
        ({"seed": 2**32}, "seed is 4294967296; expected an integer from 0 to 4294967295"),
        ({"steps": 0}, "steps is 0; expected an integer, 1 or more"),
        ({"trace": -1}, "trace is -1; expected the number of a block"),
    ],
)
def test_launches_that_no_gpu_takes(how, message):
    with pytest.raises(InputError, match=re.escape(message)):
        check(SCALE, **{"grid": 1, "block": 64, "args": GOOD, **how})


def test_an_empty_grid_does_nothing():
    for empty in (0, (0, 3), (2, 0, 1)):
        report = check(SCALE, empty, 64, GOOD)
        assert (report.threads, report.findings) == (0, [])
        run(SCALE, empty, 64, GOOD)


@pytest.mark.usefixtures("kernels")
def test_empty_arrays():
    report = check(SCALE, 1, 64, (array(0), array(0), np.float32(2), np.int32(0)))
    assert report.findings == []


@pytest.mark.usefixtures("kernels")
def test_three_axes():
    y = device.empty((2, 3, 4, 2, 4, 3), np.int32)  # of the grid z, y, x, of the block z, y, x
    report = check(MODULE.get_function("three"), (4, 3, 2), (3, 4, 2), (y,))
    assert report.findings == []
    for (_, by, _, tz, _, _), value in np.ndenumerate(y.get()):
        assert value == tz * 100 + by * 10 + 2


@pytest.mark.usefixtures("kernels")
def test_host_code_is_checked_as_a_whole():
    """Kernels are called as in CuPy; what they did is reported inside of `checking`, and only there."""
    y = device.empty(64, np.float32)
    with checking(order="reverse") as reports:
        SCALE((1,), (64,), (X, y, np.float32(3), np.int32(64)))
        launch(MODULE.get_function("wrong"), 1, 64, (y,))
    launch(SCALE, 1, 64, (X, y, np.float32(4), np.int32(64)))
    assert [report.kernel for report in reports] == ["scale", "wrong"]
    assert reports[0].findings == []
    assert [found.kind for found in reports[1].findings] == ["out of bounds"]
    np.testing.assert_array_equal(y.get(), 4 * X.get())


@pytest.mark.usefixtures("kernels")
def test_some_kernels_are_checked():
    """Those that are named, and those that read whole numbers, which may be places in memory."""
    numbers = array(64, np.int32)
    with checking(kernels={"shared"}) as reports:
        launch(SCALE, 1, 64, GOOD)
        launch(MODULE.get_function("shared"), 1, 1, (Y, np.int32(1)), 4)
        launch(MODULE.get_function("three"), 1, 64, (numbers,))
    assert [report.kernel for report in reports] == ["shared", "three"]


@pytest.mark.usefixtures("kernels")
def test_checking_ends_with_an_exception():
    with pytest.raises(KeyError), checking() as reports:
        raise KeyError
    launch(SCALE, 1, 64, GOOD)
    assert reports == []


@pytest.mark.usefixtures("kernels")
def test_fast_mode_says_what_cannot_end():
    with pytest.raises(RuntimeError, match=r"launched.cu:8: deadlock: thread \(1, 0, 0\) of block \(0, 0, 0\) waits for lanes"):
        run(MODULE.get_function("stuck"), 1, 32, (Y,))
    run(SCALE, 1, 64, GOOD)


@pytest.mark.usefixtures("kernels")
def test_more_than_48_kib_of_shared_memory_must_be_asked_for():
    kernel = MODULE.get_function("shared")
    args = (device.empty(1, np.float32), np.int32(20_000))
    with pytest.raises(InputError, match="shared_mem is 80000"):
        check(kernel, 1, 1, args, 80_000)
    kernel.max_dynamic_shared_size_bytes = 80_000
    assert check(kernel, 1, 1, args, 80_000).findings == []
    (found,) = check(kernel, 1, 1, args, 79_996).findings
    assert (found.kind, found.buffer, found.offset) == ("out of bounds", "all", 79_996)
    run(kernel, 1, 1, args, 80_000)
    with pytest.raises(InputError, match="max_dynamic_shared_size_bytes is 232449; expected a number of bytes up to 232448"):
        kernel.max_dynamic_shared_size_bytes = 227 * 1024 + 1
