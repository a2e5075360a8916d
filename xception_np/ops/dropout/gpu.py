"""Dropout on a GPU: ten rounds of Philox in registers give the words of four numbers."""

from pathlib import Path

from xception_np import arrays, kernels
from xception_np.ops.dropout import Cache, threshold

FILE = Path(__file__).with_name("gpu.cu")


def forward(x, rate, stream):
    return _apply(x, rate, stream), Cache(x.shape, x.dtype, rate, stream)


def backward(dy, cache):
    # y = x * mask / (1 - rate), so dx = dy * mask / (1 - rate), with the same mask
    return _apply(dy, cache.rate, cache.stream)


def _apply(x, rate, stream):
    y = arrays.empty_like(x)
    args = (x, y, y.size, stream.seed, stream.purpose, stream.step, stream.item, threshold(rate), 1 / (1 - rate))
    kernels.launch(FILE, "apply", x.dtype, *kernels.over(-(-y.size // 4)), args)
    return y
