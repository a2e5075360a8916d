"""A wrong argument gets a message that names it, says what it was, and what is expected."""

import numpy as np
import pytest

from xception_np import ops
from xception_np.check import cases
from xception_np.errors import InputError
from xception_np.geometry import Geometry
from xception_np.random import Purpose, Stream

X = np.zeros((2, 5, 6, 6))
KERNEL = np.zeros((3, 3, 6, 4))
STREAM = Stream(0, Purpose.DROPOUT)
FIRST = [(operation, cases.of(operation)[0]) for operation in ops.__all__]
ARRAYS = [
    pytest.param(case, position, id=f"{operation} {name}")
    for operation, case in FIRST
    for name, position, _ in case.differentiable(case.arguments())
    if "[" not in name  # concat's branches have their own test
]


def expect(message, function, *arguments, **named):
    with pytest.raises(InputError) as caught:
        function(*arguments, **named)
    for part in message.split(" ... "):
        assert part in str(caught.value)


def replaced(case, position, change):
    """The case's arguments with one changed, and that one's name."""
    arguments = list(case.arguments())
    name = next(name for name, at, _ in case.differentiable(tuple(arguments)) if at == position)
    arguments[position] = change(arguments[position])
    return name, arguments


@pytest.mark.parametrize(("case", "position"), ARRAYS)
class TestEveryArray:
    def test_a_list(self, case, position):
        name, arguments = replaced(case, position, lambda array: array.tolist())
        expect(f"{name} is a list; expected a NumPy array", case.module.forward, *arguments)

    def test_float16(self, case, position):
        name, arguments = replaced(case, position, lambda array: array.astype(np.float16))
        expect(f"{name} has dtype float16; expected float32 or float64", case.module.forward, *arguments)

    def test_integers(self, case, position):
        name, arguments = replaced(case, position, lambda array: array.astype(np.int64))
        expect(f"{name} has dtype int64; expected float32 or float64", case.module.forward, *arguments)

    def test_not_contiguous(self, case, position):
        name, arguments = replaced(case, position, lambda array: np.repeat(array, 2, axis=-1)[..., ::2])
        expect(f"{name} is not C-contiguous (strides ... numpy.ascontiguousarray({name})", case.module.forward, *arguments)

    def test_one_float32_among_float64(self, case, position):
        if sum(isinstance(argument, np.ndarray) and argument.dtype.kind == "f" for argument in case.arguments()) == 1:
            return
        _, arguments = replaced(case, position, lambda array: array.astype(np.float32))
        expect("float32 ... float64", case.module.forward, *arguments)

    def test_no_element(self, case, position):
        name, arguments = replaced(case, position, lambda array: array[:0])
        expect(f"{name} ... shape (0, ... expected", case.module.forward, *arguments)


@pytest.mark.parametrize(("operation", "case"), FIRST, ids=ops.__all__)
class TestUpstreamGradient:
    def passes(self, case):
        y, cache = case.module.forward(*case.arguments())
        return case.upstream(np.asarray(y)), cache

    def test_shape(self, operation, case):
        dy, cache = self.passes(case)
        if isinstance(dy, np.ndarray):
            expect(f"dy has shape {dy[..., :1].shape}; expected", case.module.backward, np.ascontiguousarray(dy[..., :1]), cache)
            expect("dy has shape () ... expected", case.module.backward, np.array(1.0), cache)

    def test_dtype(self, operation, case):
        dy, cache = self.passes(case)
        if isinstance(dy, np.ndarray):
            expect("dy has dtype float32; expected float64", case.module.backward, dy.astype(np.float32), cache)

    def test_kind(self, operation, case):
        dy, cache = self.passes(case)
        if isinstance(dy, np.ndarray):
            expect("dy is a list; expected a NumPy array", case.module.backward, dy.tolist(), cache)
        else:
            expect("dloss is '1'; expected a finite number", case.module.backward, "1", cache)
            expect("dloss is nan; expected a finite number", case.module.backward, float("nan"), cache)


