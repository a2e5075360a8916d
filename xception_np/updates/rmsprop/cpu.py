"""A step of RMSprop on the CPU: one pass over all vectors."""

import numpy as np

from xception_np import threads
from xception_np.ops.compile import compiled


def step(values, mean_square, velocity, gradients, decay, rate, momentum, forgetting, epsilon):
    number = values.dtype.type  # a float64 among float32 numbers would make all of them float64
    scalars = tuple(map(number, (rate, momentum, forgetting, 1 - forgetting, epsilon)))
    threads.for_spans(lambda *parts: _step(*parts, *scalars), values, mean_square, velocity, gradients, decay)


@compiled
def _step(values, mean_square, velocity, gradients, decay, rate, momentum, forgetting, taking_in, epsilon):
    for k in range(values.size):
        slope = gradients[k] + decay[k] * values[k]
        mean_square[k] = forgetting * mean_square[k] + taking_in * (slope * slope)
        velocity[k] = momentum * velocity[k] + slope / (np.sqrt(mean_square[k]) + epsilon)
        values[k] -= rate * velocity[k]
