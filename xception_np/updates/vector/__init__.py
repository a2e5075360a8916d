"""What training does to its vectors besides: fill one, add one to another, scale one, sum its squares.

fill(y, a)    y = a            add(y, x)    y = y + x            scale(y, a)    y = a * y
sum_of_squares(x)   sum over k of x[k]^2, a float
"""

from xception_np import implementations
from xception_np.ops import spec


def fill(y, value, *, implementation=None) -> None:
    """Set all numbers of an array, of any shape."""
    spec.any_shape("y", y)
    implementations.load(__name__, implementation, y=y).fill(y, value)


def add(y, x, *, implementation=None) -> None:
    """Add x to y, which is written to; both of one shape and dtype."""
    spec.alike(y=y, x=x)
    implementations.load(__name__, implementation, y=y).add(y, x)


def scale(y, factor, *, implementation=None) -> None:
    """Multiply all numbers of an array, of any shape."""
    spec.any_shape("y", y)
    implementations.load(__name__, implementation, y=y).scale(y, factor)


def sum_of_squares(x, *, implementation=None) -> float:
    """The sum of the squares of an array, of any shape; NaN or infinity if one of its numbers is.

    In NumPy it is summed in float64. On a GPU, where float64 is slow, parts of about the square root of all numbers are summed in
    the array's own dtype, and the host adds them up in float64.
    """
    spec.any_shape("x", x)
    return implementations.load(__name__, implementation, x=x).sum_of_squares(x)
