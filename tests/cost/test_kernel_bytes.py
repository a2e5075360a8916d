"""The model of a kernel's bytes, by hand; tests/ops/test_kernels.py holds it against what the emulator counts."""

import numpy as np
import pytest

from xception_np import arrays, kernels, ops
from xception_np.cost.kernel_bytes import Launch, kernel_bytes
from xception_np.geometry import Geometry


@pytest.fixture
def launches(monkeypatch):
    """What would have been launched."""
    made = []
    monkeypatch.setattr(kernels, "launch", lambda *arguments, **more: made.append(Launch.of(*arguments, **more)))
    return made


def device(*shape):
    return arrays.to_device(np.ones(shape, np.float32), "emulated")


def test_all_of_everything(launches):
    y, cache = ops.pointwise_conv.forward(device(2, 3, 5, 7), device(7, 11))
    ops.pointwise_conv.backward(y, cache)
    forward, backward_x, backward_weight, add_chunks = map(kernel_bytes, launches)
    x, weight, y = 4 * 30 * 7, 4 * 77, 4 * 30 * 11
    assert forward == {"x": x, "weight": weight, "y": y}
    assert backward_x == {"dy": y, "weight": weight, "dx": x}
    assert backward_weight == {"dy": y, "x": x, "sums_of_chunks": weight}
    assert add_chunks == {"sums_of_chunks": weight, "dweight": weight}


@pytest.mark.parametrize("rung", ["emulated", "emulated_naive"])
@pytest.mark.parametrize(
    ("operation", "weight"), [("conv", (3, 3, 32, 8)), ("depthwise_conv", (3, 3, 32, 1)), ("pointwise_conv", (32, 8))]
)
def test_where_all_is_seen_it_is_what_the_operation_costs(launches, operation, weight, rung):
    module, geometry = getattr(ops, operation), [Geometry(3)] * (operation != "pointwise_conv")
    module.forward(device(2, 9, 10, 32), device(*weight), *geometry, implementation=rung)
    (forward,) = map(kernel_bytes, launches)
    assert sum(forward.values()) == module.cost((2, 9, 10, 32), weight, *geometry).bytes_moved


@pytest.mark.parametrize(
    ("rung", "pixels"),
    [
        ("emulated_naive", 3 * 4),  # 2 windows down and 2 across: rows 0, 3 and 4, columns 0, 1, 5 and 6
        ("emulated", 5 * 9),  # rows 0 to 4, of a tile of 2 windows; a tile of 8 columns sees all that there are
    ],
)
def test_pixels_between_windows(launches, rung, pixels):
    geometry = Geometry((2, 2), (4, 5), padding=((1, 0), (0, 0)))
    ops.depthwise_conv.forward(device(1, 6, 9, 3), device(2, 2, 3, 1), geometry, implementation=rung)
    (forward,) = map(kernel_bytes, launches)
    assert forward == {"x": 4 * 3 * pixels, "weight": 4 * 4 * 3, "y": 4 * 2 * 2 * 3}


def test_taps_on_the_padding(launches):
    """Of a kernel of 5 x 5 over 1 pixel, the tap in the middle is on it, and 24 are beside it."""
    for rung, taps in (("emulated_naive", 1), ("emulated", 25)):
        ops.conv.forward(device(1, 1, 1, 2), device(5, 5, 2, 3), Geometry(5), implementation=rung)
        assert kernel_bytes(launches[-1]) == {"x": 8, "weight": 4 * taps * 2 * 3, "y": 12}


def test_branches(launches):
    ops.concat.forward([device(1, 2, 3, 4), device(1, 2, 3, 5)])
    assert list(map(kernel_bytes, launches)) == [{"branch": 96, "y": 96}, {"branch": 120, "y": 120}]
