"""Regular convolution and what is added to it on the CPU: the convolution's pass, which adds to a tile that is in the cache."""

from xception_np import arrays
from xception_np.ops import conv, convolutions, exits
from xception_np.ops.bias import Cache as BiasCache
from xception_np.ops.bias import cpu as bias_alone
from xception_np.ops.conv import cpu as conv_alone
from xception_np.ops.conv_bias import Cache


def forward(x, weight, bias, geometry, activation, addend):
    y, windows = arrays.empty(conv.output_shape(x.shape, weight.shape, geometry), x.dtype), geometry.windows(*x.shape[1:3])
    convolutions.way(weight, windows).convolve(x, weight, windows, 1, y, exits.of(bias, activation, addend))
    return y, Cache(conv.Cache(x, weight, geometry), BiasCache.of(y, activation), addend is not None)


def backward(dy, cache):
    # y = activation(z + addend + bias), so the gradient passes the bias first
    dz, dbias = bias_alone.backward(dy, cache.bias)
    dx, dweight = conv_alone.backward(dz, cache.convolution)
    return (dx, dweight, dbias, dz) if cache.added else (dx, dweight, dbias)
