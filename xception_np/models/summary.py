"""Counting a network, layer by layer."""

from xception_np.layers import Chain
from xception_np.ops.spec import Cost


def total(chain: Chain, x_shape: tuple[int, ...]) -> Cost:
    """What a forward pass costs: the sum over the layers."""
    return Cost(*map(sum, zip(*(row.cost for row in chain.rows(x_shape)), strict=True)))


def text(chain: Chain, x_shape: tuple[int, ...]) -> str:
    """A line a layer: shape of its result, parameters, multiply-adds, and bytes that a training step keeps."""
    lines = [
        f"{chain.name}, input {_dims(x_shape)}",
        f"{'layer':<26}{'kind':<16}{'output':<20}{'parameters':>12}{'multiply-adds':>16}{'kept, KiB':>12}",
    ]
    for name, kind, shape, cost in chain.rows(x_shape):
        lines.append(
            f"{name:<26}{kind:<16}{_dims(shape):<20}{cost.parameters:>12,}{cost.macs:>16,}{cost.bytes_cached / 1024:>12,.0f}"
        )
    parameters, macs, _, kept = total(chain, x_shape)
    lines += [
        f"{'total':<62}{parameters:>12,}{macs:>16,}{kept / 1024:>12,.0f}",
        "All parameters are trainable; the moving statistics of batch normalisation are not counted.",
        "A ReLU and the layer after it keep the same array: it is counted for both.",
    ]
    return "\n".join(lines)


def _dims(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))
