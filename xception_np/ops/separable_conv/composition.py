"""Depthwise separable convolution as the composition of the simple operations, whichever kernels these launch."""

from types import ModuleType
from typing import NamedTuple

from xception_np.ops.elu import gpu as elu
from xception_np.ops.relu import gpu as relu
from xception_np.ops.separable_conv import Cache


class Composition(NamedTuple):
    """The operation, of the modules of its two steps."""

    depthwise: ModuleType
    pointwise: ModuleType

    def forward(self, x, depthwise_weight, pointwise_weight, geometry, order, activation):
        """As the spec's."""
        cache = Cache(x, depthwise_weight, pointwise_weight, geometry, order, activation)
        y, _ = self._run(cache)
        return y, cache

    def backward(self, dy, cache):
        """As the spec's."""
        _, steps = self._run(cache)
        # y = last(... first(x)), so the gradient passes the steps from the last to the first
        dweights = {}
        for module, step_cache in reversed(steps):
            if module in self:
                dy, dweights[module] = module.backward(dy, step_cache)
            else:
                dy = module.backward(dy, step_cache)
        return dy, dweights[self.depthwise], dweights[self.pointwise]

    def _run(self, cache):
        """The result, and what each step needs for its backward pass."""
        y, steps = cache.x, []
        between = {None: [], "relu": [(relu, ())], "elu": [(elu, ())]}[cache.activation]
        spatial = (self.depthwise, (cache.depthwise_weight, cache.geometry))
        channels = (self.pointwise, (cache.pointwise_weight,))
        first, last = (spatial, channels) if cache.order == "spatial_first" else (channels, spatial)
        for module, arguments in (first, *between, last):
            y, step_cache = module.forward(y, *arguments)
            steps.append((module, step_cache))
        return y, steps
