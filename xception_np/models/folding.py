"""The form for inference: batch normalisation with fixed statistics is a scale and a shift, which the convolution before takes in.

    gamma * (conv(x, kernel) - mean) / sqrt(variance + epsilon) + beta  =  conv(x, kernel * scale) + shift

    scale = gamma / sqrt(variance + epsilon)        shift = beta - mean * scale        (F,) each

A convolution's filters are its last axis, so each is multiplied by its own number. Of a separable convolution it is the pointwise
half that is scaled.
"""

from copy import copy

import numpy as np

from xception_np.layers import BatchNorm, Bias, Conv, GroupedConv, Layer, Parameter, SeparableConv, rebuilt
from xception_np.models.model import Model, Predictor


def folded(model: Model) -> Predictor:
    """The model without batch normalisation, for the same results at inference to rounding; what needs no change is shared."""
    return Predictor(model.name, rebuilt(model, _fold).layers)


def _fold(chain: list[Layer]) -> list[Layer]:
    done: list[Layer] = []
    for layer in chain:
        if isinstance(layer, BatchNorm) and done and isinstance(done[-1], Conv | GroupedConv | SeparableConv):
            convolution, bias = _joined(done.pop(), layer)
            done += [convolution, bias]
        elif isinstance(layer, BatchNorm) and len(done) > 1 and isinstance(done[-1], Bias):
            before = done.pop()
            convolution, bias = _joined(done.pop(), layer, before.bias.value)
            done += [convolution, bias]
        else:
            done.append(layer)
    return done


def _joined(convolution: Layer, norm: BatchNorm, before: np.ndarray | float = 0.0) -> tuple[Layer, Bias]:
    """A convolution with the scale of a batch normalisation in it, and the shift: of what the convolution gives, plus `before`."""
    beta, mean, variance = (array.value.astype(np.float64) for array in (norm.beta, norm.moving_mean, norm.moving_variance))
    gamma = 1.0 if norm.gamma is None else norm.gamma.value
    scale = gamma / np.sqrt(variance + norm.epsilon)
    kernel = convolution.pointwise if isinstance(convolution, SeparableConv) else convolution.kernel
    scaled = copy(convolution)
    setattr(scaled, "pointwise" if isinstance(convolution, SeparableConv) else "kernel", _holding(kernel, kernel.value * scale))
    bias = Bias(convolution.name, norm.beta.size, norm.relu_name)
    bias.bias = _holding(bias.bias, (beta + (before - mean) * scale), kernel.value.dtype)
    return scaled, bias


def _holding(parameter: Parameter, value: np.ndarray, dtype=None) -> Parameter:
    """A parameter like another, with a value of its own."""
    other = copy(parameter)
    other.value = np.ascontiguousarray(value, dtype or parameter.value.dtype)
    return other
