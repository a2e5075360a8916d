"""Counting a network, operation by operation: nothing is computed, and no memory is needed for its parameters."""

from collections.abc import Iterable
from typing import NamedTuple

from xception_np.cost.kinds import kind_of
from xception_np.cost.passes import training
from xception_np.errors import InputError
from xception_np.layers import Chain, Layer, SeparableConv, visits
from xception_np.models import Table, outline, summary
from xception_np.ops import spec
from xception_np.ops.spec import Cost


class Line(NamedTuple):
    """One operation of a network.

    name : the layer's; with `_depthwise` or `_pointwise` at its end for one half of a separable convolution
    module : the row of the paper's Figure 5 that it belongs to, such as `block5`
    kind : `kinds.kind_of` the layer
    output_shape : of its result
    cost : of a forward pass at inference; `bytes_cached` is what a training step keeps, arrays that two layers keep with the first
    training : the passes of a training step, forward and backward (`passes.training`)
    """

    name: str
    module: str
    kind: str
    output_shape: tuple[int, ...]
    cost: Cost
    training: tuple[Cost, ...]

    def passes(self, training: bool) -> tuple[Cost, ...]:
        """What is done: in a training step, or at inference."""
        return self.training if training else (self.cost,)


def count(chain: Chain, x_shape: tuple[int, ...]) -> list[Line]:
    """What every operation of a network costs.

        parameters      numbers that are learnt
        macs            multiply-adds of convolutions and products, taps on the padding included
        bytes_moved     4 * (numbers in x, y and the parameters): each array once, in float32
        bytes_cached    what the backward pass needs of the forward pass, in a network that is trained
        intensity       macs / bytes_moved, multiply-adds per byte

    Operations are counted one by one, as `time_layers` runs them. In training some run in one pass over memory (batch
    normalisation, ReLU and the convolution after them), which moves less, and for which `bytes_cached` holds.

    Parameters
    ----------
    chain : Chain
        A model, or `models.outline(models.find(name))`.
    x_shape : (N, H, W, C)

    Returns
    -------
    list of Line, in the order in which they run

    Raises
    ------
    InputError
        If a size is less than 1, or too small for a kernel.
    """
    spec.sizes("x_shape", x_shape)
    kept = summary.kept_by(chain, x_shape)
    first = _first(chain)
    lines: list[Line] = []
    for module in chain.layers:
        for layer, shape in visits(module, x_shape):
            kept_here = kept.get(layer.own_name, 0)  # a separable convolution keeps what its first half sees
            for part in parts(layer):
                y_shape = part.output_shape(shape)
                cost = part.cost(shape)._replace(bytes_cached=kept_here)
                lines.append(Line(part.own_name, module.name, kind_of(part), y_shape, cost, training(part, shape, part is first)))
                shape, kept_here = y_shape, 0
        x_shape = module.output_shape(x_shape)
    return lines


def _first(layer: Layer) -> Layer:
    """The layer whose x are the pictures, if there is only one."""
    while isinstance(layer, Chain) and layer.layers:
        layer = layer.layers[0]
    return layer


def total(lines: Iterable[Line]) -> Cost:
    """The sum of their costs, at inference."""
    return spec.total(line.cost for line in lines)


def parts(layer: Layer) -> list[Layer]:
    """The operations that a layer is made of: a separable convolution has two halves."""
    return layer.halves if isinstance(layer, SeparableConv) else [layer]


def pictures_shape(table: Table, size: int | None = None, batch: int = 1) -> tuple[int, int, int, int]:
    """(N, H, W, 3) of a batch of pictures, square, of the network's own size if not given.

    Raises
    ------
    InputError
        If size or batch is not an integer, 1 or more, or the network does not take pictures of this size.
    """
    size = table.input_size if size is None else spec.positive("size", size)
    try:
        outline(table).output_shape((1, size, size, 3))
    except InputError as error:
        raise InputError(f"size is {size}, which {table.name} does not take: {error}") from error
    return spec.positive("batch", batch), size, size, 3
