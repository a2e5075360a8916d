"""A separable convolution and what stands around it on the CPU: the convolution's pass, which adds to a tile in the cache."""

from xception_np.ops import exits, separable_conv
from xception_np.ops.bias import Cache as BiasCache
from xception_np.ops.bias import cpu as bias_alone
from xception_np.ops.separable_conv import cpu as separable_alone
from xception_np.ops.separable_conv_bias import Cache


def forward(x, depthwise_weight, pointwise_weight, bias, geometry, activation, before, addend):
    convolution = separable_conv.Cache(x, depthwise_weight, pointwise_weight, geometry, "spatial_first", None, before)
    y = separable_alone.spatial_first(convolution, separable_alone.entry_of(convolution), exits.of(bias, activation, addend))
    return y, Cache(convolution, BiasCache.of(y, activation), addend is not None)


def backward(dy, cache):
    # y = activation(z + addend + bias), so the gradient passes the bias first
    dz, dbias = bias_alone.backward(dy, cache.bias)
    dx, ddepthwise, dpointwise = separable_alone.backward(dz, cache.convolution)
    return (dx, ddepthwise, dpointwise, dbias, dz) if cache.added else (dx, ddepthwise, dpointwise, dbias)
