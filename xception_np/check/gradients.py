"""Three ways to check a gradient that know nothing about how it was computed.

- Finite differences, every element: the definition of a derivative.
- The adjoint: for a linear operation y = A x the backward pass is dx = A.T dy, so <y, dy> = <x, dx>, at any size.
- A directional derivative: one number for a whole network, however many parameters it has.

The upstream gradient dy and the direction are random: with ones, a kernel that is flipped between the passes goes
unseen, and the gradient of batch norm is 0 whatever its formula says.
"""

from collections.abc import Callable, Sequence

import numpy as np

from xception_np.check.comparison import Comparison, compare
from xception_np.errors import InputError


def finite_differences(function: Callable[[], np.ndarray], array: np.ndarray, dy, step: float) -> np.ndarray:
    """The gradient of sum(function() * dy) with respect to `array`, by central differences.

        gradient[k] = sum((function at array[k] + step  -  function at array[k] - step) * dy) / (2 * step)

    Exact for a function that is linear in `array`, whatever the step; otherwise wrong by about step**2 from the
    curvature and 1e-16 / step from rounding, least in sum near step = 1e-5.

    Parameters
    ----------
    function : () -> array
        Reads `array`, which is changed in place element by element and put back.
    array : float64 array
    dy : array of the shape of function(), or a number
        Upstream gradient; take it random.
    step : float

    Returns
    -------
    gradient : array like `array`
    """
    if array.dtype != np.float64:
        raise InputError(f"array has dtype {array.dtype}; expected float64: differences of float32 numbers are mostly rounding")
    gradient = np.empty_like(array)
    for index in np.ndindex(array.shape):
        value = array[index]
        try:
            array[index] = value + step
            above = np.array(function())  # a copy: a function may hand its argument through
            array[index] = value - step
            below = np.array(function())
        finally:
            array[index] = value
        gradient[index] = np.sum((above - below) * dy) / (2 * step)
    return gradient


def adjoint(y, dy, arguments: Sequence, gradients: Sequence, budget: float = 1e-12, what: str = "adjoint") -> Comparison:
    """Compare sum of <argument, gradient> with <y, dy>, for arguments in which the operation is linear together.

    A convolution is linear in x and in weight, so this holds for either alone: <x, dx> = <weight, dweight> = <y, dy>.
    A sum is linear in its terms together: <a, da> + <b, db> = <y, dy>.

    The error is a part of the sum of the absolute terms of <y, dy>: a sum of random terms may be nearly 0.
    """
    scale = _inner(np.abs(y), np.abs(dy)) or 1.0
    total = sum(_inner(argument, gradient) for argument, gradient in zip(arguments, gradients, strict=True))
    return compare(1 + (total - _inner(y, dy)) / scale, 1.0, budget, what)


def directional_derivative(
    function: Callable[[], float], arrays: Sequence[np.ndarray], directions: Sequence[np.ndarray], step: float = 1e-5
) -> float:
    """How fast function() changes when the arrays move along the directions, by a central difference.

        (function at arrays + step * directions  -  function at arrays - step * directions) / (2 * step)

    The arrays are changed in place and put back.
    """
    before = [array.copy() for array in arrays]
    values = []
    try:
        for signed_step in (step, -step):
            for array, start, direction in zip(arrays, before, directions, strict=True):
                np.add(start, signed_step * direction, out=array)
            values.append(float(function()))
    finally:
        for array, start in zip(arrays, before, strict=True):
            array[...] = start
    return (values[0] - values[1]) / (2 * step)


def compare_along(
    function: Callable[[], float],
    arrays: Sequence[np.ndarray],
    gradients: Sequence[np.ndarray],
    directions: Sequence[np.ndarray],
    step: float = 1e-5,
    budget: float = 1e-6,
    what: str = "directional derivative",
) -> Comparison:
    """Compare sum of <gradient, direction> with the directional derivative: the check for a whole network.

    Parameters
    ----------
    function : () -> float
        The loss; reads the arrays.
    arrays, gradients, directions : sequences of float64 arrays
        Parameters (or inputs), what the backward pass says about them, and where to move them, at random.
    step, budget : float
        A network has kinks (ReLU, max pooling), and a step that crosses some is wrong by about the step times their number.
    """
    analytic = sum(_inner(gradient, direction) for gradient, direction in zip(gradients, directions, strict=True))
    return compare(analytic, directional_derivative(function, arrays, directions, step), budget, what)


def _inner(a, b) -> float:
    return float(np.sum(np.asarray(a, np.float64) * b))
