"""A step of RMSprop in NumPy."""

import numpy as np


def step(values, mean_square, velocity, gradients, decay, rate, momentum, forgetting, epsilon):
    slope = gradients + decay * values
    mean_square[...] = forgetting * mean_square + (1 - forgetting) * slope**2
    velocity[...] = momentum * velocity + slope / (np.sqrt(mean_square) + epsilon)
    values -= rate * velocity
