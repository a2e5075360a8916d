"""The twin of a network in Keras, built layer by layer from ours.

    twin = keras_twin(model, (None, None, 3))
    logits = twin(x)                        x (N, H, W, 3), as our models take it

Layers have our names, but for shortcuts and Inception's convolutions, which Keras's own applications leave without one.
"""

import keras

from xception_np import layers as ours
from xception_np.errors import InputError
from xception_np.geometry import Geometry
from xception_np.layers import Chain, Layer


def keras_twin(model: Chain, input_shape: tuple) -> keras.Model:
    """A Keras model with the layers of a chain of ours, and starting values of its own."""
    inputs = keras.Input(input_shape)
    return keras.Model(inputs, _after(model, inputs), name=model.name.replace(":", "_"))


def _after(layer: Layer, x):
    """What a layer's twin makes of x."""
    match layer:
        case ours.Chain():
            for inner, following in zip(layer.layers, [*layer.layers[1:], None], strict=False):
                x = _convolution(inner, following, x) if isinstance(inner, ours.Conv | ours.SeparableConv) else _after(inner, x)
            return x
        case ours.Residual():
            shortcut = _after(layer.shortcut, x)  # first, as in Keras's source
            return keras.layers.add([_after(layer.main, x), shortcut])
        case ours.Branches():
            return keras.layers.concatenate([_after(branch, x) for branch in layer.branches])
        case ours.Bias():  # in the convolution
            return keras.layers.ReLU()(x) if layer.relu_name else x
        case ours.BatchNorm():
            settings = {"momentum": layer.momentum, "epsilon": layer.epsilon, "scale": layer.gamma is not None}
            x = keras.layers.BatchNormalization(name=_name(layer), **settings)(x)
            return keras.layers.ReLU()(x) if layer.relu_name else x
        case ours.ReLU():
            return keras.layers.ReLU()(x)
        case ours.MaxPool():
            return keras.layers.MaxPooling2D(layer.geometry.kernel, layer.geometry.stride, _padding(layer.geometry))(x)
        case ours.AvgPool():
            return keras.layers.AveragePooling2D(layer.geometry.kernel, layer.geometry.stride, _padding(layer.geometry))(x)
        case ours.GlobalAvgPool():
            return keras.layers.GlobalAveragePooling2D()(x)
        case ours.Flatten():
            return keras.layers.Flatten()(x)
        case ours.Dense():
            return keras.layers.Dense(layer.bias.size, name=layer.name)(x)
    raise InputError(f"{layer.name} is a {type(layer).__name__}; expected a network of layers that Keras has a twin of")


def _convolution(layer, following: Layer | None, x):
    settings = _settings(layer.geometry) | {"use_bias": isinstance(following, ours.Bias), "name": _name(layer)}
    if isinstance(layer, ours.SeparableConv):
        if layer.activation:
            raise InputError(
                f"{layer.name} has {layer.activation} between its halves; expected a separable convolution as Keras has it"
            )
        return keras.layers.SeparableConv2D(layer.pointwise.shape[1], **settings)(x)
    return keras.layers.Conv2D(layer.kernel.shape[3], **settings)(x)


def _settings(geometry: Geometry) -> dict:
    return {"kernel_size": geometry.kernel, "strides": geometry.stride, "padding": _padding(geometry)}


def _padding(geometry: Geometry) -> str:
    if not isinstance(geometry.padding, str):
        raise InputError(f"padding is {geometry.padding}; expected 'same' or 'valid', which are all that Keras's layers have")
    return geometry.padding


def _name(layer: Layer) -> str | None:
    nameless = "shortcut" in layer.name or layer.name.startswith(("stem", "mixed"))
    return None if nameless else layer.name
