"""What kernels compute, against NumPy; and in fast mode, to the bit, what they compute in check mode."""

import numpy as np
import pytest

from xception_np.emulator import ORDERS, check, device, run, toolchain
from xception_np.emulator.kernel import RawModule

BOTH = pytest.mark.parametrize("dtype", [np.float32, np.float64])


@pytest.fixture
def computed(kernels):
    """A function that launches in check mode, in all orders, and in fast mode: nothing found, the same bits, which it returns."""

    def compute(name, grid, block, args, shared_mem=0, dtype=np.float32, module=None):
        kernel = (module or kernels("computing.cu", f"-DREAL={'float' if dtype == np.float32 else 'double'}")).get_function(name)
        written = [k for k, parameter in enumerate(kernel.parameters) if parameter.pointer and not parameter.const]
        results = []
        for how in [*ORDERS, "fast"]:
            on_device = [device.asarray(each) if isinstance(each, np.ndarray) else each for each in args]
            if how == "fast":
                run(kernel, grid, block, on_device, shared_mem)
            else:
                report = check(kernel, grid, block, on_device, shared_mem, order=how, seed=3)
                assert [str(found) for found in report.findings] == []
            results.append([on_device[k].get() for k in written])
        for others in results[1:]:
            for first, other in zip(results[0], others, strict=True):
                np.testing.assert_array_equal(first.view(np.uint8), other.view(np.uint8))
        return results[0]

    return compute


def draw(shape, dtype=np.float32):
    return np.random.default_rng(0).standard_normal(shape).astype(dtype)


