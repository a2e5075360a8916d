"""What the operations are to each other: equations that hold to rounding, outputs and gradients alike.

    for comparison in check_identities("separable_conv", "cpu"):
        print(comparison)

The paper's spectrum is a chain of such equations: a grouped convolution is a regular one at one segment and a depthwise one
at C, an Inception module's towers are a grouped convolution, a separable convolution is a regular one whose kernel is a
product. Each function checks one of them for one implementation.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from xception_np import ops, tiling
from xception_np.check.cases import known
from xception_np.check.comparison import Comparison, compare
from xception_np.check.draw import Draw
from xception_np.geometry import Geometry
from xception_np.ops import spec
from xception_np.random import Purpose, Stream

BUDGET = 1e-12  # the same sums, a few hundred terms, in another order
_IMAGE = (2, 5, 7, 6)  # N, H, W, C
_GEOMETRY = Geometry((3, 2), (2, 1), (1, 2))


def check_identities(operation: str, implementation: str) -> list[Comparison]:
    """Every identity of an operation, float64."""
    return [
        replace(comparison, what=f"{operation}.{implementation}, {comparison.what}")
        for identity in IDENTITIES[known(operation)]
        for comparison in identity(implementation)
    ]


def _same(what: str, actual, expected, names: tuple[str, ...] = ("y", "dx", "dweight")) -> Iterator[Comparison]:
    """Compare two tuples of arrays that are y and its gradients: those of the names, or the first of them."""
    for name, one, other in zip(names[: len(expected)], actual, expected, strict=True):
        yield compare(one, other, BUDGET, f"{what}: {name}")


def _passes(operation, dy, *arguments, implementation):
    """(y, gradient, ...) of an operation."""
    y, cache = operation.forward(*arguments, implementation=implementation)
    gradients = operation.backward(dy, cache, implementation=implementation)
    return y, *(gradients if isinstance(gradients, tuple) else (gradients,))


def one_segment_is_regular(implementation: str) -> Iterator[Comparison]:
    """grouped_conv with S = 1 is conv."""
    draw = Draw("one segment")
    x, weight = draw.normal(*_IMAGE), draw.normal(3, 2, 6, 4)
    dy = draw.normal(*ops.conv.output_shape(x.shape, weight.shape, _GEOMETRY))
    grouped = _passes(ops.grouped_conv, dy, x, weight, _GEOMETRY, 1, implementation=implementation)
    yield from _same("S=1 is conv", grouped, _passes(ops.conv, dy, x, weight, _GEOMETRY, implementation=implementation))


def all_segments_are_depthwise(implementation: str) -> Iterator[Comparison]:
    """grouped_conv with S = C and F = C*M is depthwise_conv: (kh, kw, 1, C*M) is (kh, kw, C, M)."""
    draw = Draw("all segments")
    for multiplier in (1, 2):
        x, weight = draw.normal(*_IMAGE), draw.normal(3, 2, 6, multiplier)
        dy = draw.normal(*ops.depthwise_conv.output_shape(x.shape, weight.shape, _GEOMETRY))
        y, dx, dweight = _passes(ops.grouped_conv, dy, x, weight.reshape(3, 2, 1, -1), _GEOMETRY, 6, implementation=implementation)
        depthwise = _passes(ops.depthwise_conv, dy, x, weight, _GEOMETRY, implementation=implementation)
        yield from _same(f"S=C is depthwise_conv, M={multiplier}", (y, dx, dweight.reshape(weight.shape)), depthwise)


def segments_are_diagonal_blocks(implementation: str) -> Iterator[Comparison]:
    """grouped_conv is conv with a kernel of S blocks on the diagonal, at every S that divides C and F."""
    channels, filters = 6, 12
    for s in spec.divisors(channels, filters):
        draw = Draw(f"blocks {s}")
        x, weight = draw.normal(*_IMAGE), draw.normal(3, 2, channels // s, filters)
        dy = draw.normal(*ops.conv.output_shape(x.shape, weight.shape, _GEOMETRY))
        block = np.kron(np.eye(s), np.ones((channels // s, filters // s)))  # (C, F), 1 where segments meet themselves
        dense = np.tile(weight, (1, 1, s, 1)) * block
        y, dx, ddense = _passes(ops.conv, dy, x, dense, _GEOMETRY, implementation=implementation)
        dblocks = (ddense * block).reshape(3, 2, s, channels // s, filters).sum(axis=2)
        grouped = _passes(ops.grouped_conv, dy, x, weight, _GEOMETRY, s, implementation=implementation)
        yield from _same(f"S={s} is block-diagonal", grouped, (y, dx, dblocks))


def segments_are_towers(implementation: str) -> Iterator[Comparison]:
    """Figure 2 is Figure 3: S towers of a 1x1 and a 3x3 are one 1x1 over all, then a grouped 3x3."""
    towers, width, out = 3, 2, 4
    draw, geometry = Draw("towers"), Geometry(3)
    x, dy = draw.normal(2, 4, 5, 5), draw.normal(2, 4, 5, towers * out)
    first = [draw.normal(5, width) for _ in range(towers)]  # each tower's 1x1
    second = [draw.normal(3, 3, width, out) for _ in range(towers)]  # each tower's 3x3

    y, dx, dfirst, dsecond = [], 0, [], []
    for tower in range(towers):
        middle, cache1 = ops.pointwise_conv.forward(x, first[tower], implementation=implementation)
        y_tower, cache2 = ops.conv.forward(middle, second[tower], geometry, implementation=implementation)
        dy_tower = np.ascontiguousarray(dy[..., tower * out : (tower + 1) * out])
        dmiddle, dweight2 = ops.conv.backward(dy_tower, cache2, implementation=implementation)
        dx_tower, dweight1 = ops.pointwise_conv.backward(dmiddle, cache1, implementation=implementation)
        y.append(y_tower)
        dx = dx + dx_tower
        dfirst.append(dweight1)
        dsecond.append(dweight2)
    y, _ = ops.concat.forward(y, implementation=implementation)

    middle, cache1 = ops.pointwise_conv.forward(x, np.concatenate(first, axis=1), implementation=implementation)
    weight = np.concatenate(second, axis=3)
    y_grouped, cache2 = ops.grouped_conv.forward(middle, weight, geometry, towers, implementation=implementation)
    dmiddle, dweight2 = ops.grouped_conv.backward(dy, cache2, implementation=implementation)
    dx_grouped, dweight1 = ops.pointwise_conv.backward(dmiddle, cache1, implementation=implementation)
    what = "the towers of Figure 2 are Figure 3"
    yield compare(y_grouped, y, BUDGET, f"{what}: y")
    yield compare(dx_grouped, dx, BUDGET, f"{what}: dx")
    yield compare(dweight1, np.concatenate(dfirst, axis=1), BUDGET, f"{what}: dweight of the 1x1")
    yield compare(dweight2, np.concatenate(dsecond, axis=3), BUDGET, f"{what}: dweight of the 3x3")


def pointwise_is_a_matrix_product(implementation: str) -> Iterator[Comparison]:
    """pointwise_conv is x @ weight, and conv with a 1x1 kernel; also where a few pixels meet a large matrix."""
    draw = Draw("pointwise")
    for pixels, channels, filters in (((2, 3, 4), 5, 6), ((1, 1, 3), 70, 64)):
        x, weight, dy = draw.normal(*pixels, channels), draw.normal(channels, filters), draw.normal(*pixels, filters)
        with tiling.tiny_tiles():
            pointwise = _passes(ops.pointwise_conv, dy, x, weight, implementation=implementation)
        rows, drows = x.reshape(-1, channels), dy.reshape(-1, filters)
        product = ((rows @ weight).reshape(dy.shape), (drows @ weight.T).reshape(x.shape), rows.T @ drows)
        yield from _same("a matrix product", pointwise, product)
        y, dx, dweight = _passes(ops.conv, dy, x, weight[None, None], Geometry(1), implementation=implementation)
        yield from _same("conv 1x1", pointwise, (y, dx, dweight[0, 0]))


def separable_is_a_product_kernel(implementation: str) -> Iterator[Comparison]:
    """Without an activation, separable_conv is conv with a kernel that is a product.

    spatial_first:    kernel[i, j, c, f]       = sum over m of D[i, j, c, m] * P[c*M + m, f]
    pointwise_first:  kernel[i, j, c, k*M + m] = P[c, k] * D[i, j, k, m]

    and the gradients follow by the chain rule through the kernel.
    """
    draw, multiplier, filters = Draw("product kernel"), 2, 4
    x = draw.normal(*_IMAGE)
    channels = x.shape[3]

    depthwise, pointwise = draw.normal(3, 2, channels, multiplier), draw.normal(channels * multiplier, filters)
    split = pointwise.reshape(channels, multiplier, filters)
    kernel = np.einsum("ijcm,cmf->ijcf", depthwise, split)
    dy = draw.normal(*ops.conv.output_shape(x.shape, kernel.shape, _GEOMETRY))
    y, dx, dkernel = _passes(ops.conv, dy, x, kernel, _GEOMETRY, implementation=implementation)
    ddepthwise = np.einsum("ijcf,cmf->ijcm", dkernel, split)
    dpointwise = np.einsum("ijcf,ijcm->cmf", dkernel, depthwise).reshape(pointwise.shape)
    yield from _product_kernel("spatial_first", dy, (x, depthwise, pointwise), (y, dx, ddepthwise, dpointwise), implementation)

    depthwise, pointwise = draw.normal(3, 2, filters, multiplier), draw.normal(channels, filters)
    kernel = np.einsum("ck,ijkm->ijckm", pointwise, depthwise).reshape(3, 2, channels, -1)
    dy = draw.normal(*ops.conv.output_shape(x.shape, kernel.shape, _GEOMETRY))
    y, dx, dkernel = _passes(ops.conv, dy, x, kernel, _GEOMETRY, implementation=implementation)
    dkernel = dkernel.reshape(3, 2, channels, filters, multiplier)
    ddepthwise = np.einsum("ijckm,ck->ijkm", dkernel, pointwise)
    dpointwise = np.einsum("ijckm,ijkm->ck", dkernel, depthwise)
    yield from _product_kernel("pointwise_first", dy, (x, depthwise, pointwise), (y, dx, ddepthwise, dpointwise), implementation)


def _product_kernel(order, dy, arguments, expected, implementation):
    actual = _passes(ops.separable_conv, dy, *arguments, _GEOMETRY, order, implementation=implementation)
    for name, one, other in zip(("y", "dx", "ddepthwise_weight", "dpointwise_weight"), actual, expected, strict=True):
        yield compare(one, other, BUDGET, f"{order} is a product kernel: {name}")


def one_pass_is_two(implementation: str) -> Iterator[Comparison]:
    """norm_separable_conv is batch_norm, then separable_conv."""
    draw = Draw("one pass")
    x, gamma, beta = draw.normal(*_IMAGE), *(draw.normal(_IMAGE[3]) for _ in range(2))
    weights = draw.normal(3, 2, _IMAGE[3], 2), draw.normal(_IMAGE[3] * 2, 4)
    for activation in ops.batch_norm.ACTIVATIONS:
        z, norm_cache = ops.batch_norm.forward(x, gamma, beta, 1e-3, activation, implementation=implementation)
        y, cache = ops.separable_conv.forward(z, *weights, _GEOMETRY, implementation=implementation)
        dy = draw.normal(*y.shape)
        dz, *dweights = ops.separable_conv.backward(dy, cache, implementation=implementation)
        apart = y, *ops.batch_norm.backward(dz, norm_cache, implementation=implementation), *dweights
        arguments = x, gamma, beta, *weights, _GEOMETRY, 1e-3, activation
        together = _passes(ops.norm_separable_conv, dy, *arguments, implementation=implementation)
        for name, one, two in zip(("y", "dx", "dgamma", "dbeta", "ddepthwise", "dpointwise"), together, apart, strict=True):
            yield compare(one, two, BUDGET, f"one pass is two, {activation}: {name}")


def relu_within_is_relu_before(implementation: str) -> Iterator[Comparison]:
    """A separable convolution with a ReLU before it is the two, one after the other."""
    draw = Draw("relu before")
    x, depthwise = draw.normal(*_IMAGE), draw.normal(3, 2, _IMAGE[3], 2)
    for order, pointwise in (("spatial_first", draw.normal(_IMAGE[3] * 2, 4)), ("pointwise_first", draw.normal(*_IMAGE[3:] * 2))):
        settings = _GEOMETRY, order, None
        z, relu_cache = ops.relu.forward(x, implementation=implementation)
        y, cache = ops.separable_conv.forward(z, depthwise, pointwise, *settings, implementation=implementation)
        dy = draw.normal(*y.shape)
        dz, *dweights = ops.separable_conv.backward(dy, cache, implementation=implementation)
        apart = y, ops.relu.backward(dz, relu_cache, implementation=implementation), *dweights
        together = _passes(ops.separable_conv, dy, x, depthwise, pointwise, *settings, "relu", implementation=implementation)
        for name, one, two in zip(("y", "dx", "ddepthwise", "dpointwise"), together, apart, strict=True):
            yield compare(one, two, BUDGET, f"relu within is relu before, {order}: {name}")


def a_sum_within_is_a_sum_after(implementation: str) -> Iterator[Comparison]:
    """conv_bias with an addend is conv, add, bias; and so with separable_conv and a ReLU before it."""
    draw = Draw("a sum within")
    x, bias = draw.normal(*_IMAGE), draw.normal(4)
    regular, separable = [draw.normal(3, 2, _IMAGE[3], 4)], [draw.normal(3, 2, _IMAGE[3], 2), draw.normal(_IMAGE[3] * 2, 4)]
    for convolution, together, weights, alone, within in (
        (ops.conv, ops.conv_bias, regular, (), ()),
        (ops.separable_conv, ops.separable_conv_bias, separable, ("spatial_first", None, "relu"), ("relu",)),
    ):
        for activation in ops.bias.ACTIVATIONS:
            z, cache = convolution.forward(x, *weights, _GEOMETRY, *alone, implementation=implementation)
            addend = draw.normal(*z.shape)
            total, _ = ops.add.forward(z, addend, implementation=implementation)
            y, bias_cache = ops.bias.forward(total, bias, activation, implementation=implementation)
            dy = draw.normal(*y.shape)
            dz, dbias = ops.bias.backward(dy, bias_cache, implementation=implementation)
            apart = y, *convolution.backward(dz, cache, implementation=implementation), dbias, dz
            arguments = x, *weights, bias, _GEOMETRY, activation, *within, addend
            found = _passes(together, dy, *arguments, implementation=implementation)
            for k, (one, two) in enumerate(zip(found, apart, strict=True)):
                yield compare(one, two, BUDGET, f"a sum within is a sum after, {activation}: result {k} of {together.__name__}")


def a_bias_within_is_a_bias_after(implementation: str) -> Iterator[Comparison]:
    """conv_bias is conv, then bias; and so with separable_conv."""
    draw = Draw("a bias within")
    x, bias = draw.normal(*_IMAGE), draw.normal(4)
    regular, separable = [draw.normal(3, 2, _IMAGE[3], 4)], [draw.normal(3, 2, _IMAGE[3], 2), draw.normal(_IMAGE[3] * 2, 4)]
    for convolution, together, weights in (
        (ops.conv, ops.conv_bias, regular),
        (ops.separable_conv, ops.separable_conv_bias, separable),
    ):
        for activation in ops.bias.ACTIVATIONS:
            z, cache = convolution.forward(x, *weights, _GEOMETRY, implementation=implementation)
            y, bias_cache = ops.bias.forward(z, bias, activation, implementation=implementation)
            dy = draw.normal(*y.shape)
            dz, dbias = ops.bias.backward(dy, bias_cache, implementation=implementation)
            apart = y, *convolution.backward(dz, cache, implementation=implementation), dbias
            found = _passes(together, dy, x, *weights, bias, _GEOMETRY, activation, implementation=implementation)
            for k, (one, two) in enumerate(zip(found, apart, strict=True)):
                yield compare(one, two, BUDGET, f"a bias within is a bias after, {activation}: result {k} of {together.__name__}")


def convolutions_move_with_the_image(implementation: str) -> Iterator[Comparison]:
    """Moving the image by the stride moves the result by one, where no window touches the border."""
    draw, geometry = Draw("shift"), Geometry((3, 2), (2, 3), (1, 2), padding="valid")
    x = draw.normal(1, 11, 16, 4)
    moved = np.ascontiguousarray(x[:, 2:, 3:])
    for operation, *more in (
        (ops.conv, draw.normal(3, 2, 4, 5), geometry),
        (ops.grouped_conv, draw.normal(3, 2, 2, 6), geometry, 2),
        (ops.depthwise_conv, draw.normal(3, 2, 4, 2), geometry),
        (ops.max_pool, geometry),
        (ops.avg_pool, geometry),
    ):
        y, _ = operation.forward(x, *more, implementation=implementation)
        y_moved, _ = operation.forward(moved, *more, implementation=implementation)
        name = operation.__name__.rpartition(".")[2]
        yield compare(y_moved, y[:, 1:, 1:], BUDGET, f"{name} moves with the image")


def a_window_as_large_as_the_image(implementation: str) -> Iterator[Comparison]:
    """global_avg_pool is avg_pool with the whole image as its window."""
    draw = Draw("global")
    x, dy = draw.normal(2, 3, 5, 4), draw.normal(2, 4)
    whole = _passes(ops.avg_pool, dy[:, None, None], x, Geometry((3, 5), padding="valid"), implementation=implementation)
    pooled = _passes(ops.global_avg_pool, dy, x, implementation=implementation)
    yield from _same("avg_pool of the whole image", pooled, (whole[0][:, 0, 0], whole[1]))


def averages_are_a_depthwise_convolution(implementation: str) -> Iterator[Comparison]:
    """avg_pool is depthwise_conv with equal weights, where no window touches the padding."""
    draw, geometry = Draw("average"), Geometry((2, 3), (1, 2), (2, 1), padding="valid")
    x, weight = draw.normal(2, 5, 7, 3), np.full((2, 3, 3, 1), 1 / 6)
    dy = draw.normal(*ops.avg_pool.output_shape(x.shape, geometry))
    depthwise = _passes(ops.depthwise_conv, dy, x, weight, geometry, implementation=implementation)
    yield from _same("equal weights", _passes(ops.avg_pool, dy, x, geometry, implementation=implementation), depthwise[:2])


def the_largest_moves_with_a_constant(implementation: str) -> Iterator[Comparison]:
    """max_pool(x + c) = max_pool(x) + c with the same gradient, padding included, even where all of x is negative."""
    draw, geometry = Draw("constant"), Geometry(3, 2)
    x, dy = draw.distinct(1, 5, 4, 3), draw.normal(1, 3, 2, 3)
    y, dx = _passes(ops.max_pool, dy, x, geometry, implementation=implementation)
    moved = _passes(ops.max_pool, dy, x - 100, geometry, implementation=implementation)
    yield from _same("moves with a constant", moved, (y - 100, dx))


def batch_norm_sets_mean_and_deviation(implementation: str) -> Iterator[Comparison]:
    """batch_norm gives every channel the mean beta and, but for epsilon, the standard deviation |gamma|."""
    draw = Draw("statistics")
    x, gamma, beta = 3 * draw.normal(4, 3, 5, 6) + 7, draw.normal(6), draw.normal(6)
    y, cache = ops.batch_norm.forward(x, gamma, beta, 1e-300, implementation=implementation)
    yield compare(y.mean(axis=(0, 1, 2)), beta, BUDGET, "mean is beta")
    yield compare(y.std(axis=(0, 1, 2)), np.abs(gamma), BUDGET, "deviation is gamma")
    yield compare(cache.mean, x.mean(axis=(0, 1, 2)), BUDGET, "cached mean")
    yield compare(cache.variance, x.var(axis=(0, 1, 2)), BUDGET, "cached variance")


def batch_norm_ignores_scale_and_offset(implementation: str) -> Iterator[Comparison]:
    """batch_norm(a x + b) = batch_norm(x), so dx is orthogonal to ones and to x: two sums that are 0 in every channel."""
    draw = Draw("invariance")
    x, gamma, beta, dy = draw.normal(4, 3, 5, 6), draw.normal(6), draw.normal(6), draw.normal(4, 3, 5, 6)
    y, dx, *_ = _passes(ops.batch_norm, dy, x, gamma, beta, 1e-300, implementation=implementation)
    moved, _ = ops.batch_norm.forward(5 * x - 3, gamma, beta, 1e-300, implementation=implementation)
    yield compare(moved, y, BUDGET, "scale and offset of x")
    eighths = np.round(8 * x) / 8  # still exact with a million added, which a difference of large squares would not be
    _, near = ops.batch_norm.forward(eighths, gamma, beta, 1e-300, implementation=implementation)
    _, far = ops.batch_norm.forward(eighths + 1e6, gamma, beta, 1e-300, implementation=implementation)
    yield compare(far.variance, near.variance, BUDGET, "variance with an offset of a million")
    scale = np.abs(dx).sum(axis=(0, 1, 2))
    yield compare(1 + dx.sum(axis=(0, 1, 2)) / scale, np.ones(6), BUDGET, "sum of dx is 0")
    yield compare(1 + (dx * x).sum(axis=(0, 1, 2)) / scale, np.ones(6), BUDGET, "sum of dx * x is 0")


def batch_norm_in_float32_far_from_zero(implementation: str) -> Iterator[Comparison]:
    """The mean of float32 numbers near 1000 is right to the last bit, and the variance to what that bit allows.

    One unit in the last place of 1000 is 6e-5: summed one after the other, a thousand of them would lose three digits.
    """
    draw = Draw("far")
    x, ones = (1000 + draw.normal(1000, 2)).astype(np.float32), np.ones(2, np.float32)
    _, cache = ops.batch_norm.forward(x, ones, ones, 1e-3, implementation=implementation)
    exact = x.astype(np.float64)
    yield compare(cache.mean.astype(np.float64), exact.mean(axis=0), 6e-8, "mean in float32, far from 0")
    yield compare(cache.variance.astype(np.float64), exact.var(axis=0), 1e-5, "variance in float32, far from 0")
    same = np.full((1000, 2), 1000.1, np.float32)  # every sum is rounded the same way
    with tiling.tiny_tiles():
        _, cache = ops.batch_norm.forward(same, ones, ones, 1e-3, implementation=implementation)
    yield compare(cache.mean, same[0], 6e-8, "mean of equal numbers in float32, far from 0")


def relu_within_is_relu_after(implementation: str) -> Iterator[Comparison]:
    """batch_norm with a ReLU within is batch_norm and then relu, also where its result is exactly 0, at the channel's mean.

    Each of the rows has its mean in one of the channels: loops may treat the first few unlike the last few.
    """
    x = np.stack([np.roll(np.arange(-3.0, 4.0), k) for k in range(7)], axis=1)
    gamma, beta, dy = np.array([1.0, -2.0, 1.0, -2.0, 1.0, -2.0, 1.0]), np.zeros(7), Draw("ReLU within").normal(7, 7)
    for operation, statistics in ((ops.batch_norm, ()), (ops.batch_norm_inference, (x.mean(axis=0), x.var(axis=0)))):
        arguments = (x, gamma, beta, *statistics, 1e-3)
        within = _passes(operation, dy, *arguments, "relu", implementation=implementation)
        z, cache = operation.forward(*arguments, implementation=implementation)
        y, dz = _passes(ops.relu, dy, z, implementation=implementation)
        after = (y, *operation.backward(dz, cache, implementation=implementation))
        yield from _same("ReLU within", within, after, ("y", "dx", "dgamma", "dbeta"))


def given_statistics_of_the_batch(implementation: str) -> Iterator[Comparison]:
    """batch_norm_inference with the batch's own statistics is batch_norm; its dgamma and dbeta too."""
    draw = Draw("given")
    x, gamma, beta, dy = draw.normal(4, 3, 5, 6), draw.normal(6), draw.normal(6), draw.normal(4, 3, 5, 6)
    y, cache = ops.batch_norm.forward(x, gamma, beta, 1e-3, implementation=implementation)
    _, dgamma, dbeta = ops.batch_norm.backward(dy, cache, implementation=implementation)
    given = _passes(ops.batch_norm_inference, dy, x, gamma, beta, cache.mean, cache.variance, 1e-3, implementation=implementation)
    yield compare(given[0], y, BUDGET, "the batch's own statistics: y")
    yield compare(given[2], dgamma, BUDGET, "the batch's own statistics: dgamma")
    yield compare(given[3], dbeta, BUDGET, "the batch's own statistics: dbeta")


