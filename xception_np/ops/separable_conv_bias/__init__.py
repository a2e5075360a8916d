"""Depthwise separable convolution, spatial first, with what stands around it at inference, in one pass over memory.

    y = activation(separable_conv(before(x), D, P) + addend + bias)        as in ops/separable_conv, ops/add and ops/bias

    x (N, H, W, C)    D (kh, kw, C, M)    P (C*M, F)    addend (N, OH, OW, F) or none    bias (F,)    y (N, OH, OW, F)

Xception at inference, when batch normalisation is folded into P and the bias: `before` is the ReLU at the beginning of a module,
and the addend, at its end, what came in. Apart, each of these reads what was written just before, and writes it again.
"""

from typing import NamedTuple

from xception_np import implementations
from xception_np.ops import bias as bias_spec
from xception_np.ops import separable_conv, spec


class Cache(NamedTuple):
    """What the backward pass needs: what the two steps keep, and whether there was an addend."""

    convolution: separable_conv.Cache
    bias: bias_spec.Cache
    added: bool


def forward(
    x,
    depthwise_weight,
    pointwise_weight,
    bias,
    geometry,
    activation=None,
    before=None,
    addend=None,
    *,
    implementation=None,
):
    """Convolve every channel on its own, mix the channels, add, and set what is negative to 0 if the activation says so.

    Parameters
    ----------
    x : (N, H, W, C) array, float32 or float64
    depthwise_weight : (kh, kw, C, M) array of the same dtype
    pointwise_weight : (C*M, F) array
    bias : (F,) array
    geometry : Geometry
        Of the depthwise step.
    activation : None or "relu"
        What follows the bias.
    before : None or "relu"
        What stands before the convolution.
    addend : (N, OH, OW, F) array, optional

    Returns
    -------
    y : (N, OH, OW, F) array
    cache : Cache

    Raises
    ------
    InputError
        If shapes, dtypes, memory layout, geometry, activation or before do not fit.
    """
    separable_conv.check(x, depthwise_weight, pointwise_weight, geometry)
    spec.shapes(pointwise_weight=(pointwise_weight, "CM F"), bias=(bias, "F"))
    spec.one_of("activation", activation, bias_spec.ACTIVATIONS)
    spec.one_of("before", before, separable_conv.BEFORE)
    if addend is not None:
        y_shape = separable_conv.output_shape(x.shape, depthwise_weight.shape, pointwise_weight.shape, geometry)
        bias_spec.check_addend(addend, y_shape, x)
    module = implementations.load(__name__, implementation, x=x)
    return module.forward(x, depthwise_weight, pointwise_weight, bias, geometry, activation, before, addend)


def backward(dy, cache, *, implementation=None):
    """Gradients given dy = dloss/dy; returns (dx, ddepthwise_weight, dpointwise_weight, dbias), and daddend if there was one.

    Without an activation daddend may be dy itself: do not write to it.
    """
    spec.cached(cache, Cache)
    spec.gradient(dy, cache.bias.shape, cache.bias.dtype)
    return implementations.load(__name__, implementation, dy=dy, cache=cache).backward(dy, cache)


def cost(x_shape, depthwise_shape, pointwise_shape, geometry, activation=None, itemsize=4) -> spec.Cost:
    """The convolution's, and the bias; y is cached for a ReLU."""
    y_shape = separable_conv.output_shape(x_shape, depthwise_shape, pointwise_shape, geometry)
    convolution = separable_conv.cost(x_shape, depthwise_shape, pointwise_shape, geometry, itemsize=itemsize)
    return bias_spec.with_bias(convolution, y_shape, activation, itemsize)
