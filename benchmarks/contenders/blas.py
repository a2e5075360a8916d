"""The ceiling: nothing but the matrix products of a network, at each layer's own shapes, by NumPy's BLAS on its own threads.

Forward y = x @ w; in training also dx = dy @ w.T, but for the layer that reads the pictures, and dw = x.T @ dy. Layers share
the memory of three arrays.
"""

import math
from collections.abc import Iterator

import numpy as np
from threadpoolctl import ThreadpoolController

from benchmarks.in_turn import Work
from benchmarks.subjects import Network
from xception_np import layers, models, threads
from xception_np.layers import Chain


def training(network: Network, _: str) -> Work:
    """All three products of every layer."""
    return _products(network, backward=True)


def inference(network: Network, _: str) -> Work:
    """The forward products."""
    return _products(network, backward=False)


def products_of(chain: Chain, x_shape: tuple[int, ...]) -> Iterator[tuple[int, int, int]]:
    """(P, K, N) of every product in a network: P positions, of K numbers each, to N."""
    for layer, shape in layers.visits(chain, x_shape):
        match layer:
            case layers.Conv() | layers.GroupedConv():
                kh, kw, width, filters = layer.kernel.shape
                segments = shape[3] // width
                yield from [(math.prod(layer.output_shape(shape)[:3]), kh * kw * width, filters // segments)] * segments
            case layers.SeparableConv():
                yield math.prod(layer.output_shape(shape)[:3]), *layer.pointwise.shape
            case layers.Dense():
                yield shape[0], *layer.kernel.shape


def _products(network: Network, backward: bool) -> Work:
    outline = models.outline(models.find(network.model))
    shapes = list(products_of(outline, (network.batch, network.size, network.size, 3)))
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

    controller = ThreadpoolController()

    def within_limits():
        with controller.limit(limits=threads.count(), user_api="blas"):  # a limit of its own each time: the end of one lifts it
            compute()

    return Work(within_limits, lambda _: [])