@BOTH
@pytest.mark.parametrize("name", ["block_sum", "warp_sum"])
@pytest.mark.parametrize("n", [1, 64, 200])
def test_sums(computed, name, dtype, n):
    x, blocks = draw(n, dtype), -(-n // 64)
    shared = 64 * x.itemsize if name == "block_sum" else 0
    (sums,) = computed(name, blocks, 64, (x, np.zeros(blocks, dtype), np.int32(n)), shared, dtype)
    expected = [(x[k : k + 64].astype(np.float64) ** 2).sum() for k in range(0, n, 64)]
    np.testing.assert_allclose(sums, expected, rtol=8 * np.finfo(dtype).eps)  # six halvings and a square


@BOTH
@pytest.mark.parametrize(("rows", "depth", "columns"), [(8, 8, 8), (1, 1, 1), (13, 21, 10), (9, 7, 17)])
def test_tiled_product(computed, dtype, rows, depth, columns):
    a, b = draw((rows, depth), dtype), draw((depth, columns), dtype)
    args = (a, b, np.zeros((rows, columns), dtype), *map(np.int32, (rows, depth, columns)))
    (c,) = computed("multiply", (-(-columns // 8), -(-rows // 8)), (8, 8), args, dtype=dtype)
    np.testing.assert_allclose(c, a.astype(np.float64) @ b, rtol=0, atol=depth * 10 * np.finfo(dtype).eps)


def test_constants_and_arrays_of_a_thread(computed):
    x = draw(100)
    (y,) = computed("smooth", 2, 64, (x, np.zeros_like(x), np.int32(100)))
    np.testing.assert_allclose(y, np.convolve(x, [0.25, 0.5, 0.25], "same"), rtol=0, atol=1e-6)


@BOTH
def test_mathematics(computed, dtype):
    x = draw(100, dtype)
    (y,) = computed("mathematics", 4, 32, (x, np.zeros_like(x), np.int32(100)), dtype=dtype)
    exact = x.astype(np.float64)
    expected = (
        np.exp(-exact)
        + np.sqrt(abs(exact))
        + 1 / np.sqrt(1 + exact**2)
        + np.log(2 + exact**2)
        + np.maximum(exact, 0)
        + exact**2
        + 1
    )
    np.testing.assert_allclose(y, expected, rtol=8 * np.finfo(dtype).eps)


def test_vectors(computed):
    x = draw((50, 4))
    (y,) = computed("vectors", 1, 64, (x, np.zeros_like(x), np.int32(50)))
    np.testing.assert_array_equal(y, x[:, ::-1])


def test_structures_and_templates(computed):
    x = draw((32, 3))
    (y,) = computed("structures", 1, 32, (x, np.zeros(32, np.float32)))
    np.testing.assert_allclose(y, x[::-1].astype(np.float64).mean(axis=1), rtol=0, atol=1e-6)


def test_exchanges_within_a_warp(computed):
    (y,) = computed("exchanges", 1, 32, (np.zeros((32, 9), np.int32),))
    lane = np.arange(32)
    np.testing.assert_array_equal(y[:, 0], 5)
    np.testing.assert_array_equal(y[:, 1], np.where(lane < 3, lane, lane - 3))
    np.testing.assert_array_equal(y[:, 2], np.where(lane % 8 < 5, lane + 3, lane))
    np.testing.assert_array_equal(y[:, 3], lane ^ 4)
    np.testing.assert_array_equal(y[:, 4], 11)
    np.testing.assert_array_equal(y[:, 5:7], [[1, 0]] * 32)
    np.testing.assert_array_equal(y[:, 7], lane // 4 * 4 + 2)
    np.testing.assert_array_equal(y[:, 8], np.where(lane < 8, lane ^ 1, lane ^ 2))


def test_integers(computed):
    a, b = 0x9E3779B9, 0xBB67AE84
    y, wide = computed("integers", 1, 1, (np.zeros(5, np.uint32), np.zeros(1, np.uint64), np.uint32(a), np.uint32(b)))
    assert y.tolist() == [a * b >> 32, 0, 3, int(np.float32(1.5).view(np.uint32)), a]
    assert wide[0] == (0xD2511F53D2511F53 * a % 2**64) * (0xCD9E8D57CD9E8D57 * b % 2**64) >> 64


def test_atomic_extremes(computed):
    x = np.random.default_rng(0).integers(-1000, 1000, 64).astype(np.int32)
    (y,) = computed("extremes", 1, 64, (np.zeros(2, np.int32), x))
    assert y.tolist() == [x.max(), x.min()]


def test_in_place(kernels):
    """One array for two parameters is one buffer, and a thread may read and write its own numbers."""
    x = device.asarray(draw(64))
    before = x.get()
    report = check(kernels("computing.cu", "-DREAL=float").get_function("negate"), 1, 64, (x, x, np.int32(64)))
    assert report.findings == []
    assert report.buffers["y = x"].asked_read == report.buffers["y = x"].asked_written == 256
    np.testing.assert_array_equal(x.get(), -before)


def test_parts_of_one_allocation_are_told_apart(kernels):
    """A step too far does not find memory in the neighbouring part, though both were passed."""
    parameters = device.asarray(draw(128))
    kernel = kernels("computing.cu", "-DREAL=float").get_function("negate")
    report = check(kernel, 2, 64, (parameters[64:], parameters[:64], np.int32(65)))
    assert [(found.kind, found.buffer, found.offset) for found in report.findings] == [("out of bounds", "x", 256)]
    assert check(kernel, 2, 64, (parameters[64:], parameters[:64], np.int32(64))).findings == []


def test_what_was_written_is_known_after_the_launch(kernels):
    """A second kernel may read what a first one wrote, in either mode, and no more."""
    kernel = kernels("computing.cu", "-DREAL=float").get_function("negate")
    x, y, z = device.asarray(draw(100)), device.empty(100, np.float32), device.empty(100, np.float32)
    check(kernel, 1, 64, (y, x, np.int32(40)))
    assert check(kernel, 1, 64, (z, y, np.int32(40))).findings == []
    (found,) = check(kernel, 1, 64, (z, y, np.int32(41))).findings
    assert (found.kind, found.buffer, found.offset, found.times) == ("uninitialised read", "x", 160, 1)
    run(kernel, 1, 64, (y, x, np.int32(100)))
    assert check(kernel, 2, 64, (z, y, np.int32(100))).findings == []


def test_fibers_of_other_processors(kernels, computed, monkeypatch):
    """The switch by ucontext does what the one for x86-64 does."""
    kernels("computing.cu", "-DREAL=float")
    flags = {mode: [*flags, "-DEMULATOR_UCONTEXT"] for mode, flags in toolchain.RUNTIME_FLAGS.items()}
    monkeypatch.setattr(toolchain, "RUNTIME_FLAGS", flags)
    source = 'extern "C" __global__ void turn(int* y) { __shared__ int t[64]; t[threadIdx.x] = threadIdx.x; __syncthreads(); '
    source += "y[threadIdx.x] = t[63 - threadIdx.x] + __shfl_xor_sync(0xffffffff, int(threadIdx.x), 1); }"
    (y,) = computed("turn", 1, 64, (np.zeros(64, np.int32),), module=RawModule(source))
    np.testing.assert_array_equal(y, np.arange(64)[::-1] + (np.arange(64) ^ 1))