def a_bias_is_a_shift(implementation: str) -> Iterator[Comparison]:
    """bias is batch_norm_inference with scale 1 and statistics that change nothing, also where a ReLU gets exactly 0.

    Each of the rows has its 0 in another channel: loops may treat the first few unlike the last few.
    """
    x = np.stack([np.roll(np.arange(-3.0, 4.0), k) for k in range(7)], axis=1)
    bias, dy = 2.0 * np.arange(7) % 7 - 3, Draw("a shift").normal(7, 7)
    ones, zeros = np.ones(7), np.zeros(7)
    for activation in (None, "relu"):
        y, dx, dbias = _passes(ops.bias, dy, x, bias, activation, implementation=implementation)
        norm = (x, ones, bias, zeros, ones / 2, 0.5, activation)
        shifted = _passes(ops.batch_norm_inference, dy, *norm, implementation=implementation)
        yield from _same(f"a shift, activation {activation}", (y, dx, dbias), (shifted[0], shifted[1], shifted[3]))


def dense_is_pointwise(implementation: str) -> Iterator[Comparison]:
    """dense is pointwise_conv on images of one pixel, and a bias."""
    draw = Draw("dense")
    x, weight, bias, dy = draw.normal(3, 5), draw.normal(5, 4), draw.normal(4), draw.normal(3, 4)
    y, dx, dweight, dbias = _passes(ops.dense, dy, x, weight, bias, implementation=implementation)
    image, dimage = x[:, None, None], dy[:, None, None]
    pointwise = _passes(ops.pointwise_conv, dimage, image, weight, implementation=implementation)
    yield from _same("pointwise_conv and a bias", (y, dx), (pointwise[0][:, 0, 0] + bias, pointwise[1][:, 0, 0]))
    yield compare(dweight, pointwise[2], BUDGET, "pointwise_conv and a bias: dweight")
    yield compare(dbias, dy.sum(axis=0), BUDGET, "pointwise_conv and a bias: dbias")


