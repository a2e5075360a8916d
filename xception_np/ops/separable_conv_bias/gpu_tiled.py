"""Depthwise separable convolution and its bias on a GPU, composed of kernels that are tiled where there are such."""

from xception_np.ops.separable_conv import gpu_tiled as convolution
from xception_np.ops.separable_conv_bias.composition import Composition

forward, backward = Composition(convolution).forward, Composition(convolution).backward
