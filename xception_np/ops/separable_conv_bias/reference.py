"""Depthwise separable convolution and its bias in NumPy: one reference after the other."""

from xception_np.ops.add import reference as addition
from xception_np.ops.bias import reference as bias_alone
from xception_np.ops.separable_conv import reference as convolution
from xception_np.ops.separable_conv_bias import Cache


def forward(x, depthwise_weight, pointwise_weight, bias, geometry, activation, before, addend):
    z, convolution_cache = convolution.forward(x, depthwise_weight, pointwise_weight, geometry, "spatial_first", None, before)
    if addend is not None:
        z, _ = addition.forward(z, addend)
    y, bias_cache = bias_alone.forward(z, bias, activation)
    return y, Cache(convolution_cache, bias_cache, addend is not None)


def backward(dy, cache):
    # y = activation(z + addend + bias), so the gradient passes the bias first
    dz, dbias = bias_alone.backward(dy, cache.bias)
    dx, ddepthwise, dpointwise = convolution.backward(dz, cache.convolution)
    return (dx, ddepthwise, dpointwise, dbias, dz) if cache.added else (dx, ddepthwise, dpointwise, dbias)
