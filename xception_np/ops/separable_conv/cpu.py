"""Depthwise separable convolution on the CPU.

Spatial first, tile by tile: the depthwise result goes into a panel, a row of C*M numbers for each position, that stays in the
cache, and the product with the pointwise weight P reads it from there. The middle is never written to memory. The backward pass
fills the panel again, and uses it twice: for the pointwise gradient, and for the activation's; and the frame of x, from which the
panel was filled, for the depthwise gradient.

A tile is some rows of an image, or some whole images where they are small. Whole images are all that dx depends on, so then the
gradient of the middle stays in the cache, too; otherwise it is written to memory, and dx follows in a second pass.

    x --frame--> panel --P--> y        dy --P.T--> dmiddle --frame--> dx
           |       |                                  |
           |       +---- with dy: dP                  |
           +----------------------------------- dD ---+

What leaves for y may be more than the product: with an `Exit` (`ops/exits.py`) a bias is added to it, and it is cut off at 0.
What the frame holds may be more than x: with an `Entry` (`ops/entries.py`) it is x cut off at 0, or normalised first, and the
gradient that comes back is that of the normalised x.

Pointwise first has no such tile: a pixel of the middle is seen by windows of several tiles. It runs the two passes in turn.
"""

from xception_np import arrays, threads, tiling
from xception_np.ops import depthwise_conv, entries, exits, frames, packing, products
from xception_np.ops.compile import compiled, compiled_with, taken
from xception_np.ops.depthwise_conv import cpu as depthwise
from xception_np.ops.elu import cpu as elu
from xception_np.ops.pointwise_conv import cpu as pointwise
from xception_np.ops.relu import cpu as relu
from xception_np.ops.separable_conv import ACTIVATIONS, Cache, output_shape

RELU, ELU = ACTIVATIONS.index("relu"), ACTIVATIONS.index("elu")
_MODULES = {"relu": relu, "elu": elu}


def forward(x, depthwise_weight, pointwise_weight, geometry, order, activation, before):
    cache = Cache(x, depthwise_weight, pointwise_weight, geometry, order, activation, before)
    return (spatial_first(cache, entry_of(cache)) if order == "spatial_first" else _pointwise_first(cache)), cache


def backward(dy, cache):
    if cache.order == "pointwise_first":
        return _pointwise_first_backward(dy, cache)
    dx, ddepthwise, dpointwise, _ = spatial_first_backward(dy, cache, entry_of(cache))
    return dx, ddepthwise, dpointwise


def entry_of(cache):
    """What stands before the convolution."""
    return entries.as_it_is(cache.x.dtype, cache.before == "relu")


def spatial_first(cache, entry, exit=None):
    """y as it leaves, from x as it enters; the exit is nothing if not given."""
    x, depthwise_weight, pointwise_weight, geometry, order, activation, _ = cache
    y = arrays.empty(output_shape(x.shape, depthwise_weight.shape, pointwise_weight.shape, geometry, order), x.dtype)
    multiplier = depthwise_weight.shape[3]
    x_wide, entry, taps = depthwise.widen(x, multiplier), entry.repeated(multiplier), depthwise.as_taps(depthwise_weight)
    windows, code, exit = geometry.windows(*x.shape[1:3]), ACTIVATIONS.index(activation), exit or exits.nothing(x.dtype)
    weights = packing.weights(pointwise_weight)
    tiles = products.parts(y.shape, max(pointwise_weight.shape), pointwise_weight.size)

    def work(queue):
        _forward(queue, tiles, x_wide, entry, taps, weights, windows, code, frames.rows(y), exit)

    threads.together(work, len(tiles))
    return y


