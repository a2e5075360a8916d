"""Numbers worked out by hand: what nails every operation to its definition.

Two versions of ours may share a mistake, and a backward pass may be the true gradient of the wrong function. These numbers
come from the formulas at the head of each operation, with pencil and paper. Upstream gradients of 1, 10, 100 show in each
result which terms went in.
"""

import math
from collections.abc import Iterator
from importlib import import_module
from typing import NamedTuple

import numpy as np

from xception_np import arrays
from xception_np.check.cases import known, moved
from xception_np.check.comparison import Comparison, compare
from xception_np.check.operations import as_list
from xception_np.geometry import Geometry
from xception_np.random import Purpose, Stream

BUDGET = 1e-14  # a few roundings


class Anchor(NamedTuple):
    """One call with known results.

    arguments : what `forward` takes
    y, dy, gradients : its result, an upstream gradient, and what `backward` returns
    """

    name: str
    arguments: tuple
    y: np.ndarray | float
    dy: np.ndarray | float
    gradients: tuple[np.ndarray, ...]


def check_anchors(operation: str, implementation: str) -> Iterator[Comparison]:
    """Compare an operation with the numbers worked out by hand."""
    module = import_module(f"xception_np.ops.{known(operation)}")
    for anchor in ANCHORS[operation]:
        y, cache = module.forward(*moved(anchor.arguments, implementation), implementation=implementation)
        label = f"{operation}.{implementation}, {anchor.name} by hand"
        yield compare(arrays.to_host(y), anchor.y, BUDGET, f"{label}: y")
        (dy,) = moved((anchor.dy,), implementation)
        gradients = as_list(arrays.to_host(module.backward(dy, cache, implementation=implementation)))
        for k, (actual, expected) in enumerate(zip(gradients, anchor.gradients, strict=True)):
            yield compare(actual, expected, BUDGET, f"{label}: gradient {k}")


def _image(*rows) -> np.ndarray:
    """One image of one channel from its rows."""
    return np.array(rows, np.float64)[None, :, :, None]


def _pixels(*pixels) -> np.ndarray:
    """One image of one row from the channels of its pixels."""
    return np.array(pixels, np.float64)[None, None]


def _kernel(*rows) -> np.ndarray:
    """A kernel from one channel to one, from its rows."""
    return np.array(rows, np.float64)[:, :, None, None]


def _floats(*numbers) -> np.ndarray:
    return np.array(numbers, np.float64)


_VALID_2X2 = Anchor(
    "2x2 over two rows",
    (_image((1, 2, 3), (4, 5, 6)), _kernel((1, 2), (3, 4)), Geometry(2, padding="valid")),
    y=_image((1 + 4 + 12 + 20, 2 + 6 + 15 + 24)),
    dy=_image((1, 10)),
    gradients=(_image((1, 12, 20), (3, 34, 40)), _kernel((21, 32), (54, 65))),
)
_SAME_STRIDE_2 = Anchor(
    "1x3, stride 2, pad after",  # four columns: TensorFlow pads 0 before and 1 after
    (_image((1, 2, 3, 4)), _kernel((1, 10, 100)), Geometry((1, 3), (1, 2))),
    y=_image((321, 43)),
    dy=_image((1, 2)),
    gradients=(_image((1, 10, 102, 20)), _kernel((7, 10, 3))),
)
_DILATION = Anchor(
    "2x1, dilation 2, pad before",
    (_image((1,), (2,), (3,)), _kernel((1,), (10,)), Geometry((2, 1), 1, (2, 1), ((1, 0), (0, 0)))),
    y=_image((20,), (31,)),
    dy=_image((1,), (100,)),
    gradients=(_image((100,), (10,), (1000,)), _kernel((100,), (302,))),
)
_WINDOW = (_VALID_2X2, _SAME_STRIDE_2, _DILATION)


def _with(anchors, *more) -> tuple[Anchor, ...]:
    return tuple(anchor._replace(arguments=(*anchor.arguments, *more)) for anchor in anchors)


_BATCH = np.array([[1.0], [3.0]])  # mean 2, variance 1; with epsilon 3 the deviation is 2 and xhat is -1/2, 1/2
_MAX_AND_TIES = _pixels((1, 2), (3, 2), (2, -1), (5, -1))
_WORDS = (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)  # the first words of Philox with seed, step, index and purpose 0

