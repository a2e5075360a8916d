"""Through the layers that are inside of layers."""

from collections.abc import Callable, Iterator, Sequence

from xception_np.layers.base import Layer
from xception_np.layers.biased import Biased
from xception_np.layers.containers import Branches, Chain, Residual
from xception_np.layers.joined import Joined
from xception_np.layers.norm_separable import NormSeparable
from xception_np.layers.relu_separable import ReluSeparable

_TOGETHER = (NormSeparable, ReluSeparable, Biased)


def in_one_pass(chain: Sequence[Layer]) -> list[Layer]:
    """The layers of a chain, two neighbours put together where one operation does both."""
    found: list[Layer] = []
    for layer in chain:
        ways = (kind.of(found[-1], layer) for kind in _TOGETHER) if found else ()
        together = next(filter(None, ways), None)
        if together:
            found[-1] = together
        else:
            found.append(layer)
    return found


def rebuilt(chain: Chain, change: Callable[[list[Layer]], list[Layer]]) -> Chain:
    """The same containers around other layers; a layer that holds no others is shared with the original.

    Layers that run as one are taken apart.

    Parameters
    ----------
    chain : Chain
    change : function
        From the layers of a chain, which are rebuilt already, to those that take their place.
    """

    def inner(layer: Layer) -> Layer:
        match layer:
            case Chain():
                return rebuilt(layer, change)
            case Residual():
                return Residual(layer.name, rebuilt(layer.main, change), rebuilt(layer.shortcut, change))
            case Branches():
                alone = (branch if isinstance(branch, Chain) else Chain(branch.name, [branch]) for branch in layer.branches)
                return Branches(layer.name, [rebuilt(branch, change) for branch in alone])
        return layer

    apart: list[Layer] = []
    for layer in chain.layers:
        apart += _parts(layer)
    return Chain(chain.name, change(list(map(inner, apart))))


def _parts(layer: Layer) -> list[Layer]:
    """The layers that run as this one."""
    return [part for inner in layer.layers for part in _parts(inner)] if isinstance(layer, Joined) else [layer]


def visits(layer: Layer, x_shape: tuple[int, ...]) -> Iterator[tuple[Layer, tuple[int, ...]]]:
    """Every layer that does something itself, with the shape of what goes into it, in the order in which they run.

    Layers without layers inside; a module's sum and a concatenation of branches are the container's, which comes after its paths.
    """
    if isinstance(layer, Chain):
        for inner in layer.layers:
            yield from visits(inner, x_shape)
            x_shape = inner.output_shape(x_shape)
        return
    paths: Sequence[Layer] = ()
    match layer:
        case Residual():
            paths = layer.main, layer.shortcut
        case Branches():
            paths = layer.branches
    for path in paths:
        yield from visits(path, x_shape)
    yield layer, x_shape


def leaves(layer: Layer) -> Iterator[Layer]:
    """The layers that hold no others, in the order of Keras's source: a module's shortcut before its main path."""
    match layer:
        case Chain():
            inside = layer.layers
        case Residual():
            inside = [layer.shortcut, layer.main]
        case Branches():
            inside = layer.branches
        case _:
            yield layer
            return
    for inner in inside:
        yield from leaves(inner)
