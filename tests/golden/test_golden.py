import json
import runpy
from importlib import import_module
from pathlib import Path

import pytest
from safetensors import safe_open
from safetensors.numpy import load_file

from xception_np import implementations, ops
from xception_np.check.comparison import compare, require_all
from xception_np.check.operations import as_list
from xception_np.geometry import Geometry

FOLDER = Path(__file__).parent
FILES = sorted(FOLDER.glob("*.safetensors"))
BUDGET = 1e-12  # rounding, another processor's too: sums of at most some hundred terms, 1e-14 of the largest


def load(path):
    """The arrays and the cases of a golden file."""
    with safe_open(path, framework="numpy") as file:
        return load_file(path), json.loads(file.metadata()["cases"])


def value(described, arrays):
    """What a JSON description stands for."""
    match described:
        case {"array": name}:
            return arrays[name]
        case {"geometry": fields}:
            return Geometry(**fields)
        case list():
            return [value(item, arrays) for item in described]
    return described


def test_every_operation_has_a_file():
    assert {path.stem for path in FILES} == set(ops.__all__) - {"dropout"}


@pytest.mark.parametrize("implementation", implementations.ON_NUMPY)
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_operation_is_as_recorded(path, implementation):
    operation = import_module(f"xception_np.ops.{path.stem}")
    arrays, cases = load(path)
    found = []
    for case in cases:
        arguments, dy, expected_y, expected = (value(case[key], arrays) for key in ("arguments", "dy", "y", "gradients"))
        y, cache = operation.forward(*arguments, implementation=implementation)
        gradients = as_list(operation.backward(dy, cache, implementation=implementation))
        found.append(compare(y, expected_y, BUDGET, f"{path.stem}, {case['name']}: y"))
        for number, pair in enumerate(zip(gradients, expected, strict=True)):
            found.append(compare(*pair, BUDGET, f"{path.stem}, {case['name']}: gradient {number}"))
    require_all(found)


@pytest.mark.parity
def test_files_are_what_the_script_writes():
    pytest.importorskip("torch", reason="writing golden files needs torch: pip install 'xception-np[parity]'")
    golden = runpy.run_path(str(FOLDER / "make_golden.py"))["golden"]()
    assert {path.stem for path in FILES} == golden.keys()
    for path in FILES:
        arrays, cases = load(path)
        new_arrays, new_cases = golden[path.stem]
        assert cases == json.loads(json.dumps(new_cases))
        assert arrays.keys() == new_arrays.keys()
        require_all([compare(arrays[name], array, BUDGET, f"{path.name}, {name}") for name, array in new_arrays.items()])
