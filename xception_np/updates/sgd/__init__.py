"""Stochastic gradient descent with momentum, as the paper's ImageNet runs (section 4.2).

    slope    = gradient + decay * value
    velocity = momentum * velocity + slope
    value    = value - rate * velocity                        or, with Nesterov's momentum,
    value    = value - rate * (slope + momentum * velocity)

Nesterov's in the form of Sutskever et al., "On the importance of initialization and momentum" (ICML 2013), with the value that is
kept being the one looked ahead to.
"""

from xception_np import implementations
from xception_np.ops import spec


def step(values, velocity, gradients, decay, rate, momentum, nesterov, *, implementation=None) -> None:
    """Move values, and their velocity, by their gradients.

    Parameters
    ----------
    values, velocity : arrays of one shape, float32 or float64
        Written to.
    gradients, decay : arrays like values
    rate, momentum : float
    nesterov : bool

    Raises
    ------
    InputError
        If shapes, dtypes or memory layout do not fit.
    """
    spec.alike(values=values, velocity=velocity, gradients=gradients, decay=decay)
    module = implementations.load(__name__, implementation, values=values)
    module.step(values, velocity, gradients, decay, rate, momentum, nesterov)
