"""Layers without parameters: activations, pools, dropout, each one operation; and a change of shape."""

import math
import zlib

from xception_np import ops
from xception_np.geometry import Geometry
from xception_np.layers.base import Layer
from xception_np.ops.spec import Cost
from xception_np.random import Purpose, Stream


class _Activation(Layer):
    """An elementwise function."""

    operation = ops.relu
    keeps = "y"

    def __init__(self, name: str):
        self.name = name

    def forward(self, x, training=None):
        """y = f(x)."""
        return self.operation.forward(x)

    def backward(self, dy, cache):
        """dx = dy * f'(x)."""
        return self.operation.backward(dy, cache)

    def cost(self, x_shape):
        """As the operation's."""
        return self.operation.cost(x_shape)


class ReLU(_Activation):
    """Rectified linear unit."""


class ELU(_Activation):
    """Exponential linear unit."""

    operation = ops.elu


class _Pool(Layer):
    """A window that keeps the channels apart."""

    operation = ops.max_pool

    def __init__(self, name: str, geometry: Geometry):
        self.name, self.geometry = name, geometry

    def forward(self, x, training=None):
        """y = pool(x)."""
        return self.operation.forward(x, self.geometry)

    def backward(self, dy, cache):
        """dx."""
        return self.operation.backward(dy, cache)

    def output_shape(self, x_shape):
        """(N, OH, OW, C)."""
        return self.operation.output_shape(x_shape, self.geometry)

    def cost(self, x_shape):
        """As the operation's."""
        return self.operation.cost(x_shape, self.geometry)


class MaxPool(_Pool):
    """Largest value of every window; its cache says where that was."""

    keeps = "own"


class AvgPool(_Pool):
    """Mean of every window."""

    operation = ops.avg_pool


class GlobalAvgPool(Layer):
    """Mean of every channel over the image: (N, H, W, C) to (N, C)."""

    def __init__(self, name: str):
        self.name = name

    def forward(self, x, training=None):
        """y = mean of x over the image."""
        return ops.global_avg_pool.forward(x)

    def backward(self, dy, cache):
        """dx."""
        return ops.global_avg_pool.backward(dy, cache)

    def output_shape(self, x_shape):
        """(N, C)."""
        return ops.global_avg_pool.output_shape(x_shape)

    def cost(self, x_shape):
        """As the operation's."""
        return ops.global_avg_pool.cost(x_shape)


class Dropout(Layer):
    """In training, set each number to 0 with probability `rate`; at inference, nothing."""

    def __init__(self, name: str, rate: float):
        ops.spec.number("rate", rate, 0, 1, "a probability, 0 <= rate < 1")
        self.name, self.rate = name, rate
        self._index = zlib.crc32(name.encode())  # another stream for every dropout layer

    def forward(self, x, training=None):
        """y = dropout(x), by the words of this step."""
        if training is None:
            return x, None
        item = (self._index + training.rank) % 2**32
        return ops.dropout.forward(x, self.rate, Stream(training.seed, Purpose.DROPOUT, training.number, item))

    def backward(self, dy, cache):
        """dx."""
        return dy if cache is None else ops.dropout.backward(dy, cache)

    def cost(self, x_shape):
        """Nothing at inference; what the operation keeps in training."""
        return ops.dropout.cost(x_shape)._replace(bytes_moved=0)


class Flatten(Layer):
    """Every number of an image in one row: (N, H, W, C) to (N, H*W*C)."""

    keeps = "none"

    def __init__(self, name: str):
        self.name = name

    def forward(self, x, training=None):
        """y = x in another shape."""
        return x.reshape(self.output_shape(x.shape)), x.shape

    def backward(self, dy, cache):
        """dx = dy in the shape of x."""
        return dy.reshape(cache)

    def output_shape(self, x_shape):
        """(N, H*W*C)."""
        return x_shape[0], math.prod(x_shape[1:])

    def cost(self, x_shape):
        """Nothing is computed or moved."""
        return Cost()