@pytest.mark.parametrize(
    ("operation", "more"),
    [
        (ops.conv, (KERNEL,)),
        (ops.grouped_conv, (KERNEL[:, :, :3].copy(), 2)),
        (ops.depthwise_conv, (np.zeros((3, 3, 6, 1)),)),
        (ops.separable_conv, (np.zeros((3, 3, 6, 1)), np.zeros((6, 4)))),
        (ops.max_pool, ()),
        (ops.avg_pool, ()),
    ],
    ids=["conv", "grouped_conv", "depthwise_conv", "separable_conv", "max_pool", "avg_pool"],
)
class TestWindows:
    def forward(self, operation, more, x, geometry):
        weights, rest = [m for m in more if isinstance(m, np.ndarray)], [m for m in more if not isinstance(m, np.ndarray)]
        return operation.forward(x, *weights, geometry, *rest)

    def test_axes(self, operation, more):
        expect("x has shape (5, 6, 6); expected 4 axes, (N, H, W, C)", self.forward, operation, more, X[0], Geometry(3))

    def test_kernel_larger_than_the_input(self, operation, more):
        message = "the kernel spans 3 positions but the input's height is 2 ... padding='same'"
        expect(message, self.forward, operation, more, X[:, :2].copy(), Geometry(3, padding="valid"))
        message = "the kernel spans 7 positions but the input's width is 6"
        expect(message, self.forward, operation, more, X, Geometry(3, dilation=(1, 3), padding="valid"))

    def test_not_a_geometry(self, operation, more):
        expect("geometry is a int; expected a Geometry", self.forward, operation, more, X, 3)

    def test_another_kernel(self, operation, more):
        if more:
            message = "has a kernel of (3, 3) but geometry.kernel is (5, 3); expected the same"
            expect(message, self.forward, operation, more, X, Geometry((5, 3)))

    def test_other_channels(self, operation, more):
        if more:
            expect("weight has shape ... expected", self.forward, operation, more, X[..., :4].copy(), Geometry(3))


@pytest.mark.parametrize("operation", [ops.max_pool, ops.avg_pool], ids=["max_pool", "avg_pool"])
def test_a_pool_of_nothing_but_padding(operation):
    geometry = Geometry(2, padding=((2, 0), (0, 0)))
    expect("geometry.padding is ((2, 0), (0, 0)); expected less ... only padding", operation.forward, X, geometry)


def test_segments():
    def forward(segments, channels=728, filters=728):
        x, weight = np.zeros((1, 3, 3, channels), np.float32), np.zeros((3, 3, 91, filters), np.float32)
        return ops.grouped_conv.forward(x, weight, Geometry(3), segments)

    expect("segments is 9; expected a number that divides C=728 and F=728: the nearest are 8 and 13", forward, 9)
    expect("segments is 5 ... C=728 and F=12: the nearest is 4", forward, 5, 728, 12)
    expect("segments is 0 ... the nearest is 1", forward, 0)
    expect("segments is 1000 ... the nearest is 728", forward, 1000)
    expect("segments is 8.0; expected a number that divides", forward, 8.0)
    expect("segments is 2 ... C=1 and F=6: the nearest is 1", forward, 2, 1, 6)
    expect("weight has shape (3, 3, 91, 728); expected 104 along its third axis, C/S for C=728 and segments=7", forward, 7)


def test_matrices():
    x = np.zeros((2, 3, 3, 5))
    expect("weight has shape (4, 6); expected (5, F), C=5 as in x", ops.pointwise_conv.forward, x, np.zeros((4, 6)))
    expect("weight has shape (5,); expected 2 axes, (C, F)", ops.pointwise_conv.forward, x, np.zeros(5))
    rows = np.zeros((2, 5))
    expect("x has shape (2, 3, 3, 5); expected 2 axes, (N, C)", ops.dense.forward, x, np.zeros((5, 6)), np.zeros(6))
    expect("weight has shape (4, 6); expected (5, F)", ops.dense.forward, rows, np.zeros((4, 6)), np.zeros(6))
    expect("bias has shape (5,); expected (6,), F=6 as in weight", ops.dense.forward, rows, np.zeros((5, 6)), np.zeros(5))


