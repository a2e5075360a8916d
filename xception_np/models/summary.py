"""Counting a network, layer by layer."""

import itertools
from collections import Counter

from xception_np.layers import Branches, Chain, Layer, NormSeparable, ReluSeparable, Residual
from xception_np.ops import spec
from xception_np.ops.spec import Cost


def total(chain: Chain, x_shape: tuple[int, ...]) -> Cost:
    """What a forward pass costs: the sum over the layers."""
    return spec.total(row.cost for row in chain.rows(x_shape))


def activation_bytes(chain: Chain, x_shape: tuple[int, ...]) -> int:
    """Bytes that a training step keeps for the backward pass: every array once, although two layers may keep it."""
    return sum(kept_by(chain, x_shape).values())


def kept_by(chain: Chain, x_shape: tuple[int, ...]) -> dict[str, int]:
    """Which layers keep how many bytes for the backward pass of a training step, by the layer's name.

    A ReLU and the layer after it keep the same array, and so do the paths of a module, whose input is one: it is counted once, and
    is the first one's. Batch-norm statistics and parameters are not counted.
    """
    kept: dict[int, tuple[str, int]] = {}  # whose, and how many bytes, by the number of the array
    arrays = itertools.count()

    def through(layer: Layer, x: int, shape: tuple[int, ...]) -> int:
        """The number of the array that comes out of a layer when the array number x goes in."""
        match layer:
            case NormSeparable() | ReluSeparable():
                first = layer.layers[0]
                kept.setdefault(x, (first.own_name, first.cost(shape).bytes_cached))
                return next(arrays)
            case Chain():
                for inner in layer.layers:
                    x, shape = through(inner, x, shape), inner.output_shape(shape)
                return x
            case Residual():
                through(layer.main, x, shape)
                through(layer.shortcut, x, shape)
                return next(arrays)
            case Branches():
                for branch in layer.branches:
                    through(branch, x, shape)
                return next(arrays)
        y = x if layer.keeps == "none" else next(arrays)
        own = next(arrays)
        size = layer.cost(shape).bytes_cached
        if size:
            kept.setdefault({"x": x, "y": y, "own": own}[layer.keeps], (layer.own_name, size))
        return y

    through(chain, next(arrays), x_shape)
    found: Counter[str] = Counter()
    for name, size in kept.values():
        found[name] += size
    return found


def text(chain: Chain, x_shape: tuple[int, ...]) -> str:
    """A line a layer: shape of its result, parameters, multiply-adds, and bytes that a training step keeps."""
    rows = chain.rows(x_shape)
    width = max(len(row.name) for row in rows) + 2
    lines = [
        f"{chain.name}, input {_dims(x_shape)}",
        f"{'layer':<{width}}{'kind':<16}{'output':<20}{'parameters':>12}{'multiply-adds':>16}{'kept, KiB':>12}",
    ]
    for name, kind, shape, cost in rows:
        lines.append(
            f"{name:<{width}}{kind:<16}{_dims(shape):<20}{cost.parameters:>12,}{cost.macs:>16,}{cost.bytes_cached / 1024:>12,.0f}"
        )
    parameters, macs, _, _ = total(chain, x_shape)
    kept = activation_bytes(chain, x_shape)
    lines += [
        f"{'total':<{width + 36}}{parameters:>12,}{macs:>16,}{kept / 1024:>12,.0f}",
        "All parameters are trainable; the moving statistics of batch normalisation are not counted.",
        "Where two layers keep the same array, such as a ReLU and the layer after it, each shows it; the total counts it once.",
    ]
    return "\n".join(lines)


def _dims(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))
