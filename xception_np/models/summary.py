"""Counting a network, layer by layer."""

import itertools
from collections import Counter

from xception_np.layers import Branches, Chain, Layer, NormSeparable, ReluSeparable, Residual
from xception_np.ops import spec
from xception_np.ops.spec import Cost

_SIDES = "<<<>>>"  # to which the columns of a summary are pushed


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
    rows, whole = chain.rows(x_shape), total(chain, x_shape)._replace(bytes_cached=activation_bytes(chain, x_shape))
    lines = [
        ("layer", "kind", "output", "parameters", "multiply-adds", "kept, KiB"),
        *((name, kind, _dims(shape), *_numbers(cost)) for name, kind, shape, cost in rows),
        ("total", "", "", *_numbers(whole)),
    ]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        [
            f"{chain.name}, input {_dims(x_shape)}",
            *("  ".join(f"{cell:{side}{width}}" for cell, side, width in zip(line, _SIDES, widths, strict=True)) for line in lines),
            "All parameters are trainable; the moving statistics of batch normalisation are not counted.",
            "Where two layers keep the same array, such as a ReLU and the layer after it, each shows it; the total counts it once.",
        ]
    )


def _numbers(cost: Cost) -> tuple[str, str, str]:
    """Parameters, multiply-adds, and KiB that a training step keeps."""
    return f"{cost.parameters:,}", f"{cost.macs:,}", f"{cost.bytes_cached / 1024:,.0f}"


def _dims(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))
