"""From a table to a model: layers with names and channel numbers filled in."""

import math
from collections import Counter

import numpy as np

from xception_np import layers
from xception_np.errors import InputError, is_whole
from xception_np.geometry import Geometry
from xception_np.layers.separable_conv import between
from xception_np.models.model import Model
from xception_np.models.table import (
    Conv,
    Flatten,
    Full,
    GlobalPool,
    Mean,
    Plain,
    Pool,
    Relu,
    Residual,
    Sep,
    Table,
    Towers,
)
from xception_np.ops import spec

HEAD = "predictions"  # the last layer
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
        If the number of classes, the seed, the dtype or the dropout does not fit, or the table has what is no word, a name twice,
        or a module whose paths give different shapes.
    """
    if dtype is None or dtype not in spec.DTYPES:
        raise InputError(f"dtype is {dtype!r}; expected float32 or float64")
    classes = table.classes if classes is None else classes
    found = layers_of(table, classes, dropout)
    names = Counter(p.name for layer in found for p in [*layer.parameters, *layer.moving])
    twice = [name for name, count in names.items() if count > 1]
    if twice:
        raise InputError(f"two parameters of {table.name} are called {twice[0]}; expected modules and towers with different names")
    return Model(table, found, classes, seed, dtype)


def is_head(name: str) -> bool:
    """Whether an array of this name is one of the last layer's."""
    return name.startswith(f"{HEAD}/")


def layers_of(table: Table, classes: int, dropout: float = 0.0) -> list[layers.Layer]:
    """The layers of a table, without memory for their parameters: enough to count."""
    if not is_whole(classes) or not 1 <= classes <= MOST_CLASSES:
        raise InputError(f"classes is {classes!r}; expected the number of classes, 1 to {MOST_CLASSES:,}")
    spec.number("dropout", dropout, 0, 1, "a probability, 0 <= dropout < 1")
    found, channels = [], 3
    for module in table.modules:
        layer, channels = _module(module, channels, table)
        found.append(layer)
    head, channels = _head(table.head, layers.Chain(table.name, found).output_shape(table.input_shape))
    if len(shape := layers.Chain(table.name, [*found, *head]).output_shape(table.input_shape)) != 2:
        raise InputError(f"the head of {table.name} leaves {shape}; expected GlobalPool() or Flatten() in it, for numbers (N, C)")
    dropped = [layers.Dropout("dropout", dropout)] if dropout else []
    return [*found, *head, *dropped, layers.Dense(HEAD, channels, classes)]


def outline(table: Table) -> layers.Chain:
    """The network that a table describes, without memory for its parameters: enough to count."""
    return layers.Chain(table.name, layers_of(table, table.classes))


def _module(module: Plain | Residual, channels: int, table: Table) -> tuple[layers.Layer, int]:
    if isinstance(module, Plain):
        return rows(module.name, module.rows, channels, table)
    if not isinstance(module, Residual):
        raise InputError(f"a module of {table.name} is {module!r}; expected Plain or Residual")
    names = _names(module.name, module.main, activation_belongs_to_next=True)
    main, out_channels = _chain(module.name, module.main, names, channels, table)
    shortcut_names = [f"{module.name}_shortcut{k if k > 1 else ''}" for k in range(1, len(module.shortcut) + 1)]
    shortcut, _ = _chain(f"{module.name}_shortcut", module.shortcut, shortcut_names, channels, table)
    return layers.Residual(module.name, main, shortcut), out_channels


def rows(block: str, words: tuple, channels: int, table: Table) -> tuple[layers.Chain, int]:
    """Layers for rows of a table's words, one after the other, and the number of channels that come out."""
    return _chain(block, words, _names(block, words, activation_belongs_to_next=False), channels, table)


def _names(block: str, words: tuple, activation_belongs_to_next: bool) -> list[str]:
    """Keras's names: block3_sepconv1_act is the activation before block3_sepconv1, block1_conv1_act the one after block1_conv1."""
    names: list[str] = []
    convolution = block
    count = 0
    for word in words:
        kind = {Conv: "conv", Sep: "sepconv"}.get(type(word))
        if kind:
            count += 1
            convolution = f"{block}_{kind}{count}"
            names.append(convolution)
        elif isinstance(word, Relu):
            names.append(f"{block}_sepconv{count + 1}_act" if activation_belongs_to_next else f"{convolution}_act")
        else:
            names.append(block if isinstance(word, Towers) else f"{block}_pool")
    return names