def test_separable_conv():
    depthwise, pointwise, geometry = np.zeros((3, 3, 6, 2)), np.zeros((12, 4)), Geometry(3)
    forward = ops.separable_conv.forward
    expect("pointwise_weight has shape (6, 4); expected (12, F)", forward, X, depthwise, np.zeros((6, 4)), geometry)
    expect("depthwise_weight has shape (3, 3, 5, 2); expected", forward, X, depthwise[:, :, :5].copy(), pointwise, geometry)
    pointwise_first = (np.zeros((6, 4)), geometry, "pointwise_first")
    expect("depthwise_weight has shape (3, 3, 6, 2); expected (kh, kw, 4, M)", forward, X, depthwise, *pointwise_first)
    message = "order is 'depthwise'; expected one of 'spatial_first', 'pointwise_first'"
    expect(message, forward, X, depthwise, pointwise, geometry, "depthwise")
    expect("activation is 'gelu'; expected one of None, ", forward, X, depthwise, pointwise, geometry, "spatial_first", "gelu")
    expect("before is 'elu'; expected one of None, 'relu'", forward, X, depthwise, pointwise, geometry, before="elu")


def test_what_is_added_to_a_convolution():
    bias, geometry = np.zeros(4), Geometry(3)
    n, h, w, _ = X.shape
    like_y = np.zeros((n, h, w, 4))
    weights = np.zeros((3, 3, 6, 1)), np.zeros((6, 4))
    for forward, more in ((ops.conv_bias.forward, (np.zeros((3, 3, 6, 4)),)), (ops.separable_conv_bias.forward, weights)):
        expect(f"addend has shape {(n, h, 1, 4)}; expected", forward, X, *more, bias, geometry, addend=like_y[:, :, :1].copy())
        expect("addend has dtype float32 but x has float64", forward, X, *more, bias, geometry, addend=np.float32(like_y))
        expect("addend is a list; expected a NumPy array", forward, X, *more, bias, geometry, addend=[1.0])
    expect(
        "before is 'elu'; expected one of None, 'relu'", ops.separable_conv_bias.forward, X, *weights, bias, geometry, before="elu"
    )


def test_batch_norm():
    vector = np.ones(6)
    expect("gamma has shape (5,); expected (6,), C=6 as in x", ops.batch_norm.forward, X, vector[:5], vector)
    expect("beta has shape (6, 1); expected 1 axes, (C,)", ops.batch_norm.forward, X, vector, vector[:, None])
    for epsilon in (0, -1.0, float("nan"), "small"):
        expect(f"epsilon is {epsilon!r}; expected a number > 0", ops.batch_norm.forward, X, vector, vector, epsilon)
    given = ops.batch_norm_inference.forward
    expect("mean has shape (5,); expected (6,)", given, X, vector, vector, vector[:5], vector)
    expect("variance is -1.0 in channel 0; expected numbers >= 0", given, X, vector, vector, vector, -vector)
    expect("epsilon is 0; expected", given, X, vector, vector, vector, vector, 0)


def test_dropout():
    for rate in (-0.1, 1, 1.5, float("nan"), None, True):
        expect(f"rate is {rate!r}; expected a probability, 0 <= rate < 1", ops.dropout.forward, X, rate, STREAM)
    expect("stream is a int; expected a xception_np.random.Stream", ops.dropout.forward, X, 0.5, 7)
    expect("seed is -1; expected an integer from 0 to 4294967295", ops.dropout.forward, X, 0.5, Stream(-1, Purpose.DROPOUT))


def test_a_rate_of_few_bits():
    """2**32 times a float16 is infinity."""
    y, _ = ops.dropout.forward(X, np.float16(0.5), STREAM)
    np.testing.assert_array_equal(y, ops.dropout.forward(X, 0.5, STREAM)[0])