def spatial_first_backward(dy, cache, entry):
    """(dz, ddepthwise, dpointwise, sums): dz = 0 where the entry cut, and what it sums to, times (x - mean) and as it is."""
    x, depthwise_weight, pointwise_weight, geometry, _, activation, _ = cache
    multiplier = depthwise_weight.shape[3]
    x_wide, entry, taps = depthwise.widen(x, multiplier), entry.repeated(multiplier), depthwise.as_taps(depthwise_weight)
    windows, code = geometry.windows(*x.shape[1:3]), ACTIVATIONS.index(activation)
    tiles, groups = tiling.group_table(dy.shape, max(pointwise_weight.shape), pointwise_weight.size)
    transposed, ends = packing.weights(pointwise_weight.T), (taps.size, taps.size + pointwise_weight.size)

    if (tiles[:, 3] == dy.shape[1]).all():  # every tile ends where an image does
        dz, back = arrays.empty_like(x_wide), depthwise.backwards(taps, windows)

        def work(queue, partials):
            _backward_images(queue, groups, tiles, x_wide, entry, dy, taps, transposed, windows, code, back, dz, partials)

        sums = threads.sum_groups(work, len(groups), (ends[1] + 2 * entry.mean.size,), x.dtype)
        of_entry = sums[ends[1] :]
    else:
        dmiddle = arrays.empty((*dy.shape[:3], taps.shape[2]), x.dtype)

        def work(queue, partials):
            dy_rows, dmiddle_rows = frames.rows(dy), frames.rows(dmiddle)
            _backward_rows(queue, groups, tiles, x_wide, entry, dy_rows, taps, transposed, windows, code, dmiddle_rows, partials)

        sums = threads.sum_groups(work, len(groups), ends[1:], x.dtype)
        dz = depthwise.convolve_back(dmiddle, taps, windows, x_wide.shape)
        of_entry = entries.cut_and_sum(x_wide, entry, dz)

    return (
        depthwise.narrow(dz, multiplier),
        sums[: ends[0]].reshape(depthwise_weight.shape),
        sums[ends[0] : ends[1]].reshape(pointwise_weight.shape),
        depthwise.narrow(of_entry.reshape(2, -1), multiplier),
    )


@compiled_with(entries, exits, frames, products, depthwise, elu)
def _forward(queue, tiles, x, entry, taps, pointwise, windows, activation, y, exit):
    height, columns = y.shape[0] // x.shape[0], y.shape[1]
    images, rows = frames.most(tiles)
    memory, panels = frames.memory(images, rows, columns, windows, x), _panel_memory(images * rows * columns, taps)
    for k in taken(queue, len(tiles)):
        tile, first, last = tiles[k, :4], tiles[k, 4], tiles[k, 5]
        frame = entries.fill(x, tile, columns, windows, entry, memory)
        panel = _fill_panel(frame, tile, columns, taps, windows, activation, panels)[first:last]
        results = frames.of_tile(y, tile, height).reshape(-1, y.shape[2])[first:last]
        products.multiply(panel, pointwise, results)
        start = (tile[0] * height + tile[2]) * columns + first
        exits.leave(y.reshape(-1), start * y.shape[2], len(results), exit)


@compiled_with(entries, frames, products, depthwise, elu)
def _backward_images(queue, groups, tiles, x, entry, dy, taps, transposed, windows, activation, back, dz, partials):
    """Tiles of whole images. partials[g] = the group's ddepthwise, then its dpointwise, then what the entry sums up"""
    height, columns = dy.shape[1:3]
    images, _ = frames.most(tiles)
    positions = images * height * columns
    memory = frames.memory(images, height, columns, windows, x)
    panels, middles = _panel_memory(positions, taps), _panel_memory(positions, taps)
    seen = frames.memory(images, x.shape[1], x.shape[2], back.windows, x)
    spare = products.memory_for(transposed.shape[0], dy)
    for g in taken(queue, len(groups)):
        dtaps, dpointwise, sums = _parts(partials[g], taps, transposed.shape)
        dtaps[:], sums[:] = 0, 0
        for k in range(groups[g, 0], groups[g, 1]):
            n0, n1, _, _ = tiles[k]
            frame = entries.fill(x, tiles[k], columns, windows, entry, memory)
            panel = _fill_panel(frame, tiles[k], columns, taps, windows, activation, panels)
            dmiddle = middles[: panel.size].reshape(panel.shape)
            dy_rows, add = dy[n0:n1].reshape(-1, dy.shape[3]), k > groups[g, 0]
            _middle_gradient(panel, dy_rows, transposed, activation, dmiddle, dpointwise, add, spare)
            dmiddle_tile = dmiddle.reshape(n1 - n0, height, columns, taps.shape[2])
            depthwise.add_products(frame, dmiddle_tile, windows, dtaps)
            depthwise.correlate_back(dmiddle_tile, back, seen, dz[n0:n1])
            entries.cut_and_sum_rows(x[n0:n1].reshape(-1, x.shape[3]), entry, dz[n0:n1].reshape(-1, x.shape[3]), sums)


