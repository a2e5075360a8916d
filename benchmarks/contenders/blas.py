"""The ceiling: nothing but the matrix products of a network, at each layer's own shapes, by NumPy's BLAS on its own threads.

Forward y = x @ w; in training also dx = dy @ w.T, but for the layer that reads the pictures, and dw = x.T @ dy. Layers share
the memory of three arrays.
"""

import math
from collections.abc import Iterator

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks.in_turn import Work
from benchmarks.subjects import Network
from xception_np import layers, models, threads
from xception_np.layers import Chain, Layer


def training(network: Network, _: str) -> Work:
    """All three products of every layer."""
    return _products(network, backward=True)


def inference(network: Network, _: str) -> Work:
    """The forward products."""
    return _products(network, backward=False)


def products_of(layer: Layer, x_shape: tuple[int, ...]) -> Iterator[tuple[int, int, int]]:
    """(P, K, N) of every product in a layer: P positions, of K numbers each, to N."""
    match layer:
        case Chain():
            for inner in layer.layers:
                yield from products_of(inner, x_shape)
                x_shape = inner.output_shape(x_shape)
        case layers.Residual():
            yield from products_of(layer.shortcut, x_shape)
            yield from products_of(layer.main, x_shape)
        case layers.Branches():
            for branch in layer.branches:
                yield from products_of(branch, x_shape)
        case layers.Conv():
            kh, kw, channels, filters = layer.kernel.shape
            yield math.prod(layer.output_shape(x_shape)[:3]), kh * kw * channels, filters
        case layers.GroupedConv():
            kh, kw, width, filters = layer.kernel.shape
            positions = math.prod(layer.output_shape(x_shape)[:3])
            yield from [(positions, kh * kw * width, filters // layer.segments)] * layer.segments
        case layers.SeparableConv():
            yield math.prod(layer.output_shape(x_shape)[:3]), *layer.pointwise.shape
        case layers.Dense():
            yield x_shape[0], *layer.kernel.shape


def _products(network: Network, backward: bool) -> Work:
    table = models.find(network.model)
    shapes = list(products_of(Chain("", models.layers_of(table, table.classes)), (network.batch, network.size, network.size, 3)))
    random = np.random.default_rng(0)
    sizes = [max(p * k for p, k, _ in shapes), max(k * n for _, k, n in shapes), max(p * n for p, _, n in shapes)]
    x, w, y = (random.standard_normal(size, np.float32) for size in sizes)
    dx, dw = np.empty_like(x), np.empty_like(w)
    pictures = shapes[0]

    def compute():
        for p, k, n in shapes:
            inputs, weight, outputs = x[: p * k].reshape(p, k), w[: k * n].reshape(k, n), y[: p * n].reshape(p, n)
            np.matmul(inputs, weight, out=outputs)
            if backward:
                np.matmul(inputs.T, outputs, out=dw[: k * n].reshape(k, n))
                if (p, k, n) != pictures:
                    np.matmul(outputs, weight.T, out=dx[: p * k].reshape(p, k))

    limits = threadpool_limits(threads.count(), "blas")

    def within_limits():
        with limits:
            compute()

    return Work(within_limits, lambda _: [])
