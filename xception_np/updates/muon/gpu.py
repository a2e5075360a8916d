"""Muon on a GPU, composed: of a pointwise convolution's products, its y and its dweight, and of what scales and adds vectors."""

import math

from xception_np.ops.pointwise_conv import gpu_tiled as pointwise
from xception_np.updates import vector
from xception_np.updates.muon import COEFFICIENTS, ROUNDS, TINY


def step(values, velocities, gradients, angle, momentum, nesterov):
    for value, velocity, gradient in zip(values, velocities, gradients, strict=True):
        vector.scale(velocity, momentum)
        vector.add(velocity, gradient)
        slope = velocity.copy()
        if nesterov:
            vector.scale(slope, momentum)
            vector.add(slope, gradient)
        direction = _orthogonal(slope)
        length = _norm(value)
        vector.scale(direction, -angle * length / _norm(direction))
        vector.add(value, direction)
        vector.scale(value, length / _norm(value))


def _orthogonal(x):
    """As the reference's; x is written to."""
    a, b, c = COEFFICIENTS
    vector.scale(x, 1 / _norm(x))
    for _ in range(ROUNDS):
        square = pointwise.product_over_positions(x, x)
        polynomial = _times(square, square)
        vector.scale(polynomial, c)
        vector.scale(square, b)
        vector.add(polynomial, square)
        moved = _times(x, polynomial)
        vector.scale(x, a)
        vector.add(x, moved)
    return x


def _times(x, matrix):
    y, _ = pointwise.forward(x.reshape(1, 1, *x.shape), matrix)
    return y.reshape(x.shape[0], matrix.shape[1])


def _norm(x):
    return max(math.sqrt(vector.sum_of_squares(x)), TINY)
