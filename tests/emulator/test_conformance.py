"""The emulated device has nothing that CuPy does not have: names and signatures, against CuPy itself."""

import inspect
import re
from pathlib import Path

import pytest

import xception_np
from xception_np import arrays
from xception_np.emulator import RawKernel, RawModule, device
from xception_np.errors import InputError

cupy = pytest.importorskip("cupy", reason="the extra `gpu` is not installed")

PACKAGE = Path(xception_np.__file__).parent
HOST_CODE = [PACKAGE / "arrays.py", PACKAGE / "kernels.py", PACKAGE / "commands" / "selfcheck.py"]  # all that names CuPy
METHODS = ["reshape", "ravel", "copy", "get", "set", "__getitem__"]
PROPERTIES = ["shape", "dtype", "size", "ndim", "itemsize", "nbytes", "strides", "flags"]


def signature(function):
    """A signature; compiled code has its own in the first line of its docstring, with the types of C in it."""
    try:
        return inspect.signature(function)
    except ValueError:
        inside = re.search(r"\((.*)\)", function.__doc__.splitlines()[0])[1]
        if "**kwargs" in inside:  # then the third line has the whole
            inside = re.search(r"\((.*)\)", function.__doc__.splitlines()[2].replace("\\*", "*"))[1]
        names = {}
        exec(f"def read({re.sub(r'(?:str|tuple|bool) (?=[a-z])', '', inside)}): pass", names)
        return inspect.signature(names["read"])


def parameters(function):
    return [each for each in signature(function).parameters.values() if each.name != "self"]


def require_part_of(ours, theirs):
    """Whatever fits our parameters fits theirs, and means the same: by position, and by name where we take a name."""
    theirs = parameters(theirs)
    named = {each.name: each for each in theirs}
    for place, each in enumerate(parameters(ours)):
        if each.kind is each.POSITIONAL_ONLY:
            assert theirs[place].kind in (each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD, each.VAR_POSITIONAL), each
            continue
        assert each.name in named, f"{each} is not one of {named}"
        other = named[each.name]
        assert other.default == each.default, f"{each} is {other}"
        if each.kind is each.POSITIONAL_OR_KEYWORD:
            assert theirs[place].name == each.name, f"{each} is at place {place}, where CuPy has {theirs[place]}"
        else:
            assert other.kind is each.kind, f"{each} is {other}"
    needed = [each for each in theirs if each.default is each.empty and each.kind not in (each.VAR_POSITIONAL, each.VAR_KEYWORD)]
    assert len(needed) <= len(parameters(ours)), needed


def test_every_name_is_one_of_cupy():
    for name in device.__all__:
        assert hasattr(cupy, name), name


@pytest.mark.parametrize("name", ["empty", "zeros", "asarray", "asnumpy"])
def test_functions(name):
    require_part_of(getattr(device, name), getattr(cupy, name))


def test_arrays_have_nothing_else():
    own = {name for name in vars(device.ndarray) if not name.startswith("_")}
    assert own | {"shape", "dtype"} == {*METHODS, *PROPERTIES} - {"__getitem__"}


@pytest.mark.parametrize("name", METHODS)
def test_methods_of_arrays(name):
    require_part_of(getattr(device.ndarray, name), getattr(cupy.ndarray, name))


@pytest.mark.parametrize("name", PROPERTIES)
def test_properties_of_arrays(name):
    assert not callable(getattr(cupy.ndarray, name))


def test_flags():
    assert not callable(type(cupy._core.flags.Flags(1, 1, 1)).c_contiguous)


def test_kernels():
    ours = {each.name: each.default for each in parameters(RawModule)}
    first = cupy.RawModule.__doc__.splitlines()[0]
    assert first.startswith("RawModule(str code=None, *, ")
    assert "tuple options=()" in first
    assert set(ours) == {"code", "options", "file"}  # the last is ours alone, and `kernels.py` gives it to us alone
    assert ours["options"] == ()
    require_part_of(RawModule.get_function, cupy.RawModule.get_function)
    require_part_of(RawKernel.__call__, cupy.RawKernel.__call__)
    assert hasattr(cupy.RawKernel, "max_dynamic_shared_size_bytes")


def test_host_code_uses_no_name_that_cupy_has_not():
    assert {path for path in PACKAGE.rglob("*.py") if "cupy." in path.read_text()} <= {*HOST_CODE}
    modules = r"(?:\bcupy|\bmodule|\bruntime|arrays\.device\(\w+\)|sys\.modules\[_DEVICES\[place\]\])"
    found = set()
    for path in HOST_CODE:
        found |= {chain.removeprefix("cuda.runtime.") for chain in re.findall(rf"{modules}\.((?:\w+\.)*\w+)", path.read_text())}
    assert {"empty", "asarray", "RawModule", "getDeviceCount", "CUDARuntimeError", "ndarray"} <= found
    for chain in found:
        value = cupy
        for name in chain.split("."):
            assert hasattr(value, name) or hasattr(cupy.cuda.runtime, name), chain
            value = getattr(value, name, None)


def test_without_a_gpu_there_is_a_sentence():
    try:
        count = cupy.cuda.runtime.getDeviceCount()
    except cupy.cuda.runtime.CUDARuntimeError:
        count = 0
    if count:
        assert arrays.device("gpu") is cupy
    else:
        with pytest.raises(InputError, match="needs an NVIDIA GPU, and CuPy finds none"):
            arrays.device("gpu")