@compiled_with(entries, frames, products, depthwise, elu)
def _backward_rows(queue, groups, tiles, x, entry, dy, taps, transposed, windows, activation, dmiddle, partials):
    """Any tiles. partials[g] = the group's ddepthwise, then its dpointwise; and dmiddle, from which dz follows"""
    height, columns = dy.shape[0] // x.shape[0], dy.shape[1]
    images, rows = frames.most(tiles)
    memory, panels = frames.memory(images, rows, columns, windows, x), _panel_memory(images * rows * columns, taps)
    spare = products.memory_for(transposed.shape[0], dy)
    for g in taken(queue, len(groups)):
        dtaps, dpointwise, _ = _parts(partials[g], taps, transposed.shape)
        dtaps[:] = 0
        for k in range(groups[g, 0], groups[g, 1]):
            frame = entries.fill(x, tiles[k], columns, windows, entry, memory)
            panel = _fill_panel(frame, tiles[k], columns, taps, windows, activation, panels)
            dy_rows = frames.of_tile(dy, tiles[k], height).reshape(-1, dy.shape[2])
            dmiddle_tile, add = frames.of_tile(dmiddle, tiles[k], height), k > groups[g, 0]
            _middle_gradient(panel, dy_rows, transposed, activation, dmiddle_tile.reshape(panel.shape), dpointwise, add, spare)
            depthwise.add_products(frame, dmiddle_tile, windows, dtaps)


@compiled_with(frames)
def _panel_memory(positions, taps):
    """Memory for a panel of so many positions."""
    return frames.numbers(positions * taps.shape[2], taps.dtype)


@compiled
def _parts(partial, taps, transposed_shape):
    """The parts of a group's sums: ddepthwise, dpointwise, and the two of the entry."""
    filters, channels = transposed_shape
    ends = taps.size, taps.size + channels * filters
    dpointwise = partial[ends[0] : ends[1]].reshape(channels, filters)
    return partial[: ends[0]].reshape(taps.shape), dpointwise, partial[ends[1] :].reshape(2, -1)


@compiled_with(depthwise, entries, elu, how=compiled)
def _fill_panel(frame, tile, columns, taps, windows, activation, memory):
    """The middle of a tile, activated: (positions, C*M), in `memory`."""
    images, rows, channels = tile[1] - tile[0], tile[3] - tile[2], taps.shape[2]
    panel = memory[: images * rows * columns * channels]
    depthwise.correlate(frame, taps, windows, panel.reshape(images, rows, columns, channels))
    if activation == RELU:
        entries.cut(panel)
    elif activation == ELU:
        elu.forward_span(panel, panel)
    return panel.reshape(-1, channels)


@compiled_with(products, entries, elu)
def _middle_gradient(panel, dy, transposed, activation, dmiddle, dpointwise, add, spare):
    """y = panel @ P, so dP = panel.T @ dy, or += if `add`, and dmiddle = dy @ P.T, where the activation passed it on"""
    products.add_product_over_rows(panel, dy, dpointwise, add, spare)
    products.multiply(dy, transposed, dmiddle)
    if activation == RELU:
        entries.cut_gradient(panel.reshape(-1), dmiddle.reshape(-1))
    elif activation == ELU:
        elu.backward_span(panel.reshape(-1), dmiddle.reshape(-1), dmiddle.reshape(-1))


def _pointwise_first(cache):
    middle = _activated_channels(_seen(cache), cache)
    y, _ = depthwise.forward(middle, cache.depthwise_weight, cache.geometry)
    return y


def _pointwise_first_backward(dy, cache):
    seen = _seen(cache)
    middle = _activated_channels(seen, cache)
    dmiddle, ddepthwise = depthwise.backward(dy, depthwise_conv.Cache(middle, cache.depthwise_weight, cache.geometry))
    if cache.activation is not None:
        activation = _MODULES[cache.activation]
        dmiddle = activation.backward(dmiddle, activation.Cache(middle))
    dx, dpointwise = pointwise.backward(dmiddle, pointwise.Cache(seen, cache.pointwise_weight))
    if cache.before is not None:
        dx = relu.backward(dx, relu.Cache(seen))
    return dx, ddepthwise, dpointwise


def _seen(cache):
    """x as the pointwise step sees it."""
    return cache.x if cache.before is None else relu.forward(cache.x)[0]


def _activated_channels(x, cache):
    middle, _ = pointwise.forward(x, cache.pointwise_weight)
    if cache.activation is not None:
        middle, _ = _MODULES[cache.activation].forward(middle)
    return middle
