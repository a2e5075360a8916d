"""Depthwise separable convolution on the CPU.

Spatial first, for a tile of P positions: the depthwise result goes into a panel (P, C*M) that stays in the cache, and the
matrix product reads it from there. The middle is never written to memory. The backward pass fills the panel again, and
uses it twice: for the pointwise gradient, and for the activation's; and the frame of x, from which the panel was filled, for
the depthwise gradient.

Pointwise first has no such tile: a pixel of the middle is seen by windows of several tiles. It runs the two passes in turn.
"""

import numpy as np

from xception_np import arrays, threads
from xception_np.ops import depthwise_conv, frames
from xception_np.ops.compile import compiled_apart, compiled_with, taken
from xception_np.ops.depthwise_conv import cpu as depthwise
from xception_np.ops.elu import cpu as elu
from xception_np.ops.pointwise_conv import cpu as pointwise
from xception_np.ops.relu import cpu as relu
from xception_np.ops.separable_conv import ACTIVATIONS, Cache, output_shape

RELU, ELU = ACTIVATIONS.index("relu"), ACTIVATIONS.index("elu")
_MODULES = {"relu": relu, "elu": elu}


def forward(x, depthwise_weight, pointwise_weight, geometry, order, activation):
    cache = Cache(x, depthwise_weight, pointwise_weight, geometry, order, activation)
    return (_spatial_first if order == "spatial_first" else _pointwise_first)(cache), cache


def backward(dy, cache):
    return (_spatial_first_backward if cache.order == "spatial_first" else _pointwise_first_backward)(dy, cache)


def _spatial_first(cache):
    x, depthwise_weight, pointwise_weight, geometry, order, activation = cache
    y = arrays.empty(output_shape(x.shape, depthwise_weight.shape, pointwise_weight.shape, geometry, order), x.dtype)
    x_wide, taps = depthwise.widen(x, depthwise_weight.shape[3]), depthwise.as_taps(depthwise_weight)
    windows, code = geometry.windows(*x.shape[1:3]), ACTIVATIONS.index(activation)
    tiles = threads.table(threads.image_tiles(y.shape, max(pointwise_weight.shape)))

    def work(queue):
        _forward(queue, tiles, x_wide, taps, pointwise_weight, windows, code, frames.rows(y))

    threads.together(work, len(tiles))
    return y


def _spatial_first_backward(dy, cache):
    x, depthwise_weight, pointwise_weight, geometry, _, activation = cache
    x_wide, taps = depthwise.widen(x, depthwise_weight.shape[3]), depthwise.as_taps(depthwise_weight)
    windows, code = geometry.windows(*x.shape[1:3]), ACTIVATIONS.index(activation)
    dmiddle = arrays.empty((*dy.shape[:3], pointwise_weight.shape[0]), x.dtype)
    tiles, groups = threads.group_table(threads.tile_groups(dy.shape, max(pointwise_weight.shape), pointwise_weight.size))

    def work(queue, partials):
        dy_rows, dmiddle_rows = frames.rows(dy), frames.rows(dmiddle)
        _backward(queue, groups, tiles, x_wide, dy_rows, taps, pointwise_weight, windows, code, dmiddle_rows, partials)

    sums = threads.sum_groups(work, len(groups), (taps.size + pointwise_weight.size,), x.dtype)
    dx = depthwise.input_gradient(dmiddle, taps, windows, x.shape)
    return dx, sums[: taps.size].reshape(depthwise_weight.shape), sums[taps.size :].reshape(pointwise_weight.shape)


@compiled_with(frames, depthwise, relu, elu)
def _forward(queue, tiles, x, taps, pointwise, windows, activation, y):
    height, columns = y.shape[0] // x.shape[0], y.shape[1]
    memory = frames.memory(tiles[0, 1], tiles[0, 3], columns, windows, x)  # the first tile is the largest, and starts at 0
    panels = _panel_memory(tiles[0], columns, taps)
    for k in taken(queue, len(tiles)):
        frame = frames.fill(x, tiles[k], columns, windows, (1, 1), memory)
        panel = _fill_panel(frame, tiles[k], columns, taps, windows, activation, panels)
        np.dot(panel, pointwise, frames.of_tile(y, tiles[k], height).reshape(-1, y.shape[2]))


