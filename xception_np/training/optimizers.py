"""Optimizers: from gradients to new parameters, in one pass over the model's two vectors."""

import numpy as np

from xception_np.errors import InputError
from xception_np.layers import Buffers


class SGD:
    """Stochastic gradient descent with momentum, as the paper's ImageNet runs (section 4.4).

        velocity = momentum * velocity + gradient        value = value - rate * velocity

    Parameters
    ----------
    buffers : Buffers
        Of the model to train.
    momentum : float
        0 <= momentum < 1.
    """

    def __init__(self, buffers: Buffers, momentum: float = 0.9):
        if not 0 <= momentum < 1:
            raise InputError(f"momentum is {momentum!r}; expected a number, 0 <= momentum < 1")
        self.buffers, self.momentum = buffers, momentum
        self.velocity = np.zeros_like(buffers.values)

    def step(self, rate: float) -> None:
        """Move all parameters, with this learning rate."""
        self.velocity *= self.momentum
        self.velocity += self.buffers.gradients
        self.buffers.values[...] -= rate * self.velocity
