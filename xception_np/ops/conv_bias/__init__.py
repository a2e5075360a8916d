"""Regular convolution, what is added to it, and the ReLU after it, in one pass over memory.

    y = activation(conv(x, weight) + addend + bias)        as in ops/conv, ops/add and ops/bias

    x (N, H, W, C)    weight (kh, kw, C, F)    addend (N, OH, OW, F) or none    bias (F,)    y (N, OH, OW, F)

Every convolution of VGG-16, and of any network whose batch normalisation is folded into its weights; the shortcuts of Xception's
modules, to which the other path is added. Apart, each step reads what was written just before, and writes it again.
"""

from typing import NamedTuple

from xception_np import implementations
from xception_np.ops import bias as bias_spec
from xception_np.ops import conv, spec


class Cache(NamedTuple):
    """What the backward pass needs: what the two steps keep, and whether there was an addend."""

    convolution: conv.Cache
    bias: bias_spec.Cache
    added: bool


def forward(x, weight, bias, geometry, activation=None, addend=None, *, implementation=None):
    """Convolve, add, and set what is negative to 0 if the activation says so.

    Parameters
    ----------
    x : (N, H, W, C) array, float32 or float64
    weight : (kh, kw, C, F) array of the same dtype
    bias : (F,) array
    geometry : Geometry
        Stride, dilation and padding; its kernel is (kh, kw).
    activation : None or "relu"
    addend : (N, OH, OW, F) array, optional

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
    if addend is not None:
        bias_spec.check_addend(addend, conv.output_shape(x.shape, weight.shape, geometry), x)
    module = implementations.load(__name__, implementation, x=x)
    return module.forward(x, weight, bias, geometry, activation, addend)


def backward(dy, cache, *, implementation=None):
    """Gradients given dy = dloss/dy; returns (dx, dweight, dbias), and daddend if there was one.

    Without an activation daddend may be dy itself: do not write to it.
    """
    spec.cached(cache, Cache)
    spec.gradient(dy, cache.bias.shape, cache.bias.dtype)
    return implementations.load(__name__, implementation, dy=dy, cache=cache).backward(dy, cache)


def cost(x_shape, weight_shape, geometry, activation=None, itemsize=4) -> spec.Cost:
    """The convolution's, and the bias; y is cached for a ReLU."""
    y_shape = conv.output_shape(x_shape, weight_shape, geometry)
    return bias_spec.with_bias(conv.cost(x_shape, weight_shape, geometry, itemsize), y_shape, activation, itemsize)
