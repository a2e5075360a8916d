import subprocess
import sys
import types

import numpy as np
import pytest

from xception_np import arrays, implementations, kernels, ops
from xception_np.emulator import device
from xception_np.errors import InputError

X = np.array([[1.0, -2.0, 3.0]])


def on_device(array=X):
    return arrays.to_device(array, "emulated")


@pytest.fixture
def stand_in(monkeypatch):
    """A module that looks like CuPy with a GPU, as far as this project uses it, and whose GPU is the emulated one."""
    cupy = types.ModuleType("cupy")
    for name in device.__all__:
        setattr(cupy, name, getattr(device, name))
    runtime = types.SimpleNamespace(getDeviceCount=lambda: 1, CUDARuntimeError=type("CUDARuntimeError", (RuntimeError,), {}))
    cupy.cuda = types.SimpleNamespace(runtime=runtime)
    monkeypatch.setitem(sys.modules, "cupy", cupy)
    monkeypatch.setattr(arrays, "_place_of_type", {})  # the emulator's arrays are CuPy's now
    yield cupy
    for known in (kernels._module, kernels._kernel):
        known.cache_clear()


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
    assert [line.split()[0] for line in lines if not line.startswith("*")] == [
        "reference",
        "gpu",
        "emulated",
        "gpu_naive",
        "emulated_naive",
    ]
    assert [line.split()[1] for line in lines if line.startswith("*")] == ["cpu"]


def test_every_operation_has_every_implementation():
    for operation in ops.__all__:
        for name in (*implementations.ON_NUMPY, "emulated", "emulated_naive"):
            assert implementations.load(f"xception_np.ops.{operation}", name)


@pytest.mark.usefixtures("needs_compiler")
def test_where_the_arrays_are_decides():
    for default in implementations.ON_NUMPY:
        with implementations.use(default):
            y, cache = ops.relu.forward(on_device())
            assert isinstance(y, device.ndarray)
            assert isinstance(ops.relu.backward(y, cache), device.ndarray)
    assert isinstance(ops.relu.forward(X)[0], np.ndarray)
    assert isinstance(ops.relu.forward(on_device(), implementation="emulated")[0], device.ndarray)


@pytest.mark.usefixtures("needs_compiler")
def test_a_rung_is_named_for_one_call_or_for_many():
    conv, relu = "xception_np.ops.conv", "xception_np.ops.relu"
    x = on_device()
    assert implementations.load(conv, x=x).__name__ == f"{conv}.gpu_tiled"
    assert implementations.load(conv, "emulated_naive", x=x).__name__ == f"{conv}.gpu"
    with implementations.use("emulated_naive"):
        assert implementations.load(conv, x=x).__name__ == f"{conv}.gpu"
        with pytest.raises(InputError, match="x is in NumPy but implementation 'emulated_naive' computes on the emulated GPU"):
            implementations.load(conv, x=X)
    assert implementations.load(relu, x=x).__name__ == implementations.load(relu, "emulated_naive", x=x).__name__ == f"{relu}.gpu"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ops.relu.forward(X, implementation="emulated"), r"x is in NumPy .* arrays.to_device\(x, 'emulated'\)"),
        (lambda: ops.relu.forward(on_device(), implementation="cpu"), r"x is on the emulated GPU .* arrays.to_host\(x\)"),
        (lambda: ops.relu.forward(on_device(), implementation="reference"), "x is on the emulated GPU but .*'reference'"),
        (lambda: ops.add.forward(X, on_device()), "b is on the emulated GPU but a is in NumPy; expected both in one place"),
        (
            lambda: ops.concat.forward([on_device(X[None, None]), X[None, None]]),
            r"branches\[1\] is in NumPy but",
        ),
        (lambda: ops.relu.backward(on_device(), ops.relu.Cache(X)), "cache is in NumPy but implementation 'emulated'"),
        (lambda: ops.relu.backward(X, ops.relu.Cache(on_device())), r"cache is on the emulated GPU .* arrays.to_host\(cache\)"),
        (lambda: ops.softmax_cross_entropy.forward(on_device(), np.array([0])), "labels is in NumPy but logits is on the emulated"),
    ],
)
def test_arrays_elsewhere(call, message, monkeypatch):
    monkeypatch.setattr(kernels, "launch", None)  # nothing is launched
    with pytest.raises(InputError, match=message):
        call()


def test_a_default_that_the_arrays_do_not_fit():
    with implementations.use("emulated"), pytest.raises(InputError, match="x is in NumPy but implementation 'emulated'"):
        ops.relu.forward(X)


def test_without_cupy(monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", None)
    for call in (lambda: ops.relu.forward(X, implementation="gpu"), lambda: arrays.to_device(X, "gpu")):
        with pytest.raises(InputError, match="'gpu' needs CuPy, which is not installed; expected pip install 'xception"):
            call()
    with pytest.raises(InputError, match="needs CuPy"), implementations.use("gpu"):
        pass


def test_without_a_gpu(stand_in):
    def refuse():
        raise stand_in.cuda.runtime.CUDARuntimeError("no driver")

    for count in (refuse, lambda: 0):
        stand_in.cuda.runtime.getDeviceCount = count
        with pytest.raises(InputError, match="'gpu' needs an NVIDIA GPU, and CuPy finds none; expected"):
            ops.relu.forward(X, implementation="gpu")


def test_only_a_gpu_is_waited_for(stand_in):
    waited = []
    stand_in.cuda.get_current_stream = lambda: types.SimpleNamespace(synchronize=lambda: waited.append("gpu"))
    for place in arrays.WHERE:
        arrays.finish(place)
    assert waited == ["gpu"]


def test_the_way_through_cupy(stand_in):
    """CuPy's RawModule takes no name of a file."""
    made = []

    class Kernel:
        def __call__(self, grid, block, args, *, shared_mem=0):
            made.append((grid, block, [getattr(value, "dtype", None) for value in args], shared_mem))

    class RawModule:
        def __init__(self, code, *, options):
            made.append((code.splitlines()[0], options))

        def get_function(self, name):
            return Kernel()

    stand_in.RawModule = RawModule
    x = arrays.to_device(X, "gpu")
    assert arrays.place_of(x) == "gpu"
    y, cache = ops.relu.forward(x)
    ops.relu.backward(y, cache, implementation="gpu")
    double = np.dtype(np.float64)
    assert made[0][1] == ("-DREAL=double",)
    assert made[1] == ((1,), (256,), [double, double, np.dtype(np.int64)], 0)
    assert made[2] == ((1,), (256,), [double, double, double, np.dtype(np.int64)], 0)
    with pytest.raises(InputError, match="x is on a GPU but implementation 'cpu' computes in NumPy"):
        ops.relu.forward(x, implementation="cpu")


def test_an_operation_without_kernels(tmp_path, monkeypatch):
    package = tmp_path / "no_kernels_yet"
    package.mkdir()
    (package / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(InputError, match="operation no_kernels_yet has no CUDA kernel yet; expected NumPy arrays"):
        implementations.load("no_kernels_yet", "emulated")
    (package / "gpu.py").write_text("import missing_altogether")
    with pytest.raises(ModuleNotFoundError, match="missing_altogether"):
        implementations.load("no_kernels_yet", "emulated")


def test_importing_the_package_compiles_nothing():
    program = "import sys, xception_np, xception_np.ops; print('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout == "False\n"
