"""Every CUDA kernel: thread by thread under the emulator's eyes, against the reference; and what NVIDIA's compiler says of it."""

from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from xception_np import arrays, check, emulator, kernels, ops, random
from xception_np.check import cases, operations
from xception_np.emulator import MissingCompiler, device, nvrtc, toolchain
from xception_np.geometry import Geometry
from xception_np.random import Purpose, Stream

CASES = cases.every()
SMALL = [case for case in CASES if not case.large]
LARGE = [case for case in CASES if case.large]
FIRST = [cases.of(operation)[0] for operation in ops.__all__]
FILES = sorted(Path(ops.__file__).parent.glob("*/gpu.cu"))

both_dtypes = pytest.mark.parametrize("dtype", [np.float64, np.float32], ids=["float64", "float32"])


@pytest.fixture
def needs_compiler():
    try:
        toolchain.compiler()
    except MissingCompiler as error:
        pytest.skip(str(error))


@pytest.fixture
def needs_nvrtc():
    try:
        nvrtc._library()
    except MissingCompiler as error:
        pytest.skip(str(error))


@contextmanager
def watched(**how):
    """Every access of every launch inside is looked at, and nothing is found."""
    with emulator.checking(**how) as reports:
        yield
    assert reports
    assert [str(finding) for report in reports for finding in report.findings] == []


@pytest.mark.usefixtures("needs_compiler")
class TestEmulated:
    @both_dtypes
    @pytest.mark.parametrize("case", SMALL, ids=str)
    def test_like_reference(self, case, dtype):
        with watched():
            check.require_all(list(operations.check_like_reference(case, "emulated", dtype)))

    @pytest.mark.parametrize("case", LARGE, ids=str)
    def test_like_reference_over_many_blocks(self, case):
        check.require_all(list(operations.check_like_reference(case, "emulated", np.float32)))

    @pytest.mark.parametrize("case", [case for case in SMALL if case.traits.adjoint], ids=str)
    def test_adjoint(self, case):
        check.require_all(list(operations.check_adjoint(case, "emulated")))

    @pytest.mark.parametrize("case", SMALL, ids=str)
    def test_nan_reaches_what_depends_on_it(self, case):
        check.require_all(list(operations.check_not_a_number(case, "emulated")))

    @pytest.mark.parametrize("case", FIRST, ids=str)
    def test_finite_differences(self, case):
        check.require_all(list(operations.check_finite_differences(case, "emulated")))

    @pytest.mark.parametrize("case", FIRST, ids=str)
    def test_same_bits_in_any_order(self, case):
        def bits():
            y, _, gradients = operations.passes(case, case.arguments(np.float32), "emulated")
            return [np.asarray(array).tobytes() for array in (y, *gradients)]

        fast = bits()
        for order in emulator.ORDERS:
            with watched(order=order, seed=1):
                assert bits() == fast

    @both_dtypes
    @pytest.mark.parametrize("case", FIRST, ids=str)
    def test_results_are_where_the_arguments_are_and_of_their_dtype(self, case, dtype):
        y, cache = case.module.forward(*arrays.to_device(case.arguments(dtype), "emulated"))
        dy = arrays.to_device(case.upstream(np.asarray(arrays.to_host(y))), "emulated")
        for array in (y, *operations.as_list(case.module.backward(dy, cache))):
            if array is y and not arrays.place_of(y):
                assert isinstance(y, float)  # a loss
            else:
                assert (arrays.place_of(array), array.dtype) == ("emulated", dtype)

    def test_dropout_has_the_bits_of_the_cpu(self):
        x = np.random.default_rng(0).standard_normal((5, 7, 11)).astype(np.float32)
        stream = Stream(2**32 - 1, Purpose.DROPOUT, 2**32 - 1, 5)
        the_limit_itself = int(random.words(stream, 200)[100]) / 2**32
        for rate in (0.0, 0.3, the_limit_itself, 1 - 2**-40):
            expected, _ = ops.dropout.forward(x, rate, stream)
            y, _ = ops.dropout.forward(arrays.to_device(x, "emulated"), rate, stream)
            np.testing.assert_array_equal(y.get().view(np.uint32), expected.view(np.uint32))

    def test_the_first_maximum_wins_and_nan_over_everything(self):
        values = np.array([0, 1, 1, -np.inf, np.inf, np.nan, -1, -0.0], np.float32)
        x = np.random.default_rng(0).choice(values, (3, 7, 8, 5))
        for geometry in (Geometry(3, 2), Geometry((2, 3), padding="valid"), Geometry(2, 1, 2)):
            expected, reference = ops.max_pool.forward(x, geometry, implementation="reference")
            y, cache = ops.max_pool.forward(arrays.to_device(x, "emulated"), geometry)
            np.testing.assert_array_equal(y.get(), expected)
            np.testing.assert_array_equal(cache.winners.get(), reference.winners)

    @pytest.mark.parametrize("operation", ["relu", "elu"])
    def test_what_is_not_finite_survives(self, operation):
        x = np.array([np.inf, -np.inf, np.nan, 0, -0.0, 1e38, -1e38], np.float32)
        with np.errstate(all="ignore"):
            expected, reference = getattr(ops, operation).forward(x, implementation="reference")
            expected_dx = getattr(ops, operation).backward(x, reference, implementation="reference")
        y, cache = getattr(ops, operation).forward(arrays.to_device(x, "emulated"))
        np.testing.assert_array_equal(y.get(), expected)
        dx = getattr(ops, operation).backward(arrays.to_device(x, "emulated"), cache)
        np.testing.assert_array_equal(dx.get(), expected_dx)

    def test_a_pool_of_more_windows_than_a_byte_can_name(self):
        x = np.random.default_rng(0).permutation(20 * 20).astype(np.float32).reshape(1, 20, 20, 1)
        expected, reference = ops.max_pool.forward(x, Geometry(17), implementation="reference")
        with watched():
            y, cache = ops.max_pool.forward(arrays.to_device(x, "emulated"), Geometry(17))
            dx = ops.max_pool.backward(y, cache)
        np.testing.assert_array_equal(y.get(), expected)
        assert cache.winners.dtype == np.uint16
        np.testing.assert_array_equal(dx.get(), ops.max_pool.backward(expected, reference, implementation="reference"))


