import pytest

pytest.importorskip("torch", reason="parity with PyTorch needs torch: pip install 'xception-np[parity]'")

import configurations
import torch
import torch.nn.functional as F
from parity import comparisons

from xception_np import implementations, ops
from xception_np.check.comparison import compare, require_all
from xception_np.check.draw import Draw

pytestmark = pytest.mark.parity

CHUNKS, CHUNK = 6, 10  # 60 configurations of each operation
BUDGET = 1e-10  # rounding: sums of some hundred terms make 1e-14 to 1e-13 of the largest


@pytest.mark.parametrize("implementation", implementations.ON_NUMPY)
@pytest.mark.parametrize("chunk", range(CHUNKS))
@pytest.mark.parametrize("operation", configurations.ARGUMENTS)
def test_operation_is_pytorchs(operation, chunk, implementation):
    calls = configurations.of(operation, CHUNK, seed=chunk)
    require_all([comparison for call in calls for comparison in comparisons(call, implementation, BUDGET)])


@pytest.mark.parametrize("implementation", implementations.ON_NUMPY)
def test_average_pool_does_not_count_the_padding(implementation):
    for _, what, (x, geometry) in configurations.symmetric_pools(CHUNKS * CHUNK, seed=0):
        y, cache = ops.avg_pool.forward(x, geometry, implementation=implementation)
        dy = Draw(what).normal(*y.shape)
        dx = ops.avg_pool.backward(dy, cache, implementation=implementation)

        torch_x = torch.tensor(x.transpose(0, 3, 1, 2), requires_grad=True)
        padding = tuple(before for before, _ in geometry.padding)
        torch_y = F.avg_pool2d(torch_x, geometry.kernel, geometry.stride, padding, count_include_pad=False)
        torch_y.backward(torch.tensor(dy.transpose(0, 3, 1, 2)))

        compare(y, torch_y.detach().numpy().transpose(0, 2, 3, 1), BUDGET, f"{what}: y").require()
        compare(dx, torch_x.grad.numpy().transpose(0, 2, 3, 1), BUDGET, f"{what}: dx").require()
