"""Every implementation of an operation has the functions of its reference."""

import inspect

import numpy as np
import pytest

from xception_np import implementations, ops
from xception_np.errors import InputError


def passes(public):
    """The functions of an operation that choose an implementation: forward, backward, and what else it may offer."""
    functions = (value for value in vars(public).values() if inspect.isfunction(value) and value.__module__ == public.__name__)
    return [function.__name__ for function in functions if "implementation" in inspect.signature(function).parameters]


@pytest.mark.parametrize("operation", ops.__all__)
def test_implementations_share_names_and_signatures(operation):
    public = getattr(ops, operation)
    for name in passes(public):
        wanted = [p for p in inspect.signature(getattr(public, name)).parameters if p != "implementation"]
        for implementation in (*implementations.ON_NUMPY, "emulated", "emulated_naive"):
            module = implementations.load(public.__name__, implementation)
            assert list(inspect.signature(getattr(module, name)).parameters) == wanted


@pytest.mark.parametrize("operation", ops.__all__)
def test_the_reference_has_no_other_public_function(operation):
    public = getattr(ops, operation)
    module = implementations.load(public.__name__, "reference")
    own = [name for name, value in vars(module).items() if inspect.isfunction(value) and value.__module__ == module.__name__]
    assert [name for name in own if not name.startswith("_")] == passes(public)


def test_passes():
    assert passes(ops.relu) == ["forward", "backward"]
    assert passes(ops.conv) == ["forward", "backward", "weight_gradient"]


@pytest.mark.parametrize("operation", ops.__all__)
def test_forward_says_shapes_and_errors(operation):
    public = getattr(ops, operation)
    for section in ("Parameters", "Returns", "Raises"):
        assert f"{section}\n" in public.forward.__doc__
    assert public.backward.__doc__
    assert public.Cache.__doc__


def test_an_unknown_implementation_is_named():
    with pytest.raises(InputError, match="implementation is 'fast'; expected one of 'reference', 'cpu'"):
        ops.relu.forward(np.zeros(3), implementation="fast")
