"""Batch normalisation and a separable convolution on a GPU, composed of kernels that are tiled."""

from xception_np.ops.batch_norm import gpu_tiled as norm
from xception_np.ops.norm_separable_conv.composition import Composition
from xception_np.ops.separable_conv import gpu_tiled as separable

forward, backward = Composition(norm, separable).forward, Composition(norm, separable).backward
