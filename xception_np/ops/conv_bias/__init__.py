"""Regular convolution, its bias, and the ReLU after it, in one pass over memory.

    y = activation(conv(x, weight) + bias)        as in ops/conv and ops/bias

    x (N, H, W, C)    weight (kh, kw, C, F)    bias (F,)    y (N, OH, OW, F)

Every convolution of VGG-16, and of any network whose batch normalisation is folded into its weights. Apart, the two write z, read
it and write y; together they write y.
"""

from typing import NamedTuple

from xception_np import implementations
from xception_np.ops import bias as bias_spec
from xception_np.ops import conv, spec


class Cache(NamedTuple):
    """What the backward pass needs: what the two steps keep."""

    convolution: conv.Cache
    bias: bias_spec.Cache


def forward(x, weight, bias, geometry, activation=None, *, implementation=None):
    """Convolve, add the bias, and set what is negative to 0 if the activation says so.

    Parameters
    ----------
    x : (N, H, W, C) array, float32 or float64
    weight : (kh, kw, C, F) array of the same dtype
    bias : (F,) array
    geometry : Geometry
        Stride, dilation and padding; its kernel is (kh, kw).
    activation : None or "relu"

    Returns
    -------
    y : (N, OH, OW, F) array
    cache : Cache

    Raises
    ------
    InputError
        If shapes, dtypes, memory layout, geometry or activation do not fit.
    """
    conv.check(x, weight, geometry)
    spec.shapes(weight=(weight, "kh kw C F"), bias=(bias, "F"))
    spec.one_of("activation", activation, bias_spec.ACTIVATIONS)
    module = implementations.load(__name__, implementation, x=x)
    return module.forward(x, weight, bias, geometry, activation)


def backward(dy, cache, *, implementation=None):
    """Gradients given dy = dloss/dy; returns (dx, dweight, dbias)."""
    spec.cached(cache, Cache)
    spec.gradient(dy, cache.bias.shape, cache.bias.dtype)
    return implementations.load(__name__, implementation, dy=dy, cache=cache).backward(dy, cache)


def cost(x_shape, weight_shape, geometry, activation=None, itemsize=4) -> spec.Cost:
    """The convolution's, and the bias; y is cached for a ReLU."""
    y_shape = conv.output_shape(x_shape, weight_shape, geometry)
    return bias_spec.with_bias(conv.cost(x_shape, weight_shape, geometry, itemsize), y_shape, activation, itemsize)
