"""Operations: functions of arrays, without state. One folder each: formula and checks, NumPy to read, Numba to run, CUDA.

    y, cache = ops.NAME.forward(x, ..., implementation=None)
    dx, ...  = ops.NAME.backward(dy, cache, implementation=None)

Activations are NHWC, weights (kh, kw, C, F), as in Keras. The cache is a tuple of exactly what the backward pass needs.
"""

from xception_np.ops import (
    add,
    avg_pool,
    batch_norm,
    batch_norm_inference,
    bias,
    concat,
    conv,
    conv_bias,
    dense,
    depthwise_conv,
    dropout,
    elu,
    global_avg_pool,
    grouped_conv,
    max_pool,
    norm_separable_conv,
    pointwise_conv,
    relu,
    separable_conv,
    separable_conv_bias,
    sigmoid_cross_entropy,
    softmax_cross_entropy,
)

__all__ = [
    "add",
    "avg_pool",
    "batch_norm",
    "batch_norm_inference",
    "bias",
    "concat",
    "conv",
    "conv_bias",
    "dense",
    "depthwise_conv",
    "dropout",
    "elu",
    "global_avg_pool",
    "grouped_conv",
    "max_pool",
    "norm_separable_conv",
    "pointwise_conv",
    "relu",
    "separable_conv",
    "separable_conv_bias",
    "sigmoid_cross_entropy",
    "softmax_cross_entropy",
]
