"""Depthwise separable convolution on the CPU.

Spatial first, for a tile of P positions: the depthwise result goes into a panel (P, C*M) that stays in the cache, and the
matrix product reads it from there. The middle is never written to memory. The backward pass fills the panel again, and
uses it twice: for the pointwise gradient, and for the activation's.

Pointwise first has no such tile: a pixel of the middle is seen by windows of several tiles. It runs the two passes in turn.
"""

import numpy as np

from xception_np import arrays, threads
from xception_np.ops import depthwise_conv
from xception_np.ops.depthwise_conv import cpu as depthwise
from xception_np.ops.elu import cpu as elu
from xception_np.ops.pointwise_conv import cpu as pointwise
from xception_np.ops.relu import cpu as relu
from xception_np.ops.separable_conv import Cache, output_shape

_ACTIVATIONS = {"relu": relu, "elu": elu}


def forward(x, depthwise_weight, pointwise_weight, geometry, order, activation):
    cache = Cache(x, depthwise_weight, pointwise_weight, geometry, order, activation)
    return (_spatial_first if order == "spatial_first" else _pointwise_first)(cache), cache


def backward(dy, cache):
    return (_spatial_first_backward if cache.order == "spatial_first" else _pointwise_first_backward)(dy, cache)


def _spatial_first(cache):
    x, depthwise_weight, pointwise_weight, geometry, order, _ = cache
    shape = output_shape(x.shape, depthwise_weight.shape, pointwise_weight.shape, geometry, order)
    y = arrays.empty(shape, x.dtype)
    x_wide = depthwise.widen(x, depthwise_weight.shape[3])

    def tile_forward(tile):
        panel = _panel(x_wide, cache, tile, shape[2])
        np.matmul(panel, pointwise_weight, out=tile.of(y).reshape(-1, shape[3]))

    threads.for_tiles(tile_forward, threads.image_tiles(shape, max(pointwise_weight.shape)))
    return y


def _spatial_first_backward(dy, cache):
    x, depthwise_weight, pointwise_weight, geometry, _, activation = cache
    x_wide = depthwise.widen(x, depthwise_weight.shape[3])
    dmiddle = arrays.empty((*dy.shape[:3], pointwise_weight.shape[0]), x.dtype)

    def tile_backward(tile, out):
        dy_rows = tile.of(dy).reshape(-1, dy.shape[3])
        dmiddle_rows = tile.of(dmiddle).reshape(-1, dmiddle.shape[3])
        panel = _panel(x_wide, cache, tile, dy.shape[2])
        # y = panel @ P, so dP = panel.T @ dy and dpanel = dy @ P.T
        np.matmul(panel.T, dy_rows, out=out)
        np.matmul(dy_rows, pointwise_weight.T, out=dmiddle_rows)
        if activation is not None:
            _ACTIVATIONS[activation].backward_span(panel.ravel(), dmiddle_rows.ravel(), dmiddle_rows.ravel())

    groups = threads.tile_groups(dy.shape, max(pointwise_weight.shape), pointwise_weight.size)
    dpointwise = threads.sum_tiles(tile_backward, groups, pointwise_weight.shape, x.dtype)
    dx, ddepthwise = depthwise.backward(dmiddle, depthwise_conv.Cache(x, depthwise_weight, geometry))
    return dx, ddepthwise, dpointwise


def _panel(x_wide, cache, tile, out_width):
    """The middle of a tile, activated: (P, C*M)."""
    panel = arrays.empty((tile.n1 - tile.n0, tile.h1 - tile.h0, out_width, x_wide.shape[3]), x_wide.dtype)
    depthwise.forward_tile(x_wide, cache.depthwise_weight, cache.geometry, tile, panel)
    panel = panel.reshape(-1, x_wide.shape[3])
    if cache.activation is not None:
        _ACTIVATIONS[cache.activation].forward_span(panel.ravel(), panel.ravel())
    return panel


def _pointwise_first(cache):
    middle = _activated_channels(cache)
    y, _ = depthwise.forward(middle, cache.depthwise_weight, cache.geometry)
    return y


def _pointwise_first_backward(dy, cache):
    middle = _activated_channels(cache)
    dmiddle, ddepthwise = depthwise.backward(dy, depthwise_conv.Cache(middle, cache.depthwise_weight, cache.geometry))
    if cache.activation is not None:
        activation = _ACTIVATIONS[cache.activation]
        dmiddle = activation.backward(dmiddle, activation.Cache(middle))
    dx, dpointwise = pointwise.backward(dmiddle, pointwise.Cache(cache.x, cache.pointwise_weight))
    return dx, ddepthwise, dpointwise


def _activated_channels(cache):
    middle, _ = pointwise.forward(cache.x, cache.pointwise_weight)
    if cache.activation is not None:
        middle, _ = _ACTIVATIONS[cache.activation].forward(middle)
    return middle
