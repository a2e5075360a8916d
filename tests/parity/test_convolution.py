import pytest

pytest.importorskip("torch", reason="parity with PyTorch needs torch: pip install 'xception-np[parity]'")

from collections import Counter

import configurations
import torch
import torch.nn.functional as F
from parity import comparisons

from benchmarks import torch_operations
from xception_np import implementations, ops
from xception_np.check.comparison import compare, require_all
from xception_np.check.draw import Draw
from xception_np.geometry import Geometry

pytestmark = pytest.mark.parity

CHUNKS, CHUNK = 50, 10
CONFIGURATIONS = 500
BUDGET = 1e-10  # sums of at most 1,000 terms, each rounded to 2e-16 of its size: 1e-13 of the largest, and room for other libraries


def test_the_draw():
    drawn = [drawn for chunk in range(CHUNKS) for drawn in configurations.convolutions(CHUNK, chunk)]
    operations = Counter(configuration.operation for calls in drawn for configuration in calls)
    assert len(drawn) == CONFIGURATIONS
    assert operations["grouped_conv"] == CONFIGURATIONS
    assert min(operations["conv"], operations["depthwise_conv"]) > 150
    assert operations["pointwise_conv"] >= 10


@pytest.mark.parametrize("implementation", implementations.ON_NUMPY)
@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_convolution_is_pytorchs(chunk, implementation):
    calls = [call for calls in configurations.convolutions(CHUNK, seed=chunk) for call in calls]
    require_all([comparison for call in calls for comparison in comparisons(call, implementation, BUDGET)])


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")  # a copy, which is what we ask for
@pytest.mark.parametrize("kernel", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("dilation", [1, 2, 3])
def test_same_padding_is_pytorchs_where_it_has_one(kernel, dilation):
    for size in range(1, 12):
        draw = Draw(f"same {size}")
        x, weight = draw.normal(2, size, size + 1, 3), draw.normal(kernel, kernel, 3, 2)
        y, _ = ops.conv.forward(x, weight, Geometry(kernel, dilation=dilation))
        torch_x, torch_weight = torch.tensor(x.transpose(0, 3, 1, 2)), torch.tensor(weight.transpose(3, 2, 0, 1))
        torch_y = F.conv2d(torch_x, torch_weight, padding="same", dilation=dilation).numpy().transpose(0, 2, 3, 1)
        compare(y, torch_y, BUDGET, f"size {size}").require()


def test_same_padding_is_tensorflows():
    for size in range(1, 20):
        for kernel in range(1, 8):
            for stride in range(1, 5):
                for dilation in range(1, 4):
                    rows, columns = Geometry(kernel, stride, dilation).pads(size, 2 * size)
                    assert rows == torch_operations.same_pads(size, kernel, stride, dilation)
                    assert columns == torch_operations.same_pads(2 * size, kernel, stride, dilation)
