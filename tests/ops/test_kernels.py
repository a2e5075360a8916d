"""Every CUDA kernel: thread by thread under the emulator's eyes, against the reference; and what NVIDIA's compiler says of it."""

import re
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from xception_np import arrays, check, emulator, kernels, ops, random, updates
from xception_np.check import cases, operations
from xception_np.check.cases import Case, Traits
from xception_np.cost.kernel_bytes import Launch, kernel_bytes
from xception_np.emulator import device, nvrtc, source
from xception_np.geometry import Geometry
from xception_np.random import Purpose, Stream

CASES = cases.every()
SMALL = [case for case in CASES if not case.large]
LARGE = [case for case in CASES if case.large]
FIRST = [cases.of(operation)[0] for operation in ops.__all__]
OPERATIONS = Path(ops.__file__).parent
FILES = sorted(OPERATIONS.glob("*/gpu*.cu"))
UPDATES = sorted(Path(updates.__file__).parent.glob("*/gpu*.cu"))  # tests/updates runs them
DTYPES = (np.float64, np.float32)
ORDERS = (("forward", 0), ("reverse", 0), ("random", 1), ("random", 2))
# Kernels that do not read what belongs to a number that is cut or dropped
AS_NUMBERS_SAY = {("relu", "backward"), ("batch_norm", "backward_activation"), ("dropout", "apply")}


def rungs(operation, file="gpu_tiled.cu"):
    """The implementations of an operation: two where it, or what it is composed of (`gpu_tiled.py`), has tiled kernels."""
    return ("emulated", "emulated_naive") if (OPERATIONS / operation / file).exists() else ("emulated",)


def on_each_rung(some):
    """Cases, with every rung of their operations."""
    pairs = [(case, rung) for case in some for rung in rungs(case.operation)]
    return pytest.mark.parametrize(("case", "rung"), pairs, ids=[f"{case}-{rung}" for case, rung in pairs])


TILED = [operation for operation in ops.__all__ if len(rungs(operation)) > 1]
SEVERAL_TILES = [cases.find(operation, "several tiles of a GPU") for operation in TILED]
both_dtypes = pytest.mark.parametrize("dtype", DTYPES, ids=["float64", "float32"])


@contextmanager
def recorded():
    """A list of all launches inside."""
    launches, launch = [], kernels.launch

    def recording(*arguments, **more):
        launches.append(Launch.of(*arguments, **more))
        launch(*arguments, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kernels, "launch", recording)
        yield launches


@contextmanager
def watched(**how):
    """Every access of every launch inside is looked at: nothing is found, and the bytes touched are those of the model."""
    with recorded() as launches, emulator.checking(**how) as reports:
        yield
    assert reports
    assert [str(finding) for report in reports for finding in report.findings] == []
    for launch, report in zip(launches, reports, strict=True):
        touched = {name: report.buffers[name].unique_read + report.buffers[name].unique_written for name in kernel_bytes(launch)}
        if (launch.file.parent.name, launch.name) in AS_NUMBERS_SAY:
            assert all(touched[name] <= most for name, most in kernel_bytes(launch).items())
        else:
            assert touched == kernel_bytes(launch), (launch.file, launch.name)


