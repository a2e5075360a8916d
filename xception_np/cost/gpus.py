"""What a network would take at least on a few GPUs: the roofline of their data sheets. A model, never a measurement.

    t >= max(multiply-adds / peak, bytes moved / bandwidth)

An operation that does what is counted cannot be faster on that GPU, in float32 without tensor cores, unless its arrays stay in a
cache. Less would do for some: a strided 1x1 convolution need not read every pixel of x, and a 3x3 one can be computed with fewer
multiplications (Winograd's algorithm). How much slower a kernel is, only a GPU shows.

Peaks are of NVIDIA's data sheets, in float32 operations a second, of which a multiply-add is two.
"""

from collections.abc import Iterable
from typing import NamedTuple

from xception_np.cost.counting import Line
from xception_np.ops.spec import Cost


class GPU(NamedTuple):
    """Two numbers of a data sheet: float32 operations a second, and bytes a second."""

    operations: float
    bandwidth: float

    def at_least(self, cost: Cost) -> float:
        """Seconds that one pass takes at least."""
        return max(2 * cost.macs / self.operations, cost.bytes_moved / self.bandwidth)


GPUS = {
    "A100 40 GB": GPU(19.5e12, 1555e9),
    "H100 SXM": GPU(66.9e12, 3350e9),
    "RTX 4090": GPU(82.6e12, 1008e9),
}


def at_least(lines: Iterable[Line], gpu: GPU, training: bool = False) -> dict[str, float]:
    """Seconds that every operation takes at least, by its name; lines as `count` returned them, passes as in `predict`."""
    return {line.name: sum(map(gpu.at_least, line.passes(training))) for line in lines}
