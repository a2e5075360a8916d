"""The form for inference: batch normalisation with fixed statistics is a scale and a shift, which the convolution before takes in.

    gamma * (conv(x, kernel) - mean) / sqrt(variance + epsilon) + beta  =  conv(x, kernel * scale) + shift

    scale = gamma / sqrt(variance + epsilon)        shift = beta - mean * scale        (F,) each

A convolution's filters are its last axis, so each is multiplied by its own number. Of a separable convolution it is the pointwise
half that is scaled.
"""

from copy import copy
from typing import TypeVar

import numpy as np

from xception_np import arrays, implementations
from xception_np.layers import BatchNorm, Bias, Conv, GroupedConv, Layer, Parameter, SeparableConv, in_one_pass, rebuilt
from xception_np.models.model import Model, Predictor
from xception_np.ops import packing

L = TypeVar("L", bound=Layer)


def for_inference(model: Model) -> Predictor:
    """The fastest form of a model for many pictures: folded where it can be, and otherwise the model itself.

    The reference computes what was asked for, as it was written.
    """
    return folded(model) if model.place == arrays.NUMPY and implementations.default() == "cpu" else model


def folded(model: Model) -> Predictor:
    """The model without batch normalisation, for the same results at inference to rounding; what it learns later is not in it."""
    model.require_in_numpy()
    return Predictor(model.name, rebuilt(model, _fold).layers)


def _fold(chain: list[Layer]) -> list[Layer]:
    done: list[Layer] = []
    for layer in chain:
        match [*done[-2:], layer]:
            case [*_, Conv() | GroupedConv() | SeparableConv() as convolution, BatchNorm() as norm]:
                done[-1:] = _joined(convolution, norm, 0.0)
            case [Conv() | GroupedConv() | SeparableConv() as convolution, Bias(relu_name=None) as before, BatchNorm() as norm]:
                done[-2:] = _joined(convolution, norm, before.bias.value)
            case _:
                done.append(_settled(layer))
    return in_one_pass(done)


def _joined(convolution: Conv | GroupedConv | SeparableConv, norm: BatchNorm, before: np.ndarray | float) -> list[Layer]:
    """A convolution with the scale of a batch normalisation in it, and the shift: of what the convolution gives, plus `before`."""
    beta, mean, variance = (array.value.astype(np.float64) for array in (norm.beta, norm.moving_mean, norm.moving_variance))
    gamma, dtype = 1.0 if norm.gamma is None else norm.gamma.value, norm.beta.value.dtype
    scaled, bias = copy(convolution), Bias(convolution.name, norm.beta.size, norm.relu_name)
    with np.errstate(over="ignore", invalid="ignore"):  # numbers that become none make results that are none, as without folding
        scale = gamma / np.sqrt(variance + norm.epsilon)
        if isinstance(scaled, SeparableConv):
            scaled.depthwise = _holding(scaled.depthwise, scaled.depthwise.value, dtype)
            scaled.pointwise = _holding(scaled.pointwise, scaled.pointwise.value * scale, dtype)
        else:
            scaled.kernel = _holding(scaled.kernel, scaled.kernel.value * scale, dtype)
        bias.bias = _holding(bias.bias, beta + (before - mean) * scale, dtype)
    return [scaled, bias]


def _settled(layer: L) -> L:
    """A layer like another whose parameters, if it has any, will not change."""
    other = copy(layer)
    for name, held in vars(layer).items():
        if isinstance(held, Parameter):
            setattr(other, name, _holding(held, held.value, held.value.dtype))
    return other


def _holding(parameter: Parameter, value: np.ndarray, dtype: np.dtype) -> Parameter:
    """A parameter like another, with a value of its own that is packed once."""
    other = copy(parameter)
    other.value = packing.settled(np.array(value, dtype))
    return other
