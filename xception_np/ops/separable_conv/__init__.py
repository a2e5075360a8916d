"""Depthwise separable convolution: space and channels mapped one after the other, in either order.

    order="spatial_first"     x -> before -> depthwise -> activation -> pointwise -> y     (the separable one of the frameworks)
    order="pointwise_first"   x -> before -> pointwise -> activation -> depthwise -> y     ("extreme Inception module", Figure 4)

    x (N, H, W, C)
    spatial_first:    depthwise_weight (kh, kw, C, M), pointwise_weight (C*M, F), y (N, OH, OW, F)
    pointwise_first:  pointwise_weight (C, K), depthwise_weight (kh, kw, K, M),   y (N, OH, OW, K*M)

The paper finds no activation between the two best (section 4.7, Figure 10), so none is the default. Without one,
spatial-first is a regular convolution whose kernel is a product, kernel[i, j, c, f] = D[i, j, c] * P[c, f]. A ReLU before the
convolution, as at the beginning of Xception's modules (Figure 5), is a part of it: x is cut off while it is read.

The middle is not cached: the backward pass computes it again, which costs 1.6% of Xception's multiply-adds and saves half of
what a separable convolution would keep.
"""

from typing import NamedTuple

import numpy as np

from xception_np import implementations
from xception_np.geometry import Geometry
from xception_np.ops import depthwise_conv, pointwise_conv, spec

ORDERS = ("spatial_first", "pointwise_first")
ACTIVATIONS = (None, "relu", "elu")
BEFORE = (None, "relu")


class Cache(NamedTuple):
    """What the backward pass needs."""

    x: np.ndarray
    depthwise_weight: np.ndarray
    pointwise_weight: np.ndarray
    geometry: Geometry
    order: str
    activation: str | None
    before: str | None = None


def forward(
    x,
    depthwise_weight,
    pointwise_weight,
    geometry,
    order="spatial_first",
    activation=None,
    before=None,
    *,
    implementation=None,
):
    """Convolve every channel on its own and mix the channels, in the given order.

    Parameters
    ----------
    x : (N, H, W, C) array, float32 or float64
    depthwise_weight : (kh, kw, C, M) array; (kh, kw, K, M) if pointwise first
    pointwise_weight : (C*M, F) array; (C, K) if pointwise first
    geometry : Geometry
        Of the depthwise step.
    order : "spatial_first" or "pointwise_first"
    activation : None, "relu" or "elu"
        What stands between the two.
    before : None or "relu"
        What stands before them.

    Returns
    -------
    y : (N, OH, OW, F) array; (N, OH, OW, K*M) if pointwise first
    cache : Cache

    Raises
    ------
    InputError
        If shapes, dtypes, memory layout, geometry, order, activation or before do not fit.
    """
    spec.one_of("order", order, ORDERS)
    spec.one_of("activation", activation, ACTIVATIONS)
    spec.one_of("before", before, BEFORE)
    check(x, depthwise_weight, pointwise_weight, geometry, order)
    module = implementations.load(__name__, implementation, x=x)
    return module.forward(x, depthwise_weight, pointwise_weight, geometry, order, activation, before)


def backward(dy, cache, *, implementation=None):
    """Gradients given dy = dloss/dy; returns (dx, ddepthwise_weight, dpointwise_weight)."""
    spec.cached(cache, Cache)
    x, depthwise_weight, pointwise_weight, geometry, order, _, _ = cache
    shape = output_shape(x.shape, depthwise_weight.shape, pointwise_weight.shape, geometry, order)
    spec.gradient(dy, shape, x.dtype)
    return implementations.load(__name__, implementation, dy=dy, cache=cache).backward(dy, cache)


def output_shape(x_shape, depthwise_shape, pointwise_shape, geometry, order="spatial_first"):
    """(N, OH, OW, F), or (N, OH, OW, K*M) if pointwise first."""
    channels = pointwise_shape[1] if order == "spatial_first" else depthwise_shape[2] * depthwise_shape[3]
    return spec.windows_shape(x_shape, channels, geometry)


def cost(x_shape, depthwise_shape, pointwise_shape, geometry, order="spatial_first", itemsize=4) -> spec.Cost:
    """The sum of the two steps' parameters and MACs; the middle is neither moved nor cached, only x is."""
    if order == "spatial_first":
        middle = depthwise_conv.output_shape(x_shape, depthwise_shape, geometry)
        steps = (
            depthwise_conv.cost(x_shape, depthwise_shape, geometry, itemsize),
            pointwise_conv.cost(middle, pointwise_shape, itemsize),
        )
    else:
        middle = pointwise_conv.output_shape(x_shape, pointwise_shape)
        steps = (
            pointwise_conv.cost(x_shape, pointwise_shape, itemsize),
            depthwise_conv.cost(middle, depthwise_shape, geometry, itemsize),
        )
    y_shape = output_shape(x_shape, depthwise_shape, pointwise_shape, geometry, order)
    weights = (depthwise_shape, pointwise_shape)
    return spec.cost((x_shape, y_shape), weights, cached=[x_shape], itemsize=itemsize)._replace(macs=steps[0].macs + steps[1].macs)


def check(x, depthwise_weight, pointwise_weight, geometry, order="spatial_first") -> None:
    """Check that arrays and geometry fit together."""
    if order == "spatial_first":
        sizes = spec.shapes(x=(x, "N H W C"), depthwise_weight=(depthwise_weight, "kh kw C M"))
        middle = sizes["C"] * sizes["M"]
        spec.shapes(x=(x, "N H W C"), pointwise_weight=(pointwise_weight, f"{middle} F"))
    else:
        sizes = spec.shapes(
            x=(x, "N H W C"),
            pointwise_weight=(pointwise_weight, "C K"),
            depthwise_weight=(depthwise_weight, "kh kw K M"),
        )
    spec.geometry(geometry, (sizes["kh"], sizes["kw"]), sizes["H"], sizes["W"])
