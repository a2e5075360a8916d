"""Depthwise separable convolution in NumPy: the composition of the simple references."""

from xception_np.ops.depthwise_conv import reference as depthwise
from xception_np.ops.elu import reference as elu
from xception_np.ops.pointwise_conv import reference as pointwise
from xception_np.ops.relu import reference as relu
from xception_np.ops.separable_conv import Cache

_ACTIVATIONS = {None: [], "relu": [(relu, ())], "elu": [(elu, ())]}


def forward(x, depthwise_weight, pointwise_weight, geometry, order, activation, before):
    cache = Cache(x, depthwise_weight, pointwise_weight, geometry, order, activation, before)
    y, _ = _run(cache)
    return y, cache


def backward(dy, cache):
    _, steps = _run(cache)
    # y = last(... first(x)), so the gradient passes the steps from the last to the first
    dweights = {}
    for module, step_cache in reversed(steps):
        if module in (depthwise, pointwise):
            dy, dweights[module] = module.backward(dy, step_cache)
        else:
            dy = module.backward(dy, step_cache)
    return dy, dweights[depthwise], dweights[pointwise]


def _run(cache):
    """The result, and what each step needs for its backward pass."""
    y, steps = cache.x, []
    spatial = (depthwise, (cache.depthwise_weight, cache.geometry))
    channels = (pointwise, (cache.pointwise_weight,))
    first, last = (spatial, channels) if cache.order == "spatial_first" else (channels, spatial)
    for module, arguments in (*_ACTIVATIONS[cache.before], first, *_ACTIVATIONS[cache.activation], last):
        y, step_cache = module.forward(y, *arguments)
        steps.append((module, step_cache))
    return y, steps
