"""What kind of work a layer does: the words by which costs are added up."""

from xception_np.layers import (
    ELU,
    AvgPool,
    BatchNorm,
    Bias,
    Branches,
    Conv,
    Dense,
    DepthwiseConv,
    Dropout,
    Flatten,
    GlobalAvgPool,
    GroupedConv,
    Layer,
    MaxPool,
    PointwiseConv,
    ReLU,
    Residual,
)

_KINDS: dict[type[Layer], str] = {
    GroupedConv: "grouped",
    DepthwiseConv: "depthwise",
    PointwiseConv: "pointwise",
    BatchNorm: "batch norm",
    Bias: "bias",
    ReLU: "activation",
    ELU: "activation",
    MaxPool: "pooling",
    AvgPool: "pooling",
    GlobalAvgPool: "pooling",
    Dropout: "dropout",
    Flatten: "reshape",
    Dense: "dense",
    Residual: "addition",
    Branches: "concatenation",
}


def kind_of(layer: Layer) -> str:
    """The kind of a layer's own work, such as "pointwise"; for a class that is not this package's, its name.

    A convolution whose kernel is larger than one pixel is "regular": in Xception the two of the stem. A larger stride than 1 makes
    another kind of a pointwise one: in Xception the four of the shortcuts.
    """
    if isinstance(layer, Conv):
        if layer.geometry.kernel != (1, 1):
            return "regular"
        return "pointwise" if layer.geometry.stride == (1, 1) else "pointwise, strided"
    return _KINDS.get(type(layer), type(layer).__name__)
