"""Gradients divided by their usual size, with momentum, as the paper's JFT runs (section 4.2).

    slope       = gradient + decay * value
    mean_square = forgetting * mean_square + (1 - forgetting) * slope^2
    velocity    = momentum * velocity + slope / (sqrt(mean_square) + epsilon)
    value       = value - rate * velocity

Source: Hinton, "Neural Networks for Machine Learning", lecture 6e (2012).
"""

from xception_np import implementations
from xception_np.ops import spec


def step(values, mean_square, velocity, gradients, decay, rate, momentum, forgetting, epsilon, *, implementation=None) -> None:
    """Move values, their mean squares and their velocity, by their gradients.

    Parameters
    ----------
    values, mean_square, velocity : arrays of one shape, float32 or float64
        Written to.
    gradients, decay : arrays like values
    rate, momentum, forgetting, epsilon : float

    Raises
    ------
    InputError
        If shapes, dtypes or memory layout do not fit.
    """
    spec.alike(values=values, mean_square=mean_square, velocity=velocity, gradients=gradients, decay=decay)
    module = implementations.load(__name__, implementation, values=values)
    module.step(values, mean_square, velocity, gradients, decay, rate, momentum, forgetting, epsilon)
