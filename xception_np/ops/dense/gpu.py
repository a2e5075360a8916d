"""Fully connected layer on a GPU, composed of kernels of one thread a number."""

from xception_np.ops.dense.composition import Composition
from xception_np.ops.pointwise_conv import gpu as pointwise

forward, backward = Composition(pointwise).forward, Composition(pointwise).backward