ANCHORS: dict[str, tuple[Anchor, ...]] = {
    "conv": (
        *_WINDOW,
        Anchor(
            "two channels",
            (_pixels((1, 2)), np.array([[[[1.0, 2.0], [3.0, 4.0]]]]), Geometry(1)),
            y=_pixels((7, 10)),
            dy=_pixels((1, 10)),
            gradients=(_pixels((21, 43)), np.array([[[[1.0, 10.0], [2.0, 20.0]]]])),
        ),
    ),
    "grouped_conv": (
        *_with(_WINDOW, 1),
        Anchor(
            "two segments",
            (_pixels((1, 2, 3, 4)), np.array([[[[1.0, 2, 3, 4], [5, 6, 7, 8]]]]), Geometry(1), 2),
            y=_pixels((11, 14, 37, 44)),
            dy=_pixels((1, 10, 100, 1000)),
            gradients=(
                _pixels((21, 65, 4300, 8700)),
                np.array([[[[1.0, 10, 300, 3000], [2, 20, 400, 4000]]]]),
            ),
        ),
    ),
    "depthwise_conv": (
        *_WINDOW,
        Anchor(
            "two channels, two windows each",
            (
                _pixels((1, 2), (3, 4)),
                np.array([[[[1.0, 2], [3, 4]], [[5, 6], [7, 8]]]]),
                Geometry((1, 2), padding="valid"),
            ),
            y=_pixels((16, 20, 34, 40)),
            dy=_pixels((1, 10, 100, 1000)),
            gradients=(
                _pixels((21, 4300), (65, 8700)),
                np.array([[[[1.0, 10], [200, 2000]], [[3, 30], [400, 4000]]]]),
            ),
        ),
    ),
    "pointwise_conv": (
        Anchor(
            "two pixels",
            (_pixels((1, 2), (3, 4)), np.array([[1.0, 2], [3, 4]])),
            y=_pixels((7, 10), (15, 22)),
            dy=_pixels((1, 10), (100, 1000)),
            gradients=(_pixels((21, 43), (2100, 4300)), np.array([[301.0, 3010], [402, 4020]])),
        ),
    ),
    "separable_conv": (
        Anchor(
            "spatial first",
            (
                _image((2, 3)),
                _kernel((1, 10)),
                np.array([[1.0, -1]]),
                Geometry((1, 2), padding="valid"),
            ),
            y=_pixels((32, -32)),
            dy=_pixels((1, 2)),
            gradients=(_image((-1, -10)), _kernel((-2, -3)), np.array([[32.0, 64]])),
        ),
        Anchor(
            "spatial first, ReLU between",  # the middle is 2 - 30 < 0 for the first window of two, 3 - 20 < 0, then 2 + 10
            (
                _image((2, 3, 2, -1)),
                _kernel((1, -10)),
                np.array([[1.0, -1]]),
                Geometry((1, 2), padding="valid"),
                "spatial_first",
                "relu",
            ),
            y=_pixels((0, 0), (0, 0), (12, -12)),
            dy=_pixels((5, 6), (7, 8), (3, 1)),
            gradients=(_image((0, 0, 2, -20)), _kernel((4, -2)), np.array([[36.0, 12]])),
        ),
        Anchor(
            "pointwise first, ReLU between",  # the middle is max(0, (2, -2)), max(0, (3, -3)) = (2, 0), (3, 0)
            (
                _image((2, 3)),
                np.array([[[[1.0], [5]], [[10], [7]]]]),
                np.array([[1.0, -1]]),
                Geometry((1, 2), padding="valid"),
                "pointwise_first",
                "relu",
            ),
            y=_pixels((32, 0)),
            dy=_pixels((1, 2)),
            gradients=(_image((1, 10)), np.array([[[[2.0], [0]], [[3], [0]]]]), np.array([[32.0, 0]])),
        ),
        Anchor(
            "spatial first, ReLU before, whose slope at 0 is 0",  # of (0, 3) the middle is 30
            (
                _image((0, 3)),
                _kernel((1, 10)),
                np.array([[1.0, -1]]),
                Geometry((1, 2), padding="valid"),
                "spatial_first",
                None,
                "relu",
            ),
            y=_pixels((30, -30)),
            dy=_pixels((3, 1)),
            gradients=(_image((0, 20)), _kernel((0, 6)), np.array([[90.0, 30]])),
        ),
        Anchor(
            "pointwise first, ReLU before",  # of (0, 3) the middle is (0, 6)
            (
                _image((-2, 3)),
                _kernel((1, 10)),
                np.array([[2.0]]),
                Geometry((1, 2), padding="valid"),
                "pointwise_first",
                None,
                "relu",
            ),
            y=_pixels((60,)),
            dy=_pixels((3,)),
            gradients=(_image((0, 60)), _kernel((0, 18)), np.array([[90.0]])),
        ),
        Anchor(
            "spatial first, ELU between",  # exp(-ln 2) - 1 = -1/2, with slope 1/2
            (
                _image((math.log(2), 3)),
                _kernel((-1,)),
                np.array([[2.0]]),
                Geometry(1),
                "spatial_first",
                "elu",
            ),
            y=_image((-1, 2 * math.expm1(-3))),
            dy=_image((1, 0)),
            gradients=(_image((-1, 0)), _kernel((math.log(2),)), np.array([[-0.5]])),
        ),
    ),
    "norm_separable_conv": (
        Anchor(
            "two numbers",  # z = (4, 6), and the middle 4 + 60
            (
                _image((1, 3)),
                _floats(2),
                _floats(5),
                _kernel((1, 10)),
                np.array([[1.0, -1]]),
                Geometry((1, 2), padding="valid"),
                3.0,
                None,
            ),
            y=_pixels((64, -64)),
            dy=_pixels((3, 1)),
            gradients=(_image((-6.75, 6.75)), _floats(9), _floats(22), _kernel((8, 12)), np.array([[192.0, 64]])),
        ),
        Anchor(
            "two numbers, one cut off at 0",  # z = max(0, (0, 2)), and the middle 20
            (
                _image((1, 3)),
                _floats(2),
                _floats(1),
                _kernel((1, 10)),
                np.array([[1.0, -1]]),
                Geometry((1, 2), padding="valid"),
                3.0,
            ),
            y=_pixels((20, -20)),
            dy=_pixels((3, 1)),
            gradients=(_image((-7.5, 7.5)), _floats(10), _floats(20), _kernel((0, 4)), np.array([[60.0, 20]])),
        ),
    ),
    "conv_bias": (
        Anchor(
            "two numbers, one cut off at 0",  # z = (1 + 30, 3), and 31 - 5, 3 - 5
            (_image((1, 3)), _kernel((1, 10)), _floats(-5), Geometry((1, 2)), "relu"),
            y=_image((26, 0)),
            dy=_image((2, 7)),
            gradients=(_image((2, 20)), _kernel((2, 6)), _floats(2)),
        ),
        Anchor(
            "two numbers and an addend, one cut off at 0",  # 31 + 100 - 5, 3 - 1 - 5
            (_image((1, 3)), _kernel((1, 10)), _floats(-5), Geometry((1, 2)), "relu", _image((100, -1))),
            y=_image((126, 0)),
            dy=_image((2, 7)),
            gradients=(_image((2, 20)), _kernel((2, 6)), _floats(2), _image((2, 0))),
        ),
    ),
    "separable_conv_bias": (
        Anchor(
            "two filters, one cut off at 0",  # the middle 1 + 30, z = (31, -31), and 31 - 5, -31 + 5
            (
                _image((1, 3)),
                _kernel((1, 10)),
                np.array([[1.0, -1]]),
                _floats(-5, 5),
                Geometry((1, 2), padding="valid"),
                "relu",
            ),
            y=_pixels((26, 0)),
            dy=_pixels((2, 7)),
            gradients=(_image((2, 20)), _kernel((2, 6)), np.array([[62.0, 0]]), _floats(2, 0)),
        ),
        Anchor(
            "two filters, ReLU before, and an addend",  # of (0, 3) the middle is 30, z = (30, -30), and 30 + 1 - 5, -30 + 20 + 5
            (
                _image((-1, 3)),
                _kernel((1, 10)),
                np.array([[1.0, -1]]),
                _floats(-5, 5),
                Geometry((1, 2), padding="valid"),
                "relu",
                "relu",
                _pixels((1, 20)),
            ),
            y=_pixels((26, 0)),
            dy=_pixels((3, 1)),
            gradients=(_image((0, 30)), _kernel((0, 9)), np.array([[90.0, 0]]), _floats(3, 0), _pixels((3, 0))),
        ),
    ),
    "batch_norm": (
        Anchor(
            "two numbers",
            (_BATCH, _floats(2), _floats(5), 3.0),
            y=np.array([[4.0], [6.0]]),
            dy=np.array([[1.0], [3.0]]),
            gradients=(np.array([[-0.75], [0.75]]), _floats(1), _floats(4)),
        ),
        Anchor(
            "ReLU, whose slope at 0 is 0",
            (_BATCH, _floats(2), _floats(1), 3.0, "relu"),
            y=np.array([[0.0], [2.0]]),
            dy=np.array([[1.0], [3.0]]),
            gradients=(np.array([[-1.125], [1.125]]), _floats(1.5), _floats(3)),
        ),
    ),
    "batch_norm_inference": (
        Anchor(
            "two numbers",
            (_BATCH, _floats(2), _floats(5), _floats(2), _floats(1), 3.0),
            y=np.array([[4.0], [6.0]]),
            dy=np.array([[1.0], [3.0]]),
            gradients=(np.array([[1.0], [3.0]]), _floats(1), _floats(4)),
        ),
        Anchor(
            "ReLU, whose slope at 0 is 0",
            (_BATCH, _floats(2), _floats(1), _floats(2), _floats(1), 3.0, "relu"),
            y=np.array([[0.0], [2.0]]),
            dy=np.array([[1.0], [3.0]]),
            gradients=(np.array([[0.0], [3.0]]), _floats(1.5), _floats(3)),
        ),
    ),
    "bias": (
        Anchor(
            "two channels",
            (np.array([[1.0, 2], [3, 4]]), _floats(10, 20)),
            y=np.array([[11.0, 22], [13, 24]]),
            dy=np.array([[1.0, 10], [100, 1000]]),
            gradients=(np.array([[1.0, 10], [100, 1000]]), _floats(101, 1010)),
        ),
        Anchor(
            "ReLU, whose slope at 0 is 0",
            (np.array([[-1.0, 0], [3, -5]]), _floats(1, 2), "relu"),
            y=np.array([[0.0, 2], [4, 0]]),
            dy=np.array([[1.0, 10], [100, 1000]]),
            gradients=(np.array([[0.0, 10], [100, 0]]), _floats(100, 10)),
        ),
    ),
    "relu": (
        Anchor(
            "the slope at 0 is 0",
            (_floats(-1, 0, 2),),
            y=_floats(0, 0, 2),
            dy=_floats(1, 10, 100),
            gradients=(_floats(0, 0, 100),),
        ),
    ),
    "elu": (
        Anchor(
            "a half at -ln 2",
            (_floats(-math.log(2), 0, 2),),
            y=_floats(-0.5, 0, 2),
            dy=_floats(1, 10, 100),
            gradients=(_floats(0.5, 10, 100),),
        ),
    ),
    "max_pool": (
        Anchor(
            "the first of equals",
            (_MAX_AND_TIES, Geometry((1, 2), padding="valid")),
            y=_pixels((3, 2), (3, 2), (5, -1)),
            dy=_pixels((1, 1), (10, 10), (100, 100)),
            gradients=(_pixels((0, 1), (11, 10), (0, 100), (100, 0)),),
        ),
        Anchor(
            "the first of nine, where several are equal",
            (_image((3, 3, 7), (6, 7, 1), (7, 7, 2)), Geometry(3, padding="valid")),
            y=_image((7,)),
            dy=_image((5,)),
            gradients=(_image((0, 0, 5), (0, 0, 0), (0, 0, 0)),),
        ),
        Anchor(
            "padding never wins",
            (_image((-1, -2), (-4, -3)), Geometry(3, 2)),
            y=_image((-1,)),
            dy=_image((5,)),
            gradients=(_image((5, 0), (0, 0)),),
        ),
    ),
    "avg_pool": (
        Anchor(
            "padding does not count",
            (_image((3, 6, 12)), Geometry((1, 3))),
            y=_image((4.5, 7, 9)),
            dy=_image((2, 30, 400)),
            gradients=(_image((11, 211, 210)),),
        ),
    ),
    "global_avg_pool": (
        Anchor(
            "two by two",
            (np.array([[[[1.0, 8], [2, 6]], [[3, 4], [6, 2]]]]),),
            y=np.array([[3.0, 5]]),
            dy=np.array([[4.0, 40]]),
            gradients=(np.array([[[[1.0, 10], [1, 10]], [[1, 10], [1, 10]]]]),),
        ),
    ),
    "dense": (
        Anchor(
            "two images",
            (np.array([[1.0, 2], [3, 4]]), np.array([[1.0, 2], [3, 4]]), _floats(0.5, -0.5)),
            y=np.array([[7.5, 9.5], [15.5, 21.5]]),
            dy=np.array([[1.0, 10], [100, 1000]]),
            gradients=(np.array([[21.0, 43], [2100, 4300]]), np.array([[301.0, 3010], [402, 4020]]), _floats(101, 1010)),
        ),
    ),
    "dropout": (
        Anchor(
            "the words that Random123 publishes",  # 0.40, 0.88, 0.74, 0.61: the first is below 1/2, and dropped
            (_floats(1, 2, 3, 4), 0.5, Stream(0, Purpose(0))),
            y=_floats(0, 4, 6, 8),
            dy=_floats(1, 10, 100, 1000),
            gradients=(_floats(0, 20, 200, 2000),),
        ),
        Anchor(
            "a word at the threshold is kept",
            (_floats(1, 2, 3, 4), _WORDS[2] / 2**32, Stream(0, Purpose(0))),
            y=_floats(0, 2, 3, 0) / (1 - _WORDS[2] / 2**32),
            dy=_floats(1, 1, 1, 1),
            gradients=(_floats(0, 1, 1, 0) / (1 - _WORDS[2] / 2**32),),
        ),
    ),
    "add": (
        Anchor(
            "two numbers",
            (_floats(1, 2), _floats(10, 20)),
            y=_floats(11, 22),
            dy=_floats(3, 4),
            gradients=(_floats(3, 4), _floats(3, 4)),
        ),
    ),
    "concat": (
        Anchor(
            "one channel and two",
            ([_pixels((1,), (2,)), _pixels((3, 4), (5, 6))],),
            y=_pixels((1, 3, 4), (2, 5, 6)),
            dy=_pixels((1, 2, 3), (4, 5, 6)),
            gradients=(_pixels((1,), (4,)), _pixels((2, 3), (5, 6))),
        ),
    ),
    "softmax_cross_entropy": (
        Anchor(
            "p = 1/4 and 3/4",
            (np.array([[0.0, math.log(3)], [math.log(3), 0]]), np.array([0, 0])),
            y=(math.log(4) + math.log(4 / 3)) / 2,
            dy=2.0,
            gradients=(np.array([[-0.75, 0.75], [-0.25, 0.25]]),),
        ),
        Anchor(
            "targets 0.9 and 0.1",
            (np.array([[0.0, math.log(3)]]), np.array([0]), 0.2),
            y=0.9 * math.log(4) + 0.1 * math.log(4 / 3),
            dy=1.0,
            gradients=(np.array([[-0.65, 0.65]]),),
        ),
        Anchor(
            "shares 1/4 and 3/4",
            (np.array([[0.0, math.log(3)], [math.log(3), 0]]), np.array([[0.25, 0.75], [0.25, 0.75]])),
            y=(0.25 * (math.log(4) + 3 * math.log(4 / 3)) + 0.25 * (math.log(4 / 3) + 3 * math.log(4))) / 2,
            dy=2.0,
            gradients=(np.array([[0, 0], [0.5, -0.5]]),),
        ),
        Anchor(
            "shares 3/4 and 1/4, targets 0.7 and 0.3",
            (np.array([[0.0, math.log(3)]]), np.array([[0.75, 0.25]]), 0.2),
            y=0.7 * math.log(4) + 0.3 * math.log(4 / 3),
            dy=1.0,
            gradients=(np.array([[-0.45, 0.45]]),),
        ),
    ),
    "sigmoid_cross_entropy": (
        Anchor(
            "p = 1/2, 3/4 and 1/4",
            (np.array([[0.0, math.log(3), -math.log(3)]]), np.array([[1.0, 0.25, 0.0]])),
            y=(math.log(2) + math.log(4) - 0.25 * math.log(3) + math.log(4 / 3)) / 3,
            dy=3.0,
            gradients=(np.array([[-0.5, 0.5, 0.25]]),),
        ),
    ),
}
