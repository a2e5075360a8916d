"""What data sheets allow, by hand."""

import pytest

from xception_np import cost, models
from xception_np.geometry import Geometry
from xception_np.ops import batch_norm, depthwise_conv, pointwise_conv
from xception_np.ops.spec import Cost

NAMES = ("A100 40 GB", "H100 SXM", "RTX 4090")


@pytest.mark.parametrize(
    ("of", "microseconds"),
    [
        (depthwise_conv.cost((32, 147, 147, 128), (3, 3, 128, 1), Geometry(3)), (455, 211, 702)),  # waits for memory
        (pointwise_conv.cost((32, 19, 19, 728), (728, 728)), (628, 183, 148)),  # for multipliers
        (batch_norm.cost((32, 147, 147, 128)), (455, 211, 702)),  # x and y, as a depthwise convolution
    ],
)
def test_layers_of_xception_at_batch_32(of, microseconds):
    assert [1e6 * cost.GPUS[name].at_least(of) for name in NAMES] == pytest.approx(microseconds, rel=3e-3)


def test_the_longer_of_two_times():
    gpu = cost.GPU(operations=200, bandwidth=10)
    assert gpu.at_least(Cost(macs=1000, bytes_moved=50)) == 10
    assert gpu.at_least(Cost(macs=100, bytes_moved=50)) == 5


def test_a_network_is_its_operations():
    lines = cost.count(models.outline(models.find("xception")), (32, 299, 299, 3))
    for name in NAMES:
        least = cost.at_least(lines, cost.GPUS[name])
        assert list(least) == [line.name for line in lines]
        step = cost.at_least(lines, cost.GPUS[name], training=True)
        assert all(2 * least[line.name] <= step[line.name] for line in lines if line.cost.macs)