def elu_and_relu_agree_above_zero(implementation: str) -> Iterator[Comparison]:
    """relu(x) - relu(-x) = x, and elu(x) = relu(x) + exp(-relu(-x)) - 1."""
    x = Draw("elu").off_zero(4, 5)
    above, _ = ops.relu.forward(x, implementation=implementation)
    below, _ = ops.relu.forward(-x, implementation=implementation)
    elu, _ = ops.elu.forward(x, implementation=implementation)
    yield compare(above - below, x, BUDGET, "relu(x) - relu(-x) = x")
    yield compare(elu, above + np.expm1(-below), BUDGET, "elu from relu")


def dropout_keeps_the_mean(implementation: str) -> Iterator[Comparison]:
    """Every number is 0 or x / (1 - rate); the kept part is 1 - rate within 5 standard deviations; dx has the same mask."""
    count, x = 20000, np.ones(20000)
    for rate in (0.1, 0.5, 0.8):
        stream = Stream(1, Purpose.DROPOUT, 2, 3)
        y, dx = _passes(ops.dropout, x, x, rate, stream, implementation=implementation)
        kept = y != 0
        yield compare(y, kept / (1 - rate), BUDGET, f"rate {rate}: 0 or x / (1 - rate)")
        yield compare(dx, y, BUDGET, f"rate {rate}: dx has the mask of y")
        deviation = np.sqrt(rate * (1 - rate) / count)
        yield compare(kept.mean(), 1 - rate, 5 * deviation / (1 - rate), f"rate {rate}: part kept")