@pytest.mark.usefixtures("needs_compiler")
class TestEmulated:
    @both_dtypes
    @on_each_rung(SMALL)
    def test_like_reference(self, case, rung, dtype):
        with watched():
            check.require_all(list(operations.check_like_reference(case, rung, dtype)))

    @on_each_rung(LARGE)
    def test_like_reference_over_many_blocks(self, case, rung):
        check.require_all(list(operations.check_like_reference(case, rung, np.float32)))

    @on_each_rung([case for case in SMALL if case.traits.adjoint])
    def test_adjoint(self, case, rung):
        check.require_all(list(operations.check_adjoint(case, rung)))

    @on_each_rung(SMALL)
    def test_nan_reaches_what_depends_on_it(self, case, rung):
        check.require_all(list(operations.check_not_a_number(case, rung)))

    @on_each_rung(FIRST)
    def test_finite_differences(self, case, rung):
        check.require_all(list(operations.check_finite_differences(case, rung)))

    def test_nan_beside_a_window_does_not_reach_it(self):
        """A sum of 9 numbers, in two steps of 8: what the second one has too many is none of a pixel below or a window above."""
        x, dy = (np.full((1, 2, 2, 9), np.nan, np.float32) for _ in range(2))
        x[0, 0, 0] = dy[0, 1, 1] = 1
        given = arrays.to_device((x, np.ones((1, 1, 9, 9), np.float32), dy), "emulated")
        y, cache = ops.conv.forward(*given[:2], Geometry(1))
        dx, _ = ops.conv.backward(given[2], cache)
        np.testing.assert_array_equal(np.isnan(y.get()), np.isnan(x))
        np.testing.assert_array_equal(np.isnan(dx.get()), np.isnan(dy))

    @pytest.mark.parametrize("operation", ["dense", "separable_conv", "norm_separable_conv", "conv_bias", "separable_conv_bias"])
    def test_compositions_of_naive_kernels(self, operation):
        with watched():
            check.require_all(list(operations.check_like_reference(cases.of(operation)[0], "emulated_naive")))

    @on_each_rung(FIRST)
    def test_same_bits_in_any_order(self, case, rung):
        assert len(set(_bits_in_every_order(case, rung))) == 1

    @pytest.mark.parametrize("case", SEVERAL_TILES, ids=str)
    def test_several_tiles_in_any_order(self, case, monkeypatch):
        monkeypatch.setattr(kernels, "_LARGE_CHUNK", 50)
        check.require_all(list(operations.check_like_reference(case, "emulated", np.float32)))
        assert len(set(_bits_in_every_order(case, "emulated"))) == 1

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

    @pytest.mark.parametrize("kernel", [17, 25])
    def test_a_window_that_no_tile_of_shared_memory_holds(self, kernel):
        """Of 17 x 17 one row of results fits in float32, none in float64; of 25 x 25 none."""
        for dtype in DTYPES:
            case = Case("depthwise_conv", f"{kernel}x{kernel}", cases._depthwise((1, 9, 8), Geometry(kernel)), Traits((0, 1)))
            with watched():
                check.require_all(list(operations.check_like_reference(case, "emulated", dtype)))

    @pytest.mark.parametrize("rung", rungs("batch_norm"))
    def test_moments_of_numbers_far_from_zero(self, rung):
        """1,000 +- 1 in float32: a mean is right to a few of its own roundings, which is what the variance may be wrong by."""
        x = (1000 + np.random.default_rng(0).standard_normal((9, 40, 41, 3))).astype(np.float32)
        exact = x.astype(np.float64).reshape(-1, 3)
        vectors = np.ones((2, 3), np.float32)
        _, cache = ops.batch_norm.forward(*arrays.to_device((x, *vectors), "emulated"), implementation=rung)
        spacing = np.spacing(np.float32(1000))
        np.testing.assert_allclose(cache.mean.get(), exact.mean(axis=0), rtol=0, atol=4 * spacing)
        np.testing.assert_allclose(cache.variance.get(), exact.var(axis=0), rtol=1e-5)

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


def _bits_in_every_order(case, rung):
    """The bits of all results in fast mode, then watched, in all orders of threads and blocks."""

    def bits():
        y, _, gradients = operations.passes(case, case.arguments(np.float32), rung)
        return b"".join(np.asarray(array).tobytes() for array in (y, *gradients))

    yield bits()
    for order, seed in ORDERS:
        with watched(order=order, seed=seed):
            yield bits()


@pytest.mark.usefixtures("needs_compiler")
def test_the_table_has_no_hole():
    """Operation x rung x direction x dtype: how many kernels run. All that there are do; only an addition's gradient needs none."""
    print(f"\n{'':38}" + "".join(f"{way} {dtype.__name__:10}" for way in ("forward ", "backward") for dtype in DTYPES))
    of_files = {file: set() for file in FILES}
    for operation in ops.__all__:
        for rung in rungs(operation, "gpu_tiled.py"):
            ran = {(way, dtype): set() for way in ("forward", "backward") for dtype in DTYPES}
            for case in [case for case in cases.of(operation) if not case.large]:
                for dtype in DTYPES:
                    with recorded() as forward:
                        y, cache = case.forward(case.arguments(dtype), rung)
                    with recorded() as backward:
                        case.backward(case.upstream(np.asarray(y)), cache, rung)
                    ran["forward", dtype] |= {(launch.file, launch.name) for launch in forward}
                    ran["backward", dtype] |= {(launch.file, launch.name) for launch in backward}
            print(f"{operation:22}{rung:16}" + "".join(f"{len(names):<19}" for names in ran.values()))
            for (way, dtype), names in ran.items():
                assert names or (operation, way) == ("add", "backward"), (operation, rung, way, dtype)
                assert names == ran[way, np.float64]
                assert rung == "emulated" or {file.stem for file, _ in names} == {"gpu"}, (operation, way)
                for file, name in names:
                    of_files[file].add(name)
    for file, names in of_files.items():
        assert names == set(source.kernels(file.read_text(), {"REAL": "float", "WINNER": "unsigned char"}, file.name)), file


