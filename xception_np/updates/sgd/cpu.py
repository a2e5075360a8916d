"""A step of gradient descent on the CPU: one pass over all vectors."""

from xception_np import threads
from xception_np.ops.compile import compiled


def step(values, velocity, gradients, decay, rate, momentum, nesterov):
    number = values.dtype.type  # a float64 among float32 numbers would make all of them float64
    scalars = number(rate), number(momentum), nesterov
    threads.for_spans(lambda *parts: _step(*parts, *scalars), values, velocity, gradients, decay)


@compiled
def _step(values, velocity, gradients, decay, rate, momentum, nesterov):
    for k in range(values.size):
        slope = gradients[k] + decay[k] * values[k]
        velocity[k] = momentum * velocity[k] + slope
        values[k] -= rate * (slope + momentum * velocity[k] if nesterov else velocity[k])
