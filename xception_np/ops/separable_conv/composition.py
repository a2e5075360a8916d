"""Depthwise separable convolution as the composition of the simple operations, whichever kernels these launch."""

from types import ModuleType
from typing import NamedTuple

from xception_np.ops.elu import gpu as elu
from xception_np.ops.relu import gpu as relu
from xception_np.ops.separable_conv import Cache

_ACTIVATIONS = {None: [], "relu": [(relu, ())], "elu": [(elu, ())]}


class Composition(NamedTuple):
    """The operation, of the modules of its two steps."""

    depthwise: ModuleType
    pointwise: ModuleType

    def forward(self, x, depthwise_weight, pointwise_weight, geometry, order, activation, before):
        """As the spec's."""
        cache = Cache(x, depthwise_weight, pointwise_weight, geometry, order, activation, before)
        *others, (last, arguments) = self._steps(cache)
        between, _ = _through(others, x)
        y, _ = last.forward(between, *arguments)
        return y, cache

    def backward(self, dy, cache):
        """As the spec's."""
        *others, (last, arguments) = self._steps(cache)
        between, caches = _through(others, cache.x)
        caches.append((last, last.Cache(between, *arguments)))  # a convolution keeps what it was given: y is not needed again
        # y = last(... first(x)), so the gradient passes the steps from the last to the first
        dweights = {}
        for module, step_cache in reversed(caches):
            if module in self:
                dy, dweights[module] = module.backward(dy, step_cache)
            else:
                dy = module.backward(dy, step_cache)
        return dy, dweights[self.depthwise], dweights[self.pointwise]

    def _steps(self, cache):
        """(module, arguments after x) of every step, in their order."""
        spatial = (self.depthwise, (cache.depthwise_weight, cache.geometry))
        channels = (self.pointwise, (cache.pointwise_weight,))
        first, last = (spatial, channels) if cache.order == "spatial_first" else (channels, spatial)
        return *_ACTIVATIONS[cache.before], first, *_ACTIVATIONS[cache.activation], last


def _through(steps, x):
    """What steps make of x, and (module, cache) of each for its backward pass."""
    caches = []
    for module, arguments in steps:
        x, step_cache = module.forward(x, *arguments)
        caches.append((module, step_cache))
    return x, caches