@pytest.mark.parametrize("function", ["read", "put", "put_turned", "multiply", "write"])
def test_products_of_tiles_have_one_text(function):
    """A file includes no other, so what two need is in both, word for word."""
    definition = re.compile(rf"^__device__ __forceinline__ void {function}\(.*?^}}", re.DOTALL | re.MULTILINE)
    texts = {definition.search((OPERATIONS / name / "gpu_tiled.cu").read_text())[0] for name in ("pointwise_conv", "conv")}
    assert len(texts) == 1


HUGE = (1, 16400, 16384, 8)  # more numbers than an int can count, most of them in pages that nobody touches
HUGE_CHANNELS = (1, 164, 128, 102400)
# Whose threads would have too much to do
SUMS = ("backward_weight", "dgamma_chunks", "sum_chunks", "sums_of_chunks", "add_chunks", "sum")


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


# What a kernel may take of a multiprocessor's 65,536 registers and 64 KiB of shared memory (sm_75), so that it has room for
# at least four blocks of 256 threads, or two of those that multiply tiles in registers.
REGISTERS = {"gpu": 64, "gpu_tiled": 128}
SHARED_BYTES = {"gpu": 0, "gpu_tiled": 18 << 10}  # in float32; what the launch asks for (depthwise patches) is up to 48 KiB more


@pytest.mark.usefixtures("needs_nvrtc")
@pytest.mark.parametrize("file", [*FILES, *UPDATES], ids=lambda file: f"{file.parent.name}-{file.stem}")
class TestCompiled:
    @pytest.mark.parametrize("arch", nvrtc.ARCHITECTURES)
    def test_float32(self, file, arch):
        """All in registers, within the budgets, and none of the 64-bit arithmetic that most GPUs have a 32nd or 64th of."""
        compiled = nvrtc.compile(file.read_text(), ("-DREAL=float", "-DWINNER=unsigned char"), arch=arch, file=file.parent.name)
        assert compiled.kernels
        for name, kernel in compiled.kernels.items():
            assert (kernel.spill_stores, kernel.spill_loads, kernel.stack) == (0, 0, 0), name
            assert kernel.registers <= REGISTERS[file.stem], name
            assert kernel.shared <= SHARED_BYTES[file.stem], name
        assert nvrtc.double_precision(compiled.ptx) == []

    @pytest.mark.parametrize("arch", nvrtc.ARCHITECTURES[::3])  # the oldest and the newest
    def test_float64(self, file, arch):
        compiled = nvrtc.compile(file.read_text(), ("-DREAL=double", "-DWINNER=unsigned short"), arch=arch, file=file.parent.name)
        for name, kernel in compiled.kernels.items():
            assert (kernel.spill_stores, kernel.spill_loads) == (0, 0), name
            assert kernel.shared <= 2 * SHARED_BYTES[file.stem], name


@pytest.mark.usefixtures("needs_nvrtc")
@pytest.mark.parametrize("operation", ["conv", "pointwise_conv"])
def test_tiles_are_read_four_numbers_at_once(operation):
    """The products' first factor lies in a row for a thread, so one instruction of 128 bits reads four of it."""
    file = OPERATIONS / operation / "gpu_tiled.cu"
    _, *entries = nvrtc.compile(file.read_text(), ("-DREAL=float",), file=operation).ptx.split(".entry ")
    for entry in entries:
        assert ("ld.shared.v4" in entry) != entry.startswith("add_chunks(")