HUGE = (1, 16400, 16384, 8)  # more numbers than an int can count, most of them in pages that nobody touches
HUGE_CHANNELS = (1, 164, 128, 102400)
SUMS = ("backward_weight", "dgamma_chunks", "sum_chunks", "add_chunks", "sum")  # whose threads would have too much to do


@pytest.fixture
def first_and_last_block(monkeypatch):
    """Of every launch only the first and the last block is run, and watched; new arrays are zeros, which take no memory."""
    of_launch = kernels._kernel

    def kernel(*which):
        def launch(grid, block, args, *, shared_mem):
            if which[-1] in SUMS:
                return
            report = emulator.check(of_launch(*which), grid, block, args, shared_mem, only=[0, grid[0] - 1])
            assert [str(finding) for finding in report.findings] == []

        return launch

    monkeypatch.setattr(kernels, "_kernel", kernel)
    monkeypatch.setattr(device, "empty", device.zeros)


def _huge(shape):
    """An array of zeros, its last eight numbers ones."""
    try:
        x = device.zeros(shape, np.float32)
    except OSError as error:
        pytest.skip(f"no room for {np.prod(shape):,} numbers: {error}")
    x.ravel()[-8:].set(np.ones(8, np.float32))
    return x


def _ones(*shape):
    return arrays.to_device(np.ones(shape, np.float32), "emulated")


@pytest.mark.usefixtures("needs_compiler", "first_and_last_block")
@pytest.mark.parametrize(
    ("operation", "shape", "arguments", "y_last", "dx_last"),
    [
        (ops.relu, HUGE, (), 1, 1),
        (ops.elu, HUGE, (), 1, 1),
        (ops.bias, HUGE, (_ones(8), "relu"), 2, 1),
        (ops.dropout, HUGE, (0.0, Stream(0, Purpose.DROPOUT)), 1, 1),
        (ops.batch_norm_inference, HUGE, (_ones(8), _ones(8), _ones(8), _ones(8), 3.0, "relu"), 1, 0.5),
        (ops.depthwise_conv, HUGE, (_ones(3, 3, 8, 1), Geometry(3)), 1, 1),
        (ops.pointwise_conv, HUGE, (_ones(8, 8),), 8, 8),
        (ops.conv, HUGE, (_ones(3, 3, 8, 8), Geometry(3)), 8, 8),
        (ops.grouped_conv, HUGE, (_ones(3, 3, 4, 8), Geometry(3), 2), 4, 4),
        (ops.max_pool, HUGE_CHANNELS, (Geometry(3),), 1, 1),
        (ops.avg_pool, HUGE_CHANNELS, (Geometry(3),), 0.25, 0.25),
    ],
    ids=lambda value: value.__name__.rpartition(".")[2] if hasattr(value, "__name__") else "",
)
def test_more_numbers_than_an_int_can_count(operation, shape, arguments, y_last, dx_last):
    y, cache = operation.forward(_huge(shape), *arguments)
    assert y.ravel()[-1].get() == y_last
    dx = operation.backward(_huge(shape), cache)
    assert (dx[0] if isinstance(dx, tuple) else dx).ravel()[-1].get() == dx_last


@pytest.mark.usefixtures("needs_compiler", "first_and_last_block")
def test_more_numbers_than_an_int_can_count_of_several_arrays():
    y, cache = ops.add.forward(_huge(HUGE), _huge(HUGE))
    assert y.ravel()[-1].get() == 2
    y, cache = ops.concat.forward([_huge(HUGE), _huge((*HUGE[:3], 1))])
    assert y.ravel()[-2:].get().tolist() == [1, 1]
    assert [dx.ravel()[-1].get() for dx in ops.concat.backward(_huge(y.shape), cache)] == [1, 1]


@pytest.mark.usefixtures("needs_nvrtc")
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.parent.name)
class TestCompiled:
    @pytest.mark.parametrize("arch", nvrtc.ARCHITECTURES)
    def test_float32(self, file, arch):
        """All in registers, and none of the 64-bit arithmetic that most GPUs have a 32nd or 64th of."""
        compiled = nvrtc.compile(file.read_text(), ("-DREAL=float", "-DWINNER=unsigned char"), arch=arch, file=file.parent.name)
        assert compiled.kernels
        for name, kernel in compiled.kernels.items():
            assert (kernel.spill_stores, kernel.spill_loads, kernel.stack) == (0, 0, 0), name
            assert kernel.registers <= 64, name  # with 256 threads, four blocks to a multiprocessor
        assert nvrtc.double_precision(compiled.ptx) == []

    @pytest.mark.parametrize("arch", nvrtc.ARCHITECTURES[::3])  # the oldest and the newest
    def test_float64(self, file, arch):
        compiled = nvrtc.compile(file.read_text(), ("-DREAL=double", "-DWINNER=unsigned short"), arch=arch, file=file.parent.name)
        for name, kernel in compiled.kernels.items():
            assert (kernel.spill_stores, kernel.spill_loads) == (0, 0), name
