"""Every operation as PyTorch computes it, from our layouts to our layouts, with the gradients of autograd.

    y, gradients = passes("conv", (x, weight, geometry), dy)

The borders are PyTorch's or worked out here, from TensorFlow's documentation; nothing is taken from `Geometry` but its four fields.
Dropout is missing: its mask is our own random words.
"""

import numpy as np
import torch
import torch.nn.functional as F


def passes(operation: str, arguments: tuple, dy) -> tuple[np.ndarray, list[np.ndarray]]:
    """The result of an operation's `forward` on these arguments, and what its `backward` should return for dy."""
    inputs: list[torch.Tensor] = []
    y = OPERATIONS[operation](*(_tensor(argument, inputs) for argument in arguments))
    y.backward(torch.as_tensor(dy, dtype=y.dtype))
    gradients = [tensor.grad for tensor in inputs if tensor.grad is not None]
    return y.detach().numpy(), [gradient.numpy() for gradient in gradients]


def same_pads(size: int, kernel: int, stride: int, dilation: int) -> tuple[int, int]:
    """Padding before and after one axis, as TensorFlow documents 'SAME' (tf.nn, "Notes on padding")."""
    extent = (kernel - 1) * dilation + 1
    total = max(extent - (size % stride or stride), 0)
    return total // 2, total - total // 2


def conv(x, weight, geometry, segments=1):
    """(kh, kw, C/S, F) here is (F, C/S, kh, kw) there."""
    x, weight = _padded(_channels_first(x), geometry), weight.permute(3, 2, 0, 1).contiguous()
    y = F.conv2d(x, weight, stride=geometry.stride, dilation=geometry.dilation, groups=segments)
    return _channels_last(y)


def depthwise_conv(x, weight, geometry):
    """(kh, kw, C, M) here is (C*M, 1, kh, kw) there, in groups of one channel."""
    kh, kw, channels, multiplier = weight.shape
    return conv(x, weight.reshape(kh, kw, 1, channels * multiplier), geometry, channels)


def pointwise_conv(x, weight):
    """A convolution with a 1x1 kernel."""
    return _channels_last(F.conv2d(_channels_first(x), weight.T[:, :, None, None]))


def separable_conv(x, depthwise_weight, pointwise_weight, geometry, order="spatial_first", activation=None, before=None):
    """The two steps, one after the other."""
    x = _activated(x, before)
    if order == "spatial_first":
        return pointwise_conv(_activated(depthwise_conv(x, depthwise_weight, geometry), activation), pointwise_weight)
    return depthwise_conv(_activated(pointwise_conv(x, pointwise_weight), activation), depthwise_weight, geometry)


def _activated(x, activation):
    return {None: lambda x: x, "relu": F.relu, "elu": F.elu}[activation](x)


def batch_norm(x, gamma, beta, epsilon, activation):
    """Channels first, over everything else."""
    y = F.batch_norm(x.movedim(-1, 1), None, None, gamma, beta, training=True, eps=epsilon)
    return _activated(y.movedim(1, -1), activation)


def norm_separable_conv(x, gamma, beta, depthwise_weight, pointwise_weight, geometry, epsilon, activation):
    """The two operations, one after the other."""
    return separable_conv(batch_norm(x, gamma, beta, epsilon, activation), depthwise_weight, pointwise_weight, geometry)


def batch_norm_inference(x, gamma, beta, mean, variance, epsilon, activation):
    """Channels first; the statistics are constants."""
    y = F.batch_norm(x.movedim(-1, 1), mean.detach(), variance.detach(), gamma, beta, training=False, eps=epsilon)
    return _activated(y.movedim(1, -1), activation)


def bias(x, bias, activation):
    """Along the last axis."""
    return _activated(x + bias, activation)


def conv_bias(x, weight, shift, geometry, activation, addend=0):
    """The operations, one after the other."""
    return bias(conv(x, weight, geometry) + addend, shift, activation)


def separable_conv_bias(x, depthwise_weight, pointwise_weight, shift, geometry, activation, before=None, addend=0):
    """The operations, one after the other."""
    z = separable_conv(x, depthwise_weight, pointwise_weight, geometry, before=before)
    return bias(z + addend, shift, activation)


def max_pool(x, geometry):
    """Padding of -inf, which never wins."""
    x = _padded(_channels_first(x), geometry, -torch.inf)
    return _channels_last(F.max_pool2d(x, geometry.kernel, geometry.stride, dilation=geometry.dilation))


def avg_pool(x, geometry):
    """The sum of a window over its number of pixels, both by convolution: PyTorch's pool knows no dilation or uneven padding."""
    channels = x.shape[3]
    ones = x.new_ones(*geometry.kernel, 1, channels)
    return conv(x, ones, geometry, channels) / conv(torch.ones_like(x), ones, geometry, channels)


def global_avg_pool(x):
    """To one pixel."""
    return F.adaptive_avg_pool2d(_channels_first(x), 1).flatten(1)


def dense(x, weight, bias):
    """(C, F) here is (F, C) there."""
    return F.linear(x, weight.T, bias)


def concat(branches):
    """Along the last axis."""
    return torch.cat(branches, dim=-1)


def softmax_cross_entropy(logits, labels, label_smoothing):
    """The mean over images; labels, or shares of classes, are constants."""
    return F.cross_entropy(logits, labels.detach(), label_smoothing=label_smoothing)


def sigmoid_cross_entropy(logits, targets):
    """The mean over images and classes; targets are constants."""
    return F.binary_cross_entropy_with_logits(logits, targets.detach())


OPERATIONS = {
    "add": torch.add,
    "avg_pool": avg_pool,
    "batch_norm": batch_norm,
    "batch_norm_inference": batch_norm_inference,
    "bias": bias,
    "concat": concat,
    "conv": conv,
    "conv_bias": conv_bias,
    "dense": dense,
    "depthwise_conv": depthwise_conv,
    "elu": F.elu,
    "global_avg_pool": global_avg_pool,
    "grouped_conv": conv,
    "max_pool": max_pool,
    "norm_separable_conv": norm_separable_conv,
    "pointwise_conv": pointwise_conv,
    "relu": F.relu,
    "separable_conv": separable_conv,
    "separable_conv_bias": separable_conv_bias,
    "sigmoid_cross_entropy": sigmoid_cross_entropy,
    "softmax_cross_entropy": softmax_cross_entropy,
}


def _tensor(argument, inputs: list[torch.Tensor]):
    """An argument for PyTorch; floating-point arrays, also those in a list, ask for gradients and are added to `inputs`."""
    if isinstance(argument, list):
        return [_tensor(item, inputs) for item in argument]
    if not isinstance(argument, np.ndarray):
        return argument
    tensor = torch.tensor(argument)
    if tensor.is_floating_point():
        inputs.append(tensor.requires_grad_())
    return tensor


def _padded(x, geometry, value=0.0):
    """An (N, C, H, W) tensor with the border that the geometry asks for."""
    if geometry.padding == "valid":
        return x
    if geometry.padding == "same":
        axes = zip(x.shape[2:], geometry.kernel, geometry.stride, geometry.dilation, strict=True)
        rows, columns = (same_pads(*axis) for axis in axes)
    else:
        rows, columns = geometry.padding
    return F.pad(x, (*columns, *rows), value=value)


def _channels_first(x):
    return x.permute(0, 3, 1, 2)


def _channels_last(x):
    return x.permute(0, 2, 3, 1)