def a_sum_and_its_branches(implementation: str) -> Iterator[Comparison]:
    """add(a, b) - b = a, and both gradients are dy."""
    draw = Draw("add")
    a, b, dy = draw.normal(3, 4), draw.normal(3, 4), draw.normal(3, 4)
    y, da, db = _passes(ops.add, dy, a, b, implementation=implementation)
    yield compare(y - b, a, BUDGET, "y - b is a")
    yield compare(da, dy, BUDGET, "da is dy")
    yield compare(db, dy, BUDGET, "db is dy")


def branches_come_back(implementation: str) -> Iterator[Comparison]:
    """The backward pass of concat cuts what its forward pass joined."""
    draw = Draw("concat")
    branches = [draw.normal(2, 3, 4, channels) for channels in (3, 1, 5)]
    y, cache = ops.concat.forward(branches, implementation=implementation)
    back = ops.concat.backward(y, cache, implementation=implementation)
    for k, (branch, again) in enumerate(zip(branches, back, strict=True)):
        yield compare(again, branch, BUDGET, f"branch {k} comes back")


def softmax_ignores_an_offset(implementation: str) -> Iterator[Comparison]:
    """Adding a number to every logit of an image changes nothing, so the sum of dlogits over classes is 0."""
    draw = Draw("softmax")
    logits, labels = draw.normal(5, 7), draw.labels(5, 7)
    for smoothing in (0.0, 0.2):
        softmax = (ops.softmax_cross_entropy, 1.7)
        loss, dlogits = _passes(*softmax, logits, labels, smoothing, implementation=implementation)
        moved, dmoved = _passes(*softmax, logits + 1000.0, labels, smoothing, implementation=implementation)
        yield compare(moved, loss, 1e-11, f"smoothing {smoothing}: an offset of 1000")  # logits + 1000 is rounded to 1e-13
        yield compare(dmoved, dlogits, 1e-11, f"smoothing {smoothing}: an offset of 1000, dlogits")
        sums = 1 + dlogits.sum(axis=1) / np.abs(dlogits).sum(axis=1)
        yield compare(sums, np.ones(5), BUDGET, f"smoothing {smoothing}: dlogits sum to 0")