def _chain(block: str, words: tuple, names: list[str], channels: int, table: Table) -> tuple[layers.Chain, int]:
    chain: list[layers.Layer] = []
    for word, name in zip(words, names, strict=True):
        match word:
            case Conv() | Sep():
                chain += _convolution(word, name, channels)
                chain += _after(name, chain[-1].name, word.filters, table)
                channels = word.filters
            case Relu():
                _relu(chain, name)
            case Pool(kernel, stride, padding):
                chain.append(layers.MaxPool(name, Geometry(kernel, stride, padding=padding)))
            case Mean():
                chain.append(layers.AvgPool(name, Geometry(3)))
            case Towers(()):
                raise InputError(f"towers of {block} is (); expected one or more Tower")
            case Towers(towers):
                built = [rows(f"{block}_{tower.name}", tower.rows, channels, table) for tower in towers]
                chain.append(layers.Branches(name, [branch for branch, _ in built]))
                channels = sum(width for _, width in built)
            case _:
                raise _not_understood(block, word, "Conv, Sep, Relu, Pool, Mean or Towers")
    return layers.Chain(block, layers.in_one_pass(chain)), channels


def _convolution(word: Conv | Sep, name: str, channels: int) -> list[layers.Layer]:
    """The convolution itself, which is more than one layer in some ablations."""
    match word:
        case Conv(filters, kernel, stride, padding, 1):
            return [layers.Conv(name, channels, filters, Geometry(kernel, stride, padding=padding))]
        case Conv(filters, kernel, stride, padding, segments):
            return [layers.GroupedConv(name, channels, filters, Geometry(kernel, stride, padding=padding), segments)]
        case Sep(filters, activation, int(segments)):
            spatial = layers.GroupedConv(f"{name}_spatial", channels, channels, Geometry(3), segments)
            pointwise = layers.Conv(f"{name}_pointwise", channels, filters, Geometry(1))
            return [spatial, *between(name, activation), pointwise]
    return [layers.SeparableConv(name, channels, word.filters, Geometry(3), activation=word.between)]


def _after(name: str, last: str, channels: int, table: Table) -> list[layers.Layer]:
    """What follows every convolution of a network: a bias is that of its last layer."""
    bias = [layers.Bias(last, channels)] if table.bias else []
    norm = [layers.BatchNorm(f"{name}_bn", channels, *table.norm)] if table.norm else []
    return [*bias, *norm]


def _relu(chain: list[layers.Layer], name: str) -> None:
    """Add a ReLU to a chain: to the layer before, if the two are one pass over memory."""
    if chain and isinstance(chain[-1], layers.Rectifiable):
        chain[-1] = chain[-1].with_relu(name)
    else:
        chain.append(layers.ReLU(name))


def _head(words: tuple, shape: tuple[int, ...]) -> tuple[list[layers.Layer], int]:
    """Layers between the modules, whose result has a shape, and the last layer; and how many numbers come out."""
    head: list[layers.Layer] = []
    channels, count = shape[-1], 0
    for word in words:
        match word:
            case GlobalPool():
                head.append(layers.GlobalAvgPool("avg_pool"))
            case Flatten():
                channels = math.prod(shape[1:])
                head.append(layers.Flatten("flatten"))
            case Full(units):
                count += 1
                head.append(layers.Dense(f"fc{count}", channels, units))
                channels = units
            case Relu():
                head.append(layers.ReLU(f"fc{count}_act"))
            case _:
                raise _not_understood("the head", word, "GlobalPool, Flatten, Full or Relu")
    return head, channels


def _not_understood(where: str, word, expected: str) -> InputError:
    return InputError(f"a row of {where} is {word!r}; expected {expected}, and a comma after a row that is alone: (Sep(8),)")
