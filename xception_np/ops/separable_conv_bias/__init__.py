"""Depthwise separable convolution, spatial first, its bias, and the ReLU after it, in one pass over memory.

    y = activation(separable_conv(x, D, P) + bias)        as in ops/separable_conv and ops/bias

    x (N, H, W, C)    D (kh, kw, C, M)    P (C*M, F)    bias (F,)    y (N, OH, OW, F)

Xception at inference, when batch normalisation is folded into P and the bias. Apart, the two write z, read it and write y; together
they write y.
"""

from typing import NamedTuple

from xception_np import implementations
from xception_np.ops import bias as bias_spec
from xception_np.ops import separable_conv, spec


class Cache(NamedTuple):
    """What the backward pass needs: what the two steps keep."""

    convolution: separable_conv.Cache
    bias: bias_spec.Cache


def forward(x, depthwise_weight, pointwise_weight, bias, geometry, activation=None, *, implementation=None):
    """Convolve every channel on its own, mix the channels, add the bias, and set what is negative to 0 if the activation says so.

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

    Returns
    -------
    y : (N, OH, OW, F) array
    cache : Cache

    Raises
    ------
    InputError
        If shapes, dtypes, memory layout, geometry or activation do not fit.
    """
    separable_conv.check(x, depthwise_weight, pointwise_weight, geometry)
    spec.shapes(pointwise_weight=(pointwise_weight, "CM F"), bias=(bias, "F"))
    spec.one_of("activation", activation, bias_spec.ACTIVATIONS)
    module = implementations.load(__name__, implementation, x=x)
    return module.forward(x, depthwise_weight, pointwise_weight, bias, geometry, activation)


def backward(dy, cache, *, implementation=None):
    """Gradients given dy = dloss/dy; returns (dx, ddepthwise_weight, dpointwise_weight, dbias)."""
    spec.cached(cache, Cache)
    spec.gradient(dy, cache.bias.shape, cache.bias.dtype)
    return implementations.load(__name__, implementation, dy=dy, cache=cache).backward(dy, cache)


def cost(x_shape, depthwise_shape, pointwise_shape, geometry, activation=None, itemsize=4) -> spec.Cost:
    """The convolution's, and the bias; y is cached for a ReLU."""
    y_shape = separable_conv.output_shape(x_shape, depthwise_shape, pointwise_shape, geometry)
    convolution = separable_conv.cost(x_shape, depthwise_shape, pointwise_shape, geometry, itemsize=itemsize)
    return bias_spec.with_bias(convolution, y_shape, activation, itemsize)