def one_class_has_all(implementation: str) -> Iterator[Comparison]:
    """Shares of which one class has all are labels; the loss is linear in the shares, so that of two labels mixed is mixed."""
    draw = Draw("shares")
    logits, one, other = draw.normal(5, 7), draw.labels(5, 7), draw.labels(5, 7)
    for smoothing in (0.0, 0.2):
        labels, others = (
            _passes(ops.softmax_cross_entropy, 1.7, logits, found, smoothing, implementation=implementation)
            for found in (one, other)
        )
        for weight in (1.0, 0.3):
            shares = weight * np.eye(7)[one] + (1 - weight) * np.eye(7)[other]
            mixed = _passes(ops.softmax_cross_entropy, 1.7, logits, shares, smoothing, implementation=implementation)
            for name, *values in zip(("loss", "dlogits"), mixed, labels, others, strict=True):
                expected = weight * values[1] + (1 - weight) * values[2]
                yield compare(values[0], expected, BUDGET, f"smoothing {smoothing}: {weight} of a label: {name}")


def sigmoid_is_symmetric(implementation: str) -> Iterator[Comparison]:
    """The loss of (logits, targets) is that of (-logits, 1 - targets), with the opposite gradient."""
    draw = Draw("sigmoid")
    logits, targets = draw.normal(4, 6), draw.uniform(4, 6)
    sigmoid = (ops.sigmoid_cross_entropy, 1.7)
    loss, dlogits = _passes(*sigmoid, logits, targets, implementation=implementation)
    mirrored, dmirrored = _passes(*sigmoid, -logits, 1 - targets, implementation=implementation)
    yield compare(mirrored, loss, BUDGET, "mirrored: loss")
    yield compare(dmirrored, -dlogits, BUDGET, "mirrored: dlogits")


