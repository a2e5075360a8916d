"""Depthwise separable convolution and its bias on a GPU, composed of kernels of one thread a number."""

from xception_np.ops.separable_conv import gpu as convolution
from xception_np.ops.separable_conv_bias.composition import Composition

forward, backward = Composition(convolution).forward, Composition(convolution).backward
