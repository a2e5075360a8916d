"""Fully connected layer on a GPU, composed of kernels that are tiled."""

from xception_np.ops.dense.composition import Composition
from xception_np.ops.pointwise_conv import gpu_tiled as pointwise

forward, backward = Composition(pointwise).forward, Composition(pointwise).backward