@compiled_with(frames, depthwise, relu, elu)
def _backward(queue, groups, tiles, x, dy, taps, pointwise, windows, activation, dmiddle, partials):
    """partials[g] = the group's ddepthwise, then its dpointwise; and dmiddle, from which dx follows"""
    height, columns = dy.shape[0] // x.shape[0], dy.shape[1]
    memory = frames.memory(tiles[0, 1], tiles[0, 3], columns, windows, x)
    panels = _panel_memory(tiles[0], columns, taps)
    addend = np.empty_like(pointwise)
    for g in taken(queue, len(groups)):
        partials[g] = 0
        dtaps, dpointwise = partials[g, : taps.size].reshape(taps.shape), partials[g, taps.size :].reshape(pointwise.shape)
        for k in range(groups[g, 0], groups[g, 1]):
            frame = frames.fill(x, tiles[k], columns, windows, (1, 1), memory)
            panel = _fill_panel(frame, tiles[k], columns, taps, windows, activation, panels)
            dy_rows = frames.of_tile(dy, tiles[k], height).reshape(-1, dy.shape[2])
            dmiddle_tile = frames.of_tile(dmiddle, tiles[k], height)
            dmiddle_rows = dmiddle_tile.reshape(panel.shape)
            # y = panel @ P, so dP = panel.T @ dy and dpanel = dy @ P.T
            np.dot(panel.T, dy_rows, addend)
            dpointwise += addend
            np.dot(dy_rows, pointwise.T, dmiddle_rows)
            if activation == RELU:
                relu.backward_span(panel.reshape(-1), dmiddle_rows.reshape(-1), dmiddle_rows.reshape(-1))
            elif activation == ELU:
                elu.backward_span(panel.reshape(-1), dmiddle_rows.reshape(-1), dmiddle_rows.reshape(-1))
            # middle = sum over taps of frame * D, so dD = frame * dmiddle, summed over positions
            depthwise.add_products(frame, dmiddle_tile, windows, dtaps)


@compiled_apart
def _panel_memory(tile, columns, taps):
    """Memory for the panel of a tile, the largest."""
    return np.empty(tile[1] * tile[3] * columns * taps.shape[2], taps.dtype)


@compiled_with(depthwise, relu, elu)
def _fill_panel(frame, tile, columns, taps, windows, activation, memory):
    """The middle of a tile, activated: (P, C*M), in `memory`."""
    images, rows, channels = tile[1] - tile[0], tile[3] - tile[2], taps.shape[2]
    panel = memory[: images * rows * columns * channels]
    depthwise.correlate(frame, taps, windows, panel.reshape(images, rows, columns, channels))
    if activation == RELU:
        relu.forward_span(panel, panel)
    elif activation == ELU:
        elu.forward_span(panel, panel)
    return panel.reshape(-1, channels)


def _pointwise_first(cache):
    middle = _activated_channels(cache)
    y, _ = depthwise.forward(middle, cache.depthwise_weight, cache.geometry)
    return y


def _pointwise_first_backward(dy, cache):
    middle = _activated_channels(cache)
    dmiddle, ddepthwise = depthwise.backward(dy, depthwise_conv.Cache(middle, cache.depthwise_weight, cache.geometry))
    if cache.activation is not None:
        activation = _MODULES[cache.activation]
        dmiddle = activation.backward(dmiddle, activation.Cache(middle))
    dx, dpointwise = pointwise.backward(dmiddle, pointwise.Cache(cache.x, cache.pointwise_weight))
    return dx, ddepthwise, dpointwise


def _activated_channels(cache):
    middle, _ = pointwise.forward(cache.x, cache.pointwise_weight)
    if cache.activation is not None:
        middle, _ = _MODULES[cache.activation].forward(middle)
    return middle
