"""A wrong argument on a device gets the CPU's message, before any kernel is launched."""

from types import SimpleNamespace

import numpy as np
import pytest

from xception_np import arrays, kernels, ops
from xception_np.check import cases
from xception_np.emulator import device
from xception_np.errors import InputError
from xception_np.geometry import Geometry
from xception_np.random import Purpose, Stream

FIRST = [cases.of(operation)[0] for operation in ops.__all__]
ARRAYS = [
    pytest.param(case, position, name, id=f"{case.operation} {name}")
    for case in FIRST
    for name, position, _ in case.differentiable(case.arguments())
    if "[" not in name  # concat's branches have their own test
]
CHANGES = {
    "float16": lambda array: array.astype(np.float16),
    "int64": lambda array: array.astype(np.int64),
    "no element": lambda array: array[:0],
    "no axis": lambda array: array.reshape(-1)[0].reshape(()),
}


def there(value):
    return arrays.to_device(value, "emulated")


def message_of(function, *arguments) -> str:
    with pytest.raises(InputError) as caught:
        function(*arguments)
    return str(caught.value)


class NotContiguous(device.ndarray):
    """What CuPy has and the emulator does not: an array that is a part of another one's columns."""

    @classmethod
    def like(cls, array):
        shaped = there(np.ascontiguousarray(array))
        made = cls(shaped._allocation, 0, shaped.shape, shaped.dtype)
        made._strides = array.strides
        return made

    @property
    def strides(self):
        return self._strides

    @property
    def flags(self):
        return SimpleNamespace(c_contiguous=False)


@pytest.fixture
def no_launch(monkeypatch):
    def launch(*_, **__):
        raise AssertionError("a kernel was launched")

    monkeypatch.setattr(kernels, "launch", launch)


@pytest.mark.usefixtures("no_launch")
@pytest.mark.parametrize(("case", "position", "name"), ARRAYS)
class TestEveryArray:
    @pytest.mark.parametrize("change", CHANGES)
    def test_the_same_message(self, case, position, name, change):
        arguments = list(case.arguments())
        arguments[position] = CHANGES[change](arguments[position])
        expected = message_of(case.module.forward, *arguments)
        assert message_of(case.module.forward, *there(arguments)) == expected

    def test_not_contiguous(self, case, position, name):
        arguments = list(case.arguments())
        arguments[position] = np.repeat(arguments[position], 2, axis=-1)[..., ::2]
        expected = message_of(case.module.forward, *arguments)
        moved = [NotContiguous.like(each) if k == position else there(each) for k, each in enumerate(arguments)]
        assert message_of(case.module.forward, *moved) == expected

    def test_in_numpy_among_device_arrays(self, case, position, name):
        arguments = list(there(case.arguments()))
        if sum(arrays.place_of(argument) is not None for argument in arguments) > 1:
            arguments[position] = arrays.to_host(arguments[position])
            assert "in NumPy" in message_of(case.module.forward, *arguments)
            assert "expected both in one place" in message_of(case.module.forward, *arguments)


@pytest.mark.parametrize("case", FIRST, ids=str)
@pytest.mark.usefixtures("no_launch")
def test_upstream_gradient(case):
    y, cache = case.forward(case.arguments(), "reference")
    cache_there = there(cache)
    wrong = ["1", float("nan")] if isinstance(y, float) else [y[..., :0], y.astype(np.float32), np.array(1.0)]
    for dy in wrong:
        expected = message_of(case.module.backward, dy, cache)
        assert message_of(case.module.backward, there(dy), cache_there) == expected


@pytest.mark.parametrize("case", FIRST, ids=str)
@pytest.mark.usefixtures("no_launch")
def test_a_cache_that_is_another_ones_or_elsewhere(case):
    y, cache = case.forward(case.arguments(), "reference")
    dy = case.upstream(np.asarray(y))
    expected = message_of(case.module.backward, dy, (1, 2))
    assert message_of(case.module.backward, there(dy), (1, 2)) == expected
    if isinstance(dy, np.ndarray) and arrays.nbytes(tuple(cache)):
        found = message_of(case.module.backward, there(dy), cache)
        assert found.startswith(
            "cache is in NumPy but implementation 'emulated' computes on the emulated GPU; expected cache there"
        )


@pytest.mark.usefixtures("no_launch")
@pytest.mark.parametrize(
    ("operation", "arguments"),
    [
        (ops.conv, (np.zeros((1, 2, 2, 3)), np.zeros((3, 3, 3, 4)), Geometry(3, padding="valid"))),
        (ops.conv, (np.zeros((1, 5, 5, 3)), np.zeros((3, 3, 3, 4)), Geometry(5))),
        (ops.conv, (np.zeros((1, 5, 5, 3)), np.zeros((3, 3, 3, 4)), 3)),
        (ops.grouped_conv, (np.zeros((1, 5, 5, 6)), np.zeros((3, 3, 3, 4)), Geometry(3), 4)),
        (ops.grouped_conv, (np.zeros((1, 5, 5, 6)), np.zeros((3, 3, 2, 4)), Geometry(3), 2)),
        (ops.max_pool, (np.zeros((1, 5, 5, 6)), Geometry(2, padding=((2, 0), (0, 0))))),
        (ops.pointwise_conv, (np.zeros((1, 5, 5, 6)), np.zeros((5, 4)))),
        (ops.batch_norm, (np.zeros((2, 3)), np.zeros(3), np.zeros(3), 0.0)),
        (ops.batch_norm, (np.zeros((2, 3)), np.zeros(3), np.zeros(3), 1e-3, "elu")),
        (ops.batch_norm_inference, (np.zeros((2, 3)), np.zeros(3), np.zeros(3), np.zeros(3), np.array([1.0, -1, 1]))),
        (ops.dropout, (np.zeros(3), 1.0, Stream(0, Purpose.DROPOUT))),
        (ops.dropout, (np.zeros(3), 0.5, Stream(-1, Purpose.DROPOUT))),
        (ops.add, (np.zeros((2, 3)), np.zeros((2, 1)))),
        (ops.concat, ([np.zeros((1, 2, 2, 3)), np.zeros((1, 2, 3, 3))],)),
        (ops.concat, ([np.zeros((1, 2, 2, 3)), np.zeros((1, 2, 2, 3), np.float32)],)),
        (ops.softmax_cross_entropy, (np.zeros((3, 4)), np.array([0, 1, 4]))),
        (ops.softmax_cross_entropy, (np.zeros((3, 4)), np.array([0, 1]))),
        (ops.softmax_cross_entropy, (np.zeros((3, 4)), [0, 1, 2])),
        (ops.softmax_cross_entropy, (np.zeros((3, 4)), np.full((3, 4), 0.3))),
        (ops.softmax_cross_entropy, (np.zeros((3, 4)), np.array([0, 1, 3]), 1.0)),
        (ops.sigmoid_cross_entropy, (np.zeros((3, 4)), np.full((3, 4), 2.0))),
        (ops.sigmoid_cross_entropy, (np.zeros((3, 4)), np.full((3, 4), np.nan))),
    ],
)
def test_the_same_message(operation, arguments):
    expected = message_of(operation.forward, *arguments)
    assert message_of(operation.forward, *there(arguments)) == expected
