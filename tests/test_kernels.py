"""The launch seam: what is asked before a GPU is, which asks nothing."""

import numpy as np
import pytest

from xception_np import arrays, emulator, kernels
from xception_np.errors import InputError

TEXT = """
extern "C" __global__ void scale(const REAL* x, REAL* y, int n, REAL factor) {
    const int k = blockIdx.x * blockDim.x + threadIdx.x;
    if (k < n) y[k] = x[k] * factor;
}
extern "C" __global__ void reversed(const REAL* x, REAL* y) {
    extern __shared__ REAL all[];
    all[threadIdx.x] = x[threadIdx.x];
    __syncthreads();
    y[threadIdx.x] = all[blockDim.x - 1 - threadIdx.x];
}
"""
X = np.arange(300, dtype=np.float32)


@pytest.fixture
def file(tmp_path):
    try:
        emulator.toolchain.compiler()
    except emulator.MissingCompiler as error:
        pytest.skip(str(error))
    path = tmp_path / "gpu.cu"
    path.write_text(TEXT)
    return path


@pytest.fixture
def x():
    return arrays.to_device(X, "emulated")


@pytest.fixture
def y(x):
    return arrays.empty_like(x)


def test_numbers_become_what_the_kernel_takes(file, x, y):
    with emulator.checking() as reports:
        for count, factor in ((300, 2.0), (np.int64(300), 2), (np.uint8(3), np.float64(2))):
            kernels.launch(file, "scale", np.float32, *kernels.over(300), (x, y, count, factor))
            np.testing.assert_array_equal(y.get(), 2 * X)
    assert [report.findings for report in reports] == [[]] * 3


def test_shared_memory_beyond_what_a_launch_has_unasked(file):
    x = arrays.to_device(np.arange(1000.0), "emulated")
    y = arrays.empty_like(x)
    kernels.launch(file, "reversed", np.float64, (1,), (1000,), (x, y), shared_mem=8000)
    np.testing.assert_array_equal(y.get(), np.arange(1000.0)[::-1])
    kernels.launch(file, "reversed", np.float64, (1,), (1000,), (x, y), shared_mem=50 << 10)


def test_an_empty_grid(file, x, y):
    kernels.launch(file, "scale", np.float32, *kernels.over(0), (x, y, 0, 1))
    assert np.isnan(y.get()).all()


def test_a_module_is_compiled_once(file, x, y):
    for _ in range(2):
        kernels.launch(file, "scale", np.float32, *kernels.over(300), (x, y, 300, 1))
    macros = (("REAL", np.dtype(np.float32)),)
    assert kernels._module("emulated", file, macros) is kernels._module("emulated", file, macros)


def test_another_file_stands_in(file, x, y):
    def launched():
        kernels.launch(file, "scale", np.float32, *kernels.over(300), (x, y, 300, 2))
        return y.get()

    other = file.with_name("mine.cu")
    other.write_text(TEXT.replace("* factor", "* factor * factor"))
    with kernels.standing_in(file, other):
        np.testing.assert_array_equal(launched(), 4 * X)
        with pytest.raises(InputError, match=r"kernel is 'scaled'; expected one that .*/mine\.cu has: scale, reversed"):
            kernels.launch(file, "scaled", np.float32, (1,), (1,), (x, y, 1, 2))
    np.testing.assert_array_equal(launched(), 2 * X)


def test_a_kernel_of_another_file_stands_in(file, x):
    """One of the two, under a name of its own; the other kernel is that of the file."""
    other = file.with_name("mine.cu")
    other.write_text(TEXT.replace("* factor", "* factor * factor").replace("scale(", "square(").replace("reversed(", "kept("))
    y, small = arrays.empty_like(x), arrays.to_device(np.arange(4.0, dtype=np.float32), "emulated")
    turned = arrays.empty_like(small)
    with kernels.standing_in(file, other, {"scale": "square"}):
        kernels.launch(file, "scale", np.float32, *kernels.over(300), (x, y, 300, 2))
        kernels.launch(file, "reversed", np.float32, (1,), (4,), (small, turned), shared_mem=16)
    np.testing.assert_array_equal(y.get(), 4 * X)
    np.testing.assert_array_equal(turned.get(), [3, 2, 1, 0])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "other"}, "kernel is 'other'; expected one that .*gpu.cu has: scale, reversed"),
        ({"args": lambda x, y: (x, y, 300)}, "args has 3 values; expected 4, as kernel scale takes: x, y, n, factor"),
        (
            {"args": lambda x, y: (X, y, 300, 1)},
            "argument x of kernel scale is float32 in NumPy, .*expected a C-contiguous device",
        ),
        (
            {"args": lambda x, y: (3, y, 300, 1)},
            "argument x of kernel scale is a int; expected a C-contiguous device array",
        ),
        ({"dtype": np.float64}, "argument x of kernel scale is float32 on the emulated GPU.*; expected .* of float64"),
        (
            {"args": lambda x, y: (x, y, 2**31, 1)},
            "argument n of kernel scale is 2147483648; expected a number that int32 can",
        ),
        ({"args": lambda x, y: (x, y, 1.0, 1)}, "argument n of kernel scale is 1.0; expected a number that int32 can"),
        (
            {"args": lambda x, y: (x, y, 1, None)},
            "argument factor of kernel scale is None; expected a number that float32 can",
        ),
        ({"args": lambda x, y: (x, y, x, 1)}, "argument n of kernel scale is <emulated array"),
        ({"grid": (2**31,)}, r"grid of kernel scale is \(2147483648,\); expected at most"),
        ({"grid": (1, 65536)}, "grid of kernel scale is"),
        ({"block": (1025,)}, r"block of kernel scale is \(1025,\); expected 1 to 1024 threads"),
        ({"block": (32, 0)}, "block of kernel scale is"),
    ],
)
def test_wrong_arguments(file, x, y, change, message):
    given = {"name": "scale", "dtype": np.float32, "grid": (2,), "block": (256,), "args": lambda x, y: (x, y, 300, 1)} | change
    given["args"] = given["args"](x, y)
    with pytest.raises(InputError, match=message):
        kernels.launch(file, **given)
    assert np.isnan(y.get()).all()


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 24, 25, 26, 1000, 10**9, 2**40])
def test_chunks_cover_all(count):
    chunk, chunks = kernels.chunks(count)
    assert (chunks - 1) * chunk < count <= chunks * chunk
    assert max(chunk, chunks) <= count**0.5 + 1