def two_classes_are_one_sigmoid(implementation: str) -> Iterator[Comparison]:
    """Softmax over the logits (0, z) is the sigmoid of z."""
    draw = Draw("two classes")
    z, labels = draw.normal(6, 1), draw.labels(6, 2)
    loss, dlogits = _passes(
        ops.softmax_cross_entropy, 1.7, np.concatenate([0 * z, z], axis=1), labels, implementation=implementation
    )
    targets = labels[:, None].astype(np.float64)
    sigmoid_loss, dz = _passes(ops.sigmoid_cross_entropy, 1.7, z, targets, implementation=implementation)
    yield compare(loss, sigmoid_loss, BUDGET, "two classes are one sigmoid: loss")
    yield compare(dlogits[:, 1:], dz, BUDGET, "two classes are one sigmoid: dlogits")


IDENTITIES: dict[str, tuple[Callable[[str], Iterator[Comparison]], ...]] = {
    "conv": (one_segment_is_regular, convolutions_move_with_the_image),
    "grouped_conv": (
        one_segment_is_regular,
        all_segments_are_depthwise,
        segments_are_diagonal_blocks,
        segments_are_towers,
    ),
    "depthwise_conv": (all_segments_are_depthwise, averages_are_a_depthwise_convolution, convolutions_move_with_the_image),
    "pointwise_conv": (pointwise_is_a_matrix_product, dense_is_pointwise),
    "separable_conv": (separable_is_a_product_kernel, one_pass_is_two, relu_within_is_relu_before),
    "norm_separable_conv": (one_pass_is_two,),
    "conv_bias": (a_bias_within_is_a_bias_after, a_sum_within_is_a_sum_after),
    "separable_conv_bias": (a_bias_within_is_a_bias_after, a_sum_within_is_a_sum_after),
    "batch_norm": (
        batch_norm_sets_mean_and_deviation,
        batch_norm_ignores_scale_and_offset,
        batch_norm_in_float32_far_from_zero,
        given_statistics_of_the_batch,
        relu_within_is_relu_after,
    ),
    "batch_norm_inference": (given_statistics_of_the_batch, relu_within_is_relu_after),
    "bias": (a_bias_is_a_shift,),
    "relu": (elu_and_relu_agree_above_zero,),
    "elu": (elu_and_relu_agree_above_zero,),
    "max_pool": (the_largest_moves_with_a_constant, convolutions_move_with_the_image),
    "avg_pool": (a_window_as_large_as_the_image, averages_are_a_depthwise_convolution, convolutions_move_with_the_image),
    "global_avg_pool": (a_window_as_large_as_the_image,),
    "dense": (dense_is_pointwise,),
    "dropout": (dropout_keeps_the_mean,),
    "add": (a_sum_and_its_branches,),
    "concat": (branches_come_back, segments_are_towers),
    "softmax_cross_entropy": (softmax_ignores_an_offset, one_class_has_all, two_classes_are_one_sigmoid),
    "sigmoid_cross_entropy": (sigmoid_is_symmetric, two_classes_are_one_sigmoid),
}
