"""A separable convolution and its bias on the CPU: the convolution's pass, which adds the bias to a tile that is in the cache."""

from xception_np.ops import entries, exits, separable_conv
from xception_np.ops.bias import Cache as BiasCache
from xception_np.ops.bias import cpu as bias_alone
from xception_np.ops.separable_conv import cpu as separable_alone
from xception_np.ops.separable_conv_bias import Cache


def forward(x, depthwise_weight, pointwise_weight, bias, geometry, activation):
    convolution = separable_conv.Cache(x, depthwise_weight, pointwise_weight, geometry, "spatial_first", None)
    y = separable_alone.spatial_first(convolution, entries.nothing(x.dtype), exits.Exit(bias, activation == "relu"))
    return y, Cache(convolution, BiasCache.of(y, activation))


def backward(dy, cache):
    # y = activation(z + bias), so the gradient passes the bias first
    dz, dbias = bias_alone.backward(dy, cache.bias)
    dx, ddepthwise, dpointwise = separable_alone.backward(dz, cache.convolution)
    return dx, ddepthwise, dpointwise, dbias
