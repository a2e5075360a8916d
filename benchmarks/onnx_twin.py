"""The twin of a network as an ONNX graph, written layer by layer from ours, batch normalisation folded.

twin = onnx_twin(folding.folded(model), x.shape)
onnx.save(twin, "xception.onnx")        x (N, 3, H, W), as ONNX has it; logits (N, classes)
"""

from itertools import zip_longest

import numpy as np
from onnx import ModelProto, TensorProto, helper, numpy_helper

from xception_np import layers
from xception_np.geometry import Geometry
from xception_np.layers import Chain, Layer

OPSET = 17


def onnx_twin(chain: Chain, x_shape: tuple[int, ...]) -> ModelProto:
    """An ONNX model with the layers and the values of a chain of ours, for pictures of one shape (N, H, W, 3)."""
    graph = _Graph()
    logits = graph.after(layers.rebuilt(chain, lambda chain: chain), "x")  # what runs as one layer is its parts here
    images, height, width, channels = x_shape
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, (images, channels, height, width))]
    outputs = [helper.make_tensor_value_info(logits, TensorProto.FLOAT, chain.output_shape(x_shape))]
    made = helper.make_graph(graph.nodes, "xception_np", inputs, outputs, graph.constants)
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)


class _Graph:
    """Nodes so far; names are numbers."""

    def __init__(self):
        self.nodes, self.constants = [], []

    def after(self, layer: Layer, x: str) -> str:
        """The name of what a layer's twin makes of x."""
        match layer:
            case Chain():
                return self.chain(layer.layers, x)
            case layers.Residual():
                return self.node("Add", [self.after(layer.main, x), self.after(layer.shortcut, x)])
            case layers.Branches():
                return self.node("Concat", [self.after(branch, x) for branch in layer.branches], axis=1)
            case layers.ReLU():
                return self.node("Relu", [x])
            case layers.ELU():
                return self.node("Elu", [x])
            case layers.MaxPool():
                return self.node("MaxPool", [x], **_window(layer.geometry))
            case layers.AvgPool():
                return self.node("AveragePool", [x], count_include_pad=0, **_window(layer.geometry))
            case layers.GlobalAvgPool():
                return self.node("Flatten", [self.node("GlobalAveragePool", [x])])
            case layers.Flatten():
                return self.node("Flatten", [self.node("Transpose", [x], perm=(0, 2, 3, 1))])
            case layers.Dense():
                return self.node("Gemm", [x, self.constant(layer.kernel.value), self.constant(layer.bias.value)])
            case layers.Dropout():
                return x
        raise ValueError(f"layer is a {type(layer).__name__}; expected one that has a twin, folded")

    def chain(self, chain: list[Layer], x: str) -> str:
        """A bias belongs to the convolution before it, the ReLU that a bias may end with follows as a node."""
        for layer, following in zip_longest(chain, chain[1:]):
            bias = [following.bias.value] if isinstance(following, layers.Bias) else []
            match layer:
                case layers.Conv():
                    x = self.convolution(x, layer.kernel.value, layer.geometry, 1, bias)
                case layers.GroupedConv():
                    x = self.convolution(x, layer.kernel.value, layer.geometry, layer.segments, bias)
                case layers.SeparableConv():
                    kh, kw, channels, multiplier = layer.depthwise.shape
                    depthwise = layer.depthwise.value.reshape(kh, kw, 1, channels * multiplier)
                    x = self.convolution(x, depthwise, layer.geometry, channels, [])
                    if layer.activation:
                        x = self.node(layer.activation.capitalize(), [x])
                    x = self.convolution(x, layer.pointwise.value[None, None], Geometry(1), 1, bias)
                case layers.Bias():
                    x = self.node("Relu", [x]) if layer.relu_name else x
                case _:
                    x = self.after(layer, x)
        return x

    def convolution(self, x: str, kernel: np.ndarray, geometry: Geometry, segments: int, bias: list[np.ndarray]) -> str:
        """(kh, kw, C/S, F) here is (F, C/S, kh, kw) there."""
        constants = [self.constant(array) for array in (kernel.transpose(3, 2, 0, 1), *bias)]
        return self.node("Conv", [x, *constants], group=segments, **_window(geometry))

    def node(self, kind: str, inputs: list[str], **attributes) -> str:
        """The name of a new node's result."""
        name = f"y{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], **attributes))
        return name

    def constant(self, array: np.ndarray) -> str:
        """The name of an array of the graph."""
        name = f"w{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name


def _window(geometry: Geometry) -> dict:
    """ONNX's SAME_UPPER is TensorFlow's rule, and so ours."""
    padding = {"same": "SAME_UPPER", "valid": "VALID"}.get(geometry.padding)
    if padding is None or geometry.dilation != (1, 1):
        raise ValueError(f"geometry is {geometry}; expected padding 'same' or 'valid' and no dilation")
    return {"kernel_shape": geometry.kernel, "strides": geometry.stride, "auto_pad": padding}
