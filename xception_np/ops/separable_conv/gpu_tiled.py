"""Depthwise separable convolution on a GPU, composed of kernels that are tiled."""

from xception_np.ops.depthwise_conv import gpu_tiled as depthwise
from xception_np.ops.pointwise_conv import gpu_tiled as pointwise
from xception_np.ops.separable_conv.composition import Composition

forward, backward = Composition(depthwise, pointwise).forward, Composition(depthwise, pointwise).backward
