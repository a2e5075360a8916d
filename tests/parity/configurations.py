"""Random configurations of the operations, drawn from a fixed seed: the same on every run.

Images are small, because mistakes are at the borders: strides that leave rows over, windows that hang over one edge or two.
"""

from collections.abc import Iterator
from random import Random
from typing import NamedTuple

from xception_np.check.draw import Draw
from xception_np.geometry import Geometry
from xception_np.ops import spec

KERNELS = ((1, 1), (1, 1), (1, 7), (7, 1), (2, 2), (2, 3), (3, 2), (3, 3), (3, 3), (4, 1), (5, 5))


class Configuration(NamedTuple):
    """One call of an operation; prints as what was drawn."""

    operation: str
    what: str
    arguments: tuple

    def __str__(self):
        return f"{self.operation}, {self.what}"


def convolutions(count: int, seed: int) -> Iterator[list[Configuration]]:
    """Convolutions with any stride, dilation, padding and number of segments; each as every operation that can compute it."""
    random = Random(seed)
    for number in range(count):
        shape, geometry = _window(random)
        channels = random.randint(1, 12)
        segments = random.choice((1, channels, random.choice(spec.divisors(channels))))
        filters = segments * random.randint(1, 4)

        draw = Draw(f"convolution {seed} {number}")
        x, weight = draw.normal(*shape, channels), draw.normal(*geometry.kernel, channels // segments, filters)
        calls: dict[str, tuple] = {"grouped_conv": (x, weight, geometry, segments)}
        if segments == 1:
            calls["conv"] = (x, weight, geometry)
        if segments == channels:
            calls["depthwise_conv"] = (x, weight.reshape(*geometry.kernel, channels, filters // channels), geometry)
        if segments == 1 and geometry.kernel == geometry.stride == (1, 1) and geometry.output_size(*shape[1:]) == shape[1:]:
            calls["pointwise_conv"] = (x, weight.reshape(channels, filters))
        what = f"number {number}: x {x.shape}, weight {weight.shape}, S={segments}, {geometry}"
        yield [Configuration(operation, what, arguments) for operation, arguments in calls.items()]


def of(operation: str, count: int, seed: int) -> Iterator[Configuration]:
    """Configurations of any other operation."""
    random = Random(f"{operation} {seed}")
    for number in range(count):
        arguments = ARGUMENTS[operation](random, Draw(f"{operation} {seed} {number}"))
        printed = ", ".join(str(getattr(argument, "shape", argument)) for argument in arguments)
        yield Configuration(operation, f"number {number}: {printed}", arguments)


def symmetric_pools(count: int, seed: int) -> Iterator[Configuration]:
    """Average pools that PyTorch has a function for: no dilation, and at most half a window of padding, the same on both sides."""
    random = Random(seed)
    for number in range(count):
        kernel = random.choice(KERNELS)
        rows, columns = (random.randint(0, size // 2) for size in kernel)
        geometry = Geometry(kernel, _two(random), padding=((rows, rows), (columns, columns)))
        x = Draw(f"symmetric pool {seed} {number}").normal(*_shape(random, geometry), random.randint(1, 6))
        yield Configuration("avg_pool", f"number {number}: x {x.shape}, {geometry}", (x, geometry))


def _window(random: Random) -> tuple[tuple[int, int, int], Geometry]:
    """(N, H, W), and a window that fits into the image."""
    explicit = tuple((random.randint(0, 3), random.randint(0, 3)) for _ in range(2))
    padding = random.choice(("same", "valid", explicit))
    geometry = Geometry(random.choice(KERNELS), _two(random), _two(random), padding)
    return _shape(random, geometry), geometry


def _window_in_image(random: Random) -> tuple[tuple[int, int, int], Geometry]:
    """As `_window`, for pools: every position of the window sees a pixel."""
    while True:
        shape, geometry = _window(random)
        if geometry.inside(*shape[1:]).min() > 0:
            return shape, geometry


def _shape(random: Random, geometry: Geometry) -> tuple[int, int, int]:
    """(N, H, W), from the smallest image into which the window fits to one that is 5 pixels larger."""
    pads = geometry.pads(1, 1)
    height, width = (max(1, extent - sum(pad)) for extent, pad in zip(geometry.extent, pads, strict=True))
    return random.randint(1, 3), height + random.randint(0, 5), width + random.randint(0, 5)


def _two(random: Random) -> tuple[int, int]:
    """A stride or dilation: 1 on both axes every other time, else 1 to 3 on each."""
    return random.choice(((1, 1), (random.randint(1, 3), random.randint(1, 3))))


def _pointwise_conv(random: Random, draw: Draw) -> tuple:
    x = draw.normal(*_image(random))
    return x, draw.normal(x.shape[3], random.randint(1, 20))


def _separable_conv(random: Random, draw: Draw) -> tuple:
    shape, geometry = _window(random)
    channels, multiplier, filters = random.randint(1, 8), random.randint(1, 2), random.randint(1, 8)
    order, activation = random.choice(("spatial_first", "pointwise_first")), random.choice((None, "relu", "elu"))
    if order == "spatial_first":
        weights = draw.normal(*geometry.kernel, channels, multiplier), draw.normal(channels * multiplier, filters)
    else:
        weights = draw.normal(*geometry.kernel, filters, multiplier), draw.normal(channels, filters)
    return draw.normal(*shape, channels), *weights, geometry, order, activation, random.choice((None, "relu"))


def _conv_bias(random: Random, draw: Draw) -> tuple:
    shape, geometry = _window(random)
    channels, filters = random.randint(1, 8), random.randint(1, 20)
    weight, bias = draw.normal(*geometry.kernel, channels, filters), draw.normal(filters)
    more = _addend(random, draw, shape, filters, geometry)
    return draw.normal(*shape, channels), weight, bias, geometry, random.choice((None, "relu")), *more


def _separable_conv_bias(random: Random, draw: Draw) -> tuple:
    shape, geometry = _window(random)
    channels, multiplier, filters = random.randint(1, 8), random.randint(1, 2), random.randint(1, 20)
    weights = draw.normal(*geometry.kernel, channels, multiplier), draw.normal(channels * multiplier, filters)
    activation, before = random.choice((None, "relu")), random.choice((None, "relu"))
    more = _addend(random, draw, shape, filters, geometry)
    return draw.normal(*shape, channels), *weights, draw.normal(filters), geometry, activation, before, *more


def _addend(random: Random, draw: Draw, shape: tuple[int, int, int], filters: int, geometry: Geometry) -> tuple:
    """An array like the result, or nothing."""
    images, *size = shape
    return (draw.normal(images, *geometry.output_size(*size), filters),) if random.random() < 0.5 else ()


def _batch_norm(random: Random, draw: Draw) -> tuple:
    shape = _image(random)
    channels = shape[-1]
    x = 3 * draw.normal(*shape) + draw.normal(channels)
    return x, draw.normal(channels), draw.normal(channels), 10.0 ** random.randint(-5, -1), random.choice((None, "relu"))


def _norm_separable_conv(random: Random, draw: Draw) -> tuple:
    (images, height, width), geometry = _window(random)
    channels, multiplier, filters = random.randint(1, 8), random.randint(1, 2), random.randint(1, 8)
    x = 3 * draw.normal(images + 2, height, width, channels) + draw.normal(channels)
    weights = draw.normal(*geometry.kernel, channels, multiplier), draw.normal(channels * multiplier, filters)
    epsilon, activation = 10.0 ** random.randint(-5, -1), random.choice((None, "relu"))
    return x, draw.normal(channels), draw.normal(channels), *weights, geometry, epsilon, activation


def _batch_norm_inference(random: Random, draw: Draw) -> tuple:
    x, gamma, beta, epsilon, activation = _batch_norm(random, draw)
    return x, gamma, beta, draw.normal(*gamma.shape), 0.1 + draw.uniform(*gamma.shape), epsilon, activation


def _bias(random: Random, draw: Draw) -> tuple:
    x = draw.normal(*_image(random))
    return x, draw.normal(x.shape[3]), random.choice((None, "relu"))


def _image(random: Random) -> tuple[int, int, int, int]:
    """(N, H, W, C), with two positions at least."""
    return random.randint(2, 4), random.randint(1, 7), random.randint(1, 7), random.randint(1, 20)


def _max_pool(random: Random, draw: Draw) -> tuple:
    shape, geometry = _window_in_image(random)
    return draw.distinct(*shape, random.randint(1, 6)), geometry


def _avg_pool(random: Random, draw: Draw) -> tuple:
    shape, geometry = _window_in_image(random)
    return draw.normal(*shape, random.randint(1, 6)), geometry


def _dense(random: Random, draw: Draw) -> tuple:
    channels, filters = random.randint(1, 20), random.randint(1, 20)
    return draw.normal(random.randint(1, 5), channels), draw.normal(channels, filters), draw.normal(filters)


def _softmax_cross_entropy(random: Random, draw: Draw) -> tuple:
    images, classes = random.randint(1, 5), random.randint(2, 20)
    smoothing = random.choice((0.0, random.random()))
    labels = random.choice((draw.labels, draw.shares))(images, classes)
    return 5 * draw.normal(images, classes), labels, smoothing


def _sigmoid_cross_entropy(random: Random, draw: Draw) -> tuple:
    images, classes = random.randint(1, 5), random.randint(1, 20)
    return 5 * draw.normal(images, classes), draw.uniform(images, classes)


ARGUMENTS = {
    "avg_pool": _avg_pool,
    "batch_norm": _batch_norm,
    "batch_norm_inference": _batch_norm_inference,
    "bias": _bias,
    "conv_bias": _conv_bias,
    "dense": _dense,
    "elu": lambda random, draw: (draw.normal(*_image(random)),),
    "global_avg_pool": lambda random, draw: (draw.normal(*_image(random)),),
    "max_pool": _max_pool,
    "norm_separable_conv": _norm_separable_conv,
    "pointwise_conv": _pointwise_conv,
    "relu": lambda random, draw: (draw.normal(*_image(random)),),
    "separable_conv": _separable_conv,
    "separable_conv_bias": _separable_conv_bias,
    "sigmoid_cross_entropy": _sigmoid_cross_entropy,
    "softmax_cross_entropy": _softmax_cross_entropy,
}
