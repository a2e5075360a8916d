"""Through the layers that are inside of layers."""

from collections.abc import Callable, Iterator

from xception_np.layers.base import Layer
from xception_np.layers.containers import Branches, Chain, Residual
from xception_np.layers.norm_separable import NormSeparable


def rebuilt(chain: Chain, change: Callable[[list[Layer]], list[Layer]]) -> Chain:
    """The same containers around other layers; a layer that holds no others is shared with the original.

    Layers that training runs as one are taken apart.

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
                return Branches(layer.name, list(map(inner, layer.branches)))
        return layer

    apart = [part for layer in chain.layers for part in (layer.layers if isinstance(layer, NormSeparable) else [layer])]
    return Chain(chain.name, change(list(map(inner, apart))))


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
