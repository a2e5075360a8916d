"""A step of gradient descent in NumPy."""


def step(values, velocity, gradients, decay, rate, momentum, nesterov):
    slope = gradients + decay * values
    velocity[...] = momentum * velocity + slope
    values -= rate * (slope + momentum * velocity if nesterov else velocity)
