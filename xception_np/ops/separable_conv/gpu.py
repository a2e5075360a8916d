"""Depthwise separable convolution on a GPU: the composition of the simple operations."""

from xception_np.ops.depthwise_conv import gpu_tiled as depthwise
from xception_np.ops.elu import gpu as elu
from xception_np.ops.pointwise_conv import gpu_tiled as pointwise
from xception_np.ops.relu import gpu as relu
from xception_np.ops.separable_conv import Cache


def forward(x, depthwise_weight, pointwise_weight, geometry, order, activation):
    cache = Cache(x, depthwise_weight, pointwise_weight, geometry, order, activation)
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
    between = {None: [], "relu": [(relu, ())], "elu": [(elu, ())]}[cache.activation]
    spatial = (depthwise, (cache.depthwise_weight, cache.geometry))
    channels = (pointwise, (cache.pointwise_weight,))
    first, last = (spatial, channels) if cache.order == "spatial_first" else (channels, spatial)
    for module, arguments in (first, *between, last):
        y, step_cache = module.forward(y, *arguments)
        steps.append((module, step_cache))
    return y, steps
