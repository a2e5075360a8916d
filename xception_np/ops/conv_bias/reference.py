"""Regular convolution and its bias in NumPy: one reference after the other."""

from xception_np.ops.add import reference as addition
from xception_np.ops.bias import reference as bias_alone
from xception_np.ops.conv import reference as convolution
from xception_np.ops.conv_bias import Cache


def forward(x, weight, bias, geometry, activation, addend):
    z, convolution_cache = convolution.forward(x, weight, geometry)
    if addend is not None:
        z, _ = addition.forward(z, addend)
    y, bias_cache = bias_alone.forward(z, bias, activation)
    return y, Cache(convolution_cache, bias_cache, addend is not None)


def backward(dy, cache):
    # y = activation(z + addend + bias), so the gradient passes the bias first
    dz, dbias = bias_alone.backward(dy, cache.bias)
    dx, dweight = convolution.backward(dz, cache.convolution)
    return (dx, dweight, dbias, dz) if cache.added else (dx, dweight, dbias)
