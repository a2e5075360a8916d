"""Fully connected layer as a pointwise convolution of images of one pixel, and a bias; whichever kernels the product launches."""

from types import ModuleType
from typing import NamedTuple

from xception_np.ops.bias import gpu as bias_of
from xception_np.ops.dense import Cache
from xception_np.ops.pointwise_conv import Cache as PointwiseCache


class Composition(NamedTuple):
    """The operation, of the module of its product."""

    pointwise: ModuleType

    def forward(self, x, weight, bias):
        """As the spec's."""
        product, _ = self.pointwise.forward(_pixels(x), weight)
        y, _ = bias_of.forward(product, bias, None)
        return y.reshape(x.shape[0], weight.shape[1]), Cache(x, weight)

    def backward(self, dy, cache):
        """As the spec's."""
        x, weight = cache
        # y = x @ w + b, so dx and dw are the product's, and db = sum of dy
        dx, dweight = self.pointwise.backward(_pixels(dy), PointwiseCache(_pixels(x), weight))
        return dx.reshape(x.shape), dweight, bias_of.sum_positions(dy)


def _pixels(rows):
    """A view of (N, C) as (N, 1, 1, C)."""
    return rows.reshape(rows.shape[0], 1, 1, rows.shape[1])