def test_add_and_concat():
    expect("b is float64 of shape (2, 1); expected float64 of shape (2, 3)", ops.add.forward, np.zeros((2, 3)), np.zeros((2, 1)))
    expect("branches is list; expected a list of at least one", ops.concat.forward, [])
    expect("branches is ndarray; expected a list", ops.concat.forward, X)
    expect("branches[1] has shape (2, 5, 5, 6); expected (2, 5, 6, C1)", ops.concat.forward, [X, X[:, :, :5].copy()])
    expect("branches[1] has dtype float32 but branches[0] has float64", ops.concat.forward, [X, X.astype(np.float32)])
    expect("branches[0] has dtype float16", ops.concat.forward, [X.astype(np.float16), X])
    expect("branches[1] is not C-contiguous", ops.concat.forward, [X, X[..., ::2]])


def test_losses():
    logits, labels = np.zeros((3, 4)), np.array([0, 1, 3])
    softmax, sigmoid = ops.softmax_cross_entropy.forward, ops.sigmoid_cross_entropy.forward
    expect("logits has shape (3,); expected 2 axes, (N, K)", softmax, logits[:, 0].copy(), labels)
    expect("labels is list; expected int64 of shape (3,)", softmax, logits, [0, 1, 3])
    expect("labels is int64 of shape (2,); expected int64 of shape (3,)", softmax, logits, labels[:2])
    expect("labels is float64 of shape (3,); expected int64", softmax, logits, labels.astype(float))
    expect("labels has values from 0 to 4; expected 0 to 3", softmax, logits, labels + labels // 3)
    expect("labels has values from -1 to 2; expected 0 to 3", softmax, logits, labels - 1)
    shares = np.full((3, 4), 0.25)
    softmax(logits, shares * (1 + 9e-5))
    expect("labels has shape (3, 5); expected (3, 4), K=4 as in logits", softmax, logits, np.full((3, 5), 0.2))
    expect("labels has dtype float32 but logits has float64", softmax, logits, shares.astype(np.float32))
    expect("labels has dtype int64; expected float32 or float64", softmax, logits, np.eye(3, 4, dtype=np.int64))
    expect("labels is not C-contiguous", softmax, logits, np.full((4, 3), 0.25).T)
    expect("labels has a share of -0.25; expected 0 or more", softmax, logits, shares - 0.5 * np.eye(3, 4))
    expect("labels has a share of nan; expected 0 or more", softmax, logits, shares * np.nan)
    expect("a row of shares that sum to 1.00011; expected 1, within 0.0001", softmax, logits, shares * (1 + 1.1e-4))
    expect("a row of shares that sum to 0.75; expected 1", softmax, logits, shares - 0.25 * np.eye(3, 4))
    expect("a row of shares that sum to inf; expected 1", softmax, logits, shares + np.array([[0], [np.inf], [0]]))
    for smoothing in (-0.1, 1.0, float("nan"), "0"):
        expect(f"label_smoothing is {smoothing!r}; expected a number, 0 <=", softmax, logits, labels, smoothing)
    expect("targets has shape (3, 5); expected (3, 4), K=4 as in logits", sigmoid, logits, np.zeros((3, 5)))
    expect("targets has values from 0.0 to 2.0; expected 0 to 1", sigmoid, logits, np.eye(3, 4) * 2)
    expect("targets has values from nan to nan; expected 0 to 1", sigmoid, logits, logits * np.nan)


def test_numbers_of_segments_may_be_numpys():
    x, weight = np.ones((1, 5, 5, 4), np.float32), np.ones((3, 3, 2, 4), np.float32)
    y, cache = ops.grouped_conv.forward(x, weight, Geometry(3), np.int64(2))
    assert type(cache.segments) is int
    dx, dweight = ops.grouped_conv.backward(np.ones_like(y), cache)
    assert (dx.shape, dweight.shape) == (x.shape, weight.shape)
