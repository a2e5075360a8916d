"""Batch normalisation and the separable convolution after it, in one pass over memory."""

from typing import Self

from xception_np import ops
from xception_np.layers.base import Layer
from xception_np.layers.batch_norm import BatchNorm
from xception_np.layers.joined import Joined
from xception_np.layers.separable_conv import SeparableConv


class NormSeparable(Joined):
    """Batch normalisation, with or without ReLU, and a separable convolution.

    Only the batch's statistics make it worth while: at inference, and where they are frozen, the two run one after the other.
    """

    def __init__(self, norm: BatchNorm, convolution: SeparableConv):
        super().__init__(f"{norm.name} with {convolution.name}", [norm, convolution])
        self.norm, self.convolution = norm, convolution

    @classmethod
    def of(cls, first: Layer, second: Layer) -> Self | None:
        """Two layers as one, if that can be."""
        if isinstance(first, BatchNorm) and isinstance(second, SeparableConv) and second.activation is None:
            return cls(first, second)
        return None

    def forward(self, x, training=None):
        """y = convolution(norm(x))."""
        if training is None or training.frozen:
            return super().forward(x, training)
        norm, convolution = self.norm, self.convolution
        gamma, beta = norm.scale_and_shift()
        depthwise, pointwise = convolution.depthwise.value, convolution.pointwise.value
        y, cache = ops.norm_separable_conv.forward(
            x, gamma, beta, depthwise, pointwise, convolution.geometry, norm.epsilon, norm.activation
        )
        norm.follow(cache.mean, cache.variance)
        return y, cache

    def backward(self, dy, cache):
        """dx; adds to the gradients of both. The kind of cache says which forward pass it was."""
        if not isinstance(cache, ops.norm_separable_conv.Cache):
            return super().backward(dy, cache)
        dx, dgamma, dbeta, ddepthwise, dpointwise = ops.norm_separable_conv.backward(dy, cache)
        self.convolution.add_gradients(ddepthwise, dpointwise)
        self.norm.add_gradients(dgamma, dbeta)
        return dx
