"""timm's names for Xception (`legacy_xception`), and those of the ports before it, in safetensors files.

timm counts the modules with a residual connection from 1 (Keras's block2 is its block1), and its layers by their place in a
module's list, where activations and pools have places too. Kernels are (F, C, kh, kw). Old ports have separable kernels without
the axes of length 1, and call the last layer last_linear.
"""

import re
from collections.abc import Callable

import numpy as np

from xception_np.errors import InputError
from xception_np.layers import Bias, Chain, Parameter, Residual, SeparableConv, leaves
from xception_np.weights.keras_layers import in_creation_order
from xception_np.weights.strict import Contents, Entry

_SUFFIXES = {
    "kernel": "weight",
    "bias": "bias",
    "depthwise_kernel": "conv1.weight",
    "pointwise_kernel": "pointwise.weight",
    "gamma": "weight",
    "beta": "bias",
    "moving_mean": "running_mean",
    "moving_variance": "running_var",
}
_OUTER = {
    "block1_conv1": "conv1",
    "block1_conv1_bn": "bn1",
    "block1_conv2": "conv2",
    "block1_conv2_bn": "bn2",
    "block14_sepconv1": "conv3",
    "block14_sepconv1_bn": "bn3",
    "block14_sepconv2": "conv4",
    "block14_sepconv2_bn": "bn4",
    "predictions": "fc",
}
_INNER = re.compile(r"block(?P<block>[2-9]|1[0-3])_(shortcut|sepconv(?P<place>[1-3]))(?P<norm>_bn)?")
COUNTER = ".num_batches_tracked"  # of batch normalisation in PyTorch: nothing that we have
_ALIGNED = ("stem.0.", "blocks.0.stack.")  # xception41, 65 and 71: another network


def is_one(names) -> bool:
    """Whether these are names of timm's rather than of ours."""
    return not any("/" in name for name in names) and any(name.endswith(".weight") for name in names)


def names(chain: Chain) -> dict[str, str]:
    """{our name: timm's} for every array of an Xception.

    Raises
    ------
    InputError
        If the network is another one: timm's layout for it is not known here.
    """
    if not _is_xception(chain):
        raise InputError(f"model is {chain.name}; expected xception or legacy_xception, the networks whose layout in timm is known")
    found = {}
    for layer in in_creation_order(chain):
        for array, parameter in layer.arrays.items():
            found[parameter.name] = f"{_layer(layer.name)}.{_SUFFIXES[array]}"
    return found


def matched(path, entries: dict[str, Entry], chain: Chain) -> Contents:
    """What a file has for a model."""
    if any(name.startswith(_ALIGNED) for name in entries):
        raise InputError(
            f"weights {path} are of xception41, xception65 or xception71, another network (three separable convolutions in every "
            f"module, strides in place of pools); expected those of legacy_xception"
        )
    known = names(chain)
    by_name = {name: entry for name, entry in entries.items() if not name.endswith(COUNTER)}
    for old, new in (("last_linear.weight", "fc.weight"), ("last_linear.bias", "fc.bias")):
        if old in by_name and new not in by_name:
            by_name[new] = by_name.pop(old)
    parameters = {parameter.name: parameter for parameter in chain.parameters + chain.moving}
    found = {
        ours: by_name[theirs]._replace(read=_turned(parameters[ours], by_name[theirs].read))
        for ours, theirs in known.items()
        if theirs in by_name
    }
    expected = set(known.values())
    unexpected = [entry.name for name, entry in by_name.items() if name not in expected]
    return Contents(found, unexpected, _shapes(chain))


def _shapes(chain: Chain) -> dict[str, tuple]:
    """For each of our arrays the shapes that will do: timm's, and for separable kernels those of old ports."""
    found = {}
    for parameter in chain.parameters + chain.moving:
        shape = _torch_shape(parameter)
        short = {"depthwise_kernel": (shape[0], *shape[2:]), "pointwise_kernel": shape[:2]}.get(_array(parameter))
        found[parameter.name] = (shape, short) if short else (shape,)
    return found


def arrays(chain: Chain) -> dict[str, np.ndarray]:
    """A state dictionary for timm's `legacy_xception`."""
    known = names(chain)
    found = {}
    for parameter in chain.parameters + chain.moving:
        value = parameter.value
        match _array(parameter), value.ndim:
            case "pointwise_kernel", _:
                value = value.T[:, :, None, None]
            case "depthwise_kernel", _:
                value = value.transpose(2, 3, 0, 1)
            case "kernel", 4:
                value = value.transpose(3, 2, 0, 1)
            case "kernel", 2:
                value = value.T
        found[known[parameter.name]] = np.ascontiguousarray(value)
        if _array(parameter) == "moving_mean":
            found[known[parameter.name].replace(".running_mean", COUNTER)] = np.array(0, np.int64)
    return found


def _is_xception(chain: Chain) -> bool:
    """Whether timm's network has this one's layers and connections, with nothing in them that it has not: no biases, and no
    activation within a separable convolution. Where ReLUs and pools are is not looked at.
    """
    found = {layer.name for layer in in_creation_order(chain)}
    inner = found - _OUTER.keys()
    blocks = {name.partition("_")[0] for name in inner}
    connected = {module.name for module in chain.layers if isinstance(module, Residual)}
    more = any(isinstance(layer, Bias) or (isinstance(layer, SeparableConv) and layer.activation) for layer in leaves(chain))
    return found >= _OUTER.keys() and all(map(_INNER.fullmatch, inner)) and blocks == connected and not more


def _layer(name: str) -> str:
    """Where a layer is in timm's network: `block5_sepconv2_bn` is `block4.rep.5`."""
    match = _INNER.fullmatch(name)
    if match is None:
        return _OUTER[name]
    number, place, norm = int(match["block"]), match["place"], match["norm"] is not None
    if place is None:
        return f"block{number - 1}.skip{'bn' if norm else ''}"
    first = 0 if number == 2 else 1  # an activation comes first, but not in the first module
    return f"block{number - 1}.rep.{3 * (int(place) - 1) + first + norm}"


def _array(parameter: Parameter) -> str:
    return parameter.name.rpartition("/")[2]


def _torch_shape(parameter: Parameter) -> tuple[int, ...]:
    shape = parameter.shape
    match _array(parameter), len(shape):
        case "pointwise_kernel", _:
            return shape[1], shape[0], 1, 1
        case "depthwise_kernel", _:
            return shape[2], shape[3], shape[0], shape[1]
        case "kernel", 4:
            return shape[3], shape[2], shape[0], shape[1]
        case "kernel", 2:
            return shape[1], shape[0]
    return shape


def _turned(parameter: Parameter, read: Callable[[], np.ndarray]) -> Callable[[], np.ndarray]:
    """The array with its axes in our order."""

    def turned() -> np.ndarray:
        value = read().reshape(_torch_shape(parameter))
        match _array(parameter), len(parameter.shape):
            case "pointwise_kernel", _:
                return value[:, :, 0, 0].T
            case "depthwise_kernel", _:
                return value.transpose(2, 3, 0, 1)
            case "kernel", 4:
                return value.transpose(2, 3, 1, 0)
            case "kernel", 2:
                return value.T
        return value

    return turned
