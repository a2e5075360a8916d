"""A model of ours as Keras sees it: layers with their arrays, in the two orders that Keras's files know.

- Creation order is that of Keras's source: a module's shortcut before its main path, one tower after the other. Keras numbers the
  layers that have no name of their own in it: conv2d, conv2d_1, ...
- Topological order is that of `model.layers`, which files are written and read in: by distance from the output, and layers of one
  distance as a walk from the output meets them first.
"""

from typing import NamedTuple

from xception_np.errors import InputError
from xception_np.layers import BatchNorm, Bias, Branches, Chain, Dropout, Layer, Parameter, Residual, SeparableConv, leaves

# In Keras's order: what is learnt, then what follows the data
ARRAYS = {
    "Conv2D": ("kernel", "bias"),
    "SeparableConv2D": ("depthwise_kernel", "pointwise_kernel", "bias"),
    "BatchNormalization": ("gamma", "beta", "moving_mean", "moving_variance"),
    "Dense": ("kernel", "bias"),
}


class KerasLayer(NamedTuple):
    """A layer with weights.

    name : ours, which is Keras's where Keras gives one
    kind : Keras's class
    arrays : parameters and moving statistics by Keras's names, in Keras's order
    """

    name: str
    kind: str
    arrays: dict[str, Parameter]

    def shape(self, array: str) -> tuple[int, ...]:
        """As Keras has it: a pointwise kernel is a convolution's, of 1x1."""
        shape = self.arrays[array].shape
        return (1, 1, *shape) if array == "pointwise_kernel" else shape


def require_in_keras(chain: Chain) -> None:
    """InputError if a layer is one that Keras would take for another: its separable convolutions have no activation between."""
    for layer in leaves(chain):
        if isinstance(layer, SeparableConv) and layer.activation:
            raise InputError(
                f"layer {layer.name} has {layer.activation} between its two convolutions, which Keras's has not; "
                "expected a network without, or a path that ends in .safetensors"
            )


def in_creation_order(chain: Chain) -> list[KerasLayer]:
    """The layers of a chain that have weights, as Keras's source creates them."""
    found: dict[str, dict[str, Parameter]] = {}
    for layer in leaves(chain):
        for parameter in layer.parameters + layer.moving:
            name, _, array = parameter.name.rpartition("/")
            found.setdefault(name, {})[array] = parameter
    return [KerasLayer(name, _kind(arrays), arrays) for name, arrays in found.items()]


def in_topological_order(chain: Chain) -> list[KerasLayer]:
    """The same layers as Keras's `model.layers` has them."""
    graph = _Graph()
    last = graph.visit(chain, graph.add(None, []))
    by_name = {layer.name: layer for layer in in_creation_order(chain)}
    return [by_name[name] for name in graph.names_in_order(last) if name in by_name]


def _kind(arrays: dict[str, Parameter]) -> str:
    if "depthwise_kernel" in arrays:
        return "SeparableConv2D"
    if "kernel" in arrays:
        return "Conv2D" if len(arrays["kernel"].shape) == 4 else "Dense"
    return "BatchNormalization"


class _Graph:
    """Keras's layers as nodes, numbered as they are added: a node comes after its inputs."""

    def __init__(self):
        self.names: list[str | None] = []
        self.inputs: list[list[int]] = []

    def add(self, name: str | None, inputs: list[int]) -> int:
        """The number of a new node."""
        self.names.append(name)
        self.inputs.append(inputs)
        return len(self.names) - 1

    def visit(self, layer: Layer, source: int) -> int:
        """Add the nodes of a layer whose input is the node `source`; the node of its result."""
        match layer:
            case Chain():
                for inner in layer.layers:
                    source = self.visit(inner, source)
                return source
            case Residual():
                return self.add(None, [self.visit(layer.main, source), self.visit(layer.shortcut, source)])
            case Branches():
                return self.add(None, [self.visit(branch, source) for branch in layer.branches])
            case Bias() | Dropout():  # part of Keras's convolution; not there
                return source
            case BatchNorm(relu_name=str()):
                return self.add(None, [self.add(layer.name, [source])])
        return self.add(layer.name, [source])

    def names_in_order(self, last: int) -> list[str | None]:
        """Keras's rule: the farthest from the output first; of those at one distance, what a walk from there meets first."""
        distance = [0] * len(self.names)
        for node in range(last, -1, -1):
            for source in self.inputs[node]:
                distance[source] = max(distance[source], distance[node] + 1)
        met: dict[int, int] = {}
        ahead = [last]
        while ahead:
            node = ahead.pop()
            if node not in met:
                met[node] = len(met)
                ahead += reversed(self.inputs[node])
        return [self.names[node] for node in sorted(met, key=lambda node: (-distance[node], met[node]))]
