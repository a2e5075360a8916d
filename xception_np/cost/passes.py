"""A training step of one layer as passes over memory: what each multiplies, and what it reads and writes.

    y = f(x)            forward
    dx, dw from dy      backward

Within a pass every array is read or written once. An array that a second pass needs again is read again: by then it has left the
caches, if it is large. What an implementation moves besides, such as partial sums of dw, is not counted.
"""

from xception_np import ops
from xception_np.layers import BatchNorm, Branches, Conv, Dropout, Layer, MaxPool, Residual
from xception_np.ops.spec import Cost

_ITEMSIZE = 4  # float32


def training(layer: Layer, x_shape: tuple[int, ...], first: bool = False) -> tuple[Cost, ...]:
    """The passes of a training step, forward and backward; each with its multiply-adds and bytes moved, in float32.

    Parameters
    ----------
    layer : Layer
        Of containers, only the sum or the concatenation.
    x_shape : tuple of int
    first : bool
        Whether its x are the pictures, whose gradient nobody asks for.
    """
    cost = layer.cost(x_shape)
    forward = _pass(cost.macs, cost.bytes_moved)
    match layer:
        case BatchNorm():
            x = cost.bytes_cached
            statistics, sums, gradient = _pass(0, x), _pass(0, 2 * x), _pass(0, 3 * x)  # of x; of dy * xhat and dy; dx from x, dy
            return statistics, forward, sums, gradient
        case Dropout():  # which does nothing at inference
            return (_pass(0, ops.dropout.cost(x_shape).bytes_moved),) * 2  # x to y, dy to dx
        case MaxPool():  # dx from dy and the winners
            return forward, forward
        case Residual():  # dy goes to both paths as it is, and dx is the sum of what they send back
            addition = ops.add.cost(x_shape)
            return forward, _pass(0, addition.bytes_moved)
        case Branches():  # dy is cut into parts, and dx is the sum over branches
            addition = ops.add.cost(x_shape)
            return forward, forward, *[_pass(0, addition.bytes_moved)] * (len(layer.branches) - 1)
    if cost.macs:  # y = x * w: dx = dy * w and dw = x * dy are as many products of the same three arrays; and gradient += dw
        needs_dx = not (first and isinstance(layer, Conv))  # `Conv.learn`
        return forward, *[forward] * needs_dx, forward, _pass(0, 3 * _ITEMSIZE * cost.parameters)
    return forward, _pass(0, cost.bytes_moved + cost.bytes_cached)  # dx from dy and what is cached


def _pass(macs: int, bytes_moved: int) -> Cost:
    return Cost(macs=macs, bytes_moved=bytes_moved)
