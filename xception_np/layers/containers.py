"""Layers made of layers: one after the other, around, and side by side."""

from collections.abc import Sequence

from xception_np import ops
from xception_np.errors import InputError
from xception_np.layers.base import Layer, Row


class Chain(Layer):
    """Layers one after the other; an empty chain is the identity."""

    def __init__(self, name: str, layers: Sequence[Layer] = ()):
        self.name, self.layers = name, list(layers)

    @property
    def parameters(self):
        """Of all layers, in order."""
        return [parameter for layer in self.layers for parameter in layer.parameters]

    @property
    def moving(self):
        """Of all layers, in order."""
        return [parameter for layer in self.layers for parameter in layer.moving]

    def forward(self, x, training=None):
        """y = last(... first(x)); the cache is a list, one entry a layer."""
        caches = []
        for layer in self.layers:
            x, cache = layer.forward(x, training)
            caches.append(cache)
        return x, caches

    def apply(self, x):
        """y = last(... first(x)), at inference."""
        for layer in self.layers:
            x = layer.apply(x)
        return x

    @property
    def adds(self):
        """Whether the last layer does."""
        return bool(self.layers) and self.layers[-1].adds

    def apply_and_add(self, x, addend):
        """y = last(... first(x)) + addend, which the last layer adds."""
        if not self.layers:
            return super().apply_and_add(x, addend)
        *others, last = self.layers
        for layer in others:
            x = layer.apply(x)
        return last.apply_and_add(x, addend)

    def backward(self, dy, cache):
        """From the last layer to the first. Each entry of the cache is dropped as it is passed: its memory is free."""
        for layer in reversed(self.layers):
            dy = layer.backward(dy, cache.pop())
        return dy

    def learn(self, dy, cache):
        """From the last layer to the first, which need not find dx."""
        if self.layers:
            first, *others = self.layers
            for layer in reversed(others):
                dy = layer.backward(dy, cache.pop())
            first.learn(dy, cache.pop())

    def output_shape(self, x_shape):
        """Of the last layer."""
        for layer in self.layers:
            x_shape = layer.output_shape(x_shape)
        return x_shape

    def cost(self, x_shape):
        """Of all layers."""
        return ops.spec.total(row.cost for row in self.rows(x_shape))

    def rows(self, x_shape):
        """Those of every layer."""
        found = []
        for layer in self.layers:
            found += layer.rows(x_shape)
            x_shape = layer.output_shape(x_shape)
        return found


class Residual(Layer):
    """y = main(x) + shortcut(x); the paper's modules, whose shortcut is the identity or a 1x1 convolution with stride 2."""

    def __init__(self, name: str, main: Chain, shortcut: Chain):
        self.name, self.main, self.shortcut = name, main, shortcut

    @property
    def own_name(self):
        """Of the sum."""
        return f"{self.name}_add"

    @property
    def parameters(self):
        """Main path, then shortcut."""
        return self.main.parameters + self.shortcut.parameters

    @property
    def moving(self):
        """Main path, then shortcut."""
        return self.main.moving + self.shortcut.moving

    def forward(self, x, training=None):
        """y = main(x) + shortcut(x)."""
        main, main_cache = self.main.forward(x, training)
        shortcut, shortcut_cache = self.shortcut.forward(x, training)
        y, _ = ops.add.forward(main, shortcut)
        return y, (main_cache, shortcut_cache)

    def apply(self, x):
        """y = main(x) + shortcut(x), at inference: the path whose last layer can do that adds what the other one gave."""
        path, other = (self.main, self.shortcut) if self.main.adds else (self.shortcut, self.main)
        return path.apply_and_add(x, other.apply(x))

    def backward(self, dy, cache):
        """Both paths saw x, so dx = main.backward(dy) + shortcut.backward(dy)."""
        main_cache, shortcut_cache = cache
        dmain = self.main.backward(dy, main_cache)
        dshortcut = self.shortcut.backward(dy, shortcut_cache)
        dx, _ = ops.add.forward(dmain, dshortcut)
        return dx

    def output_shape(self, x_shape):
        """Of both paths; InputError if they differ."""
        main, shortcut = self.main.output_shape(x_shape), self.shortcut.output_shape(x_shape)
        if main != shortcut:
            raise InputError(f"{self.name} adds {main}, of its main path, and {shortcut}, of its shortcut; expected one shape")
        return main

    def cost(self, x_shape):
        """Of the sum alone."""
        return ops.add.cost(self.output_shape(x_shape))

    def rows(self, x_shape):
        """Main path, shortcut, sum."""
        total = Row(self.own_name, "Add", self.output_shape(x_shape), self.cost(x_shape))
        return [*self.main.rows(x_shape), *self.shortcut.rows(x_shape), total]


class Branches(Layer):
    """y = branches side by side along the channels; an Inception module."""

    def __init__(self, name: str, branches: Sequence[Layer]):
        self.name, self.branches = name, list(branches)

    @property
    def own_name(self):
        """Of the concatenation."""
        return f"{self.name}_concat"

    @property
    def parameters(self):
        """Of all branches, in order."""
        return [parameter for branch in self.branches for parameter in branch.parameters]

    @property
    def moving(self):
        """Of all branches, in order."""
        return [parameter for branch in self.branches for parameter in branch.moving]

    def forward(self, x, training=None):
        """y = concat of branch(x)."""
        results, caches = [], []
        for branch in self.branches:
            y, cache = branch.forward(x, training)
            results.append(y)
            caches.append(cache)
        y, concat_cache = ops.concat.forward(results)
        return y, (caches, concat_cache)

    def apply(self, x):
        """y = concat of branch(x), at inference."""
        return ops.concat.forward([branch.apply(x) for branch in self.branches])[0]

    def backward(self, dy, cache):
        """Every branch saw x, so dx is the sum of what they send back."""
        caches, concat_cache = cache
        parts = ops.concat.backward(dy, concat_cache)
        dx = None
        for branch, part, branch_cache in zip(self.branches, parts, caches, strict=True):
            dbranch = branch.backward(part, branch_cache)
            dx = dbranch if dx is None else ops.add.forward(dx, dbranch)[0]
        return dx

    def output_shape(self, x_shape):
        """(N, H, W, sum of channels)."""
        shapes = [branch.output_shape(x_shape) for branch in self.branches]
        return (*shapes[0][:3], sum(shape[3] for shape in shapes))

    def cost(self, x_shape):
        """Of the concatenation alone."""
        return ops.concat.cost([branch.output_shape(x_shape) for branch in self.branches])

    def rows(self, x_shape):
        """Those of every branch, then the concatenation."""
        total = Row(self.own_name, "Concat", self.output_shape(x_shape), self.cost(x_shape))
        return [row for branch in self.branches for row in branch.rows(x_shape)] + [total]
