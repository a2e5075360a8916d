"""From a table to a model: layers with names and channel numbers filled in."""

import numpy as np

from xception_np import layers
from xception_np.errors import InputError, is_whole
from xception_np.geometry import Geometry
from xception_np.models.model import Model
from xception_np.models.table import Conv, Plain, Pool, Relu, Residual, Sep, Table
from xception_np.ops import spec

MOST_CLASSES = 100_000  # a file that claims more is wrong; JFT has 17,000


def from_table(table: Table, classes: int | None = None, seed: int = 0, dtype=np.float32, dropout: float = 0.0) -> Model:
    """Build the model that a table describes, with starting values.

    Parameters
    ----------
    table : Table
    classes : int, optional
        Outputs of the last layer; the table's own number by default.
    seed : int
        Of the starting values.
    dtype : float32 or float64
    dropout : float
        Probability that a feature is left out before the last layer; 0 for no such layer.

    Raises
    ------
    InputError
        If the number of classes or the seed does not fit.
    """
    if dtype not in spec.DTYPES:
        raise InputError(f"dtype is {dtype!r}; expected float32 or float64")
    classes = table.classes if classes is None else classes
    return Model(table, layers_of(table, classes, dropout), classes, seed, dtype)


def layers_of(table: Table, classes: int, dropout: float = 0.0) -> list[layers.Layer]:
    """The layers of a table, without memory for their parameters: enough to count."""
    if not is_whole(classes) or not 1 <= classes <= MOST_CLASSES:
        raise InputError(f"classes is {classes!r}; expected the number of classes, 1 to {MOST_CLASSES:,}")
    found, channels = [], 3
    for module in table.modules:
        layer, channels = _module(module, channels, table.momentum)
        found.append(layer)
    dropped = [layers.Dropout("dropout", dropout)] if dropout else []
    return [*found, layers.GlobalAvgPool("avg_pool"), *dropped, layers.Dense("predictions", channels, classes)]


def _module(module: Plain | Residual, channels: int, momentum: float) -> tuple[layers.Layer, int]:
    if isinstance(module, Plain):
        names = _names(module.name, module.rows, activation_belongs_to_next=False)
        return _chain(module.name, module.rows, names, channels, momentum)
    names = _names(module.name, module.main, activation_belongs_to_next=True)
    main, out_channels = _chain(module.name, module.main, names, channels, momentum)
    shortcut_names = [f"{module.name}_shortcut"] * len(module.shortcut)
    shortcut, _ = _chain(f"{module.name}_shortcut", module.shortcut, shortcut_names, channels, momentum)
    return layers.Residual(module.name, main, shortcut), out_channels


def _names(block: str, rows: tuple, activation_belongs_to_next: bool) -> list[str]:
    """Keras's names: block3_sepconv1_act is the activation before block3_sepconv1, block1_conv1_act the one after block1_conv1."""
    names: list[str] = []
    convolution = ""
    count = 0
    for row in rows:
        kind = {Conv: "conv", Sep: "sepconv"}.get(type(row))
        if kind:
            count += 1
            convolution = f"{block}_{kind}{count}"
            names.append(convolution)
        elif isinstance(row, Relu):
            names.append(f"{block}_sepconv{count + 1}_act" if activation_belongs_to_next else f"{convolution}_act")
        else:
            names.append(f"{block}_pool")
    return names


def _chain(block: str, rows: tuple, names: list[str], channels: int, momentum: float) -> tuple[layers.Chain, int]:
    chain: list[layers.Layer] = []
    for row, name in zip(rows, names, strict=True):
        match row:
            case Conv(filters, kernel, stride, padding):
                chain.append(layers.Conv(name, channels, filters, Geometry(kernel, stride, padding=padding)))
            case Sep(filters):
                chain.append(layers.SeparableConv(name, channels, filters, Geometry(3)))
            case Relu() if chain and isinstance(chain[-1], layers.BatchNorm):  # one pass over memory for the two
                chain[-1] = layers.BatchNormReLU(chain[-1].name, name, channels, momentum)
            case Relu():
                chain.append(layers.ReLU(name))
            case Pool():
                chain.append(layers.MaxPool(name, Geometry(3, stride=2)))
        if isinstance(row, Conv | Sep):
            channels = row.filters
            chain.append(layers.BatchNorm(f"{name}_bn", channels, momentum))
    return layers.Chain(block, chain), channels
