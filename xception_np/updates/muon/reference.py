"""Muon in NumPy."""

import math

import numpy as np

from xception_np.updates.muon import COEFFICIENTS, ROUNDS, TINY


def step(values, velocities, gradients, angle, momentum, nesterov):
    for matrix in zip(values, velocities, gradients, strict=True):
        turn(*matrix, angle, momentum, nesterov)


def turn(value, velocity, gradient, angle, momentum, nesterov):
    """One matrix's step."""
    velocity[...] = momentum * velocity + gradient
    direction = orthogonal(gradient + momentum * velocity if nesterov else velocity)
    length = norm(value)
    value -= angle * length / norm(direction) * direction
    value *= length / norm(value)


def orthogonal(x):
    """The matrix with the singular vectors of x whose singular values are all about 1."""
    if x.shape[0] < x.shape[1]:
        return orthogonal(x.T).T  # the same, by squares x.T @ x of the smaller side
    a, b, c = COEFFICIENTS
    x = x / norm(x)
    for _ in range(ROUNDS):
        square = x.T @ x
        x = a * x + x @ (b * square + c * (square @ square))
    return x


def norm(x):
    """Length of a matrix as a vector, a float."""
    return max(math.sqrt(np.vdot(x, x)), TINY)
