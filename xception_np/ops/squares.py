"""The five transforms of Winograd's convolution, each of a square of pixels, in vectors along the channels.

    Y = T X T^T        X, a square of pixels; T, of 0, 1, -1 and 1/2: additions only

T is written as what it does to a column of a square: it is applied to every column, and then to every row of what comes out. A
pixel is as many channels as a register holds, and all of a square stays in registers between.

    inputs      4 x 4 -> 4 x 4    T = B^T    the pixels that 2 x 2 results depend on, split up
    outputs     4 x 4 -> 2 x 2        A^T    sums of their products, put together: the results
    upstream    2 x 2 -> 4 x 4        A      dy, split up: what `outputs` does, backwards
    kernels     3 x 3 -> 4 x 4        G      a kernel, split up
    gradients   4 x 4 -> 3 x 3        G^T    its gradient, put together: what `kernels` does, backwards

`ops/winograd.py` has the matrices. Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks" (2015), section 4.1.
"""

from typing import Any

from numba.core import cgutils, types
from numba.extending import intrinsic

from xception_np.ops.register_block import Code, arrays_of, integer


def _inputs(code, d):
    return [code.minus(d[0], d[2]), code.sum(d[1], d[2]), code.minus(d[2], d[1]), code.minus(d[1], d[3])]


def _outputs(code, m):
    return [code.sum(code.sum(m[0], m[1]), m[2]), code.minus(code.minus(m[1], m[2]), m[3])]


def _upstream(code, dy):
    return [dy[0], code.sum(dy[0], dy[1]), code.minus(dy[0], dy[1]), code.minus(code.zeros, dy[1])]


def _kernels(code, g):
    ends = code.sum(g[0], g[2])
    return [g[0], code.half(code.sum(ends, g[1])), code.half(code.minus(ends, g[1])), g[2]]


def _gradients(code, du):
    middle = code.half(code.sum(du[1], du[2]))
    return [code.sum(du[0], middle), code.half(code.minus(du[1], du[2])), code.sum(middle, du[3])]


class _Square:
    """The pixels of a square: number `first` of a flat array, and so many numbers on to the pixel below and to the next one."""

    def __init__(self, code, array, first, apart):
        self.code, self.array, self.first, self.apart = code, array, first, cgutils.unpack_tuple(code.builder, apart, 2)

    def __getitem__(self, place):
        """Address of the pixel at (a, b)."""
        builder = self.code.builder
        down, on = (builder.mul(apart, integer(k)) for apart, k in zip(self.apart, place, strict=True))
        return self.code.as_vector(self.code.element(self.array, builder.add(self.first, builder.add(down, on))))


class _Transform(Code):
    """Code for a transform that turns one square, x, into another, y."""

    def __init__(self, context, builder, signature, arguments):
        super().__init__(context, builder, signature.args[0].dtype)
        x, y = arrays_of(context, builder, signature, arguments, (0, 3))
        self.x, self.y = _Square(self, x, *arguments[1:3]), _Square(self, y, *arguments[4:6])

    def results(self, of_column, size, read):
        """(a, b, number) for every pixel of T X T^T, where read(a, b) is X."""
        columns = [of_column(self, [read(a, b) for a in range(size)]) for b in range(size)]
        rows = [of_column(self, list(row)) for row in zip(*columns, strict=True)]
        return [(a, b, value) for a, row in enumerate(rows) for b, value in enumerate(row)]

    def read(self, a, b):
        """X[a, b]"""
        return self.loaded(self.x[a, b])

    def is_there(self, a, b, size):
        """Whether a square of so many rows and columns has the pixel (a, b)."""
        rows, columns = cgutils.unpack_tuple(self.builder, size, 2)
        found = [self.builder.icmp_signed("<", integer(place), end) for place, end in ((a, rows), (b, columns))]
        return self.builder.and_(*found)


def _whole(of_column, size):
    """f(x, i, x_apart, y, j, y_apart): one vector of channels, of all pixels."""

    def generate(context, builder, signature, arguments):
        code = _Transform(context, builder, signature, arguments)
        for a, b, value in code.results(of_column, size, code.read):
            code.store(value, code.y[a, b])
        return context.get_dummy_value()

    def typed(_, x, i, x_apart, y, j, y_apart):
        if x.dtype != y.dtype:
            return None  # not for these arguments: a TypingError
        return types.void(x, i, x_apart, y, j, y_apart), generate

    return intrinsic(typed)


def _outputs_that_are_there(_, x, i, x_apart, y, j, y_apart, size):
    def generate(context, builder, signature, arguments):
        code = _Transform(context, builder, signature, arguments)
        for a, b, value in code.results(_outputs, 4, code.read):
            with builder.if_then(code.is_there(a, b, arguments[6]), likely=True):
                code.store(value, code.y[a, b])
        return context.get_dummy_value()

    if x.dtype != y.dtype:
        return None
    return types.void(x, i, x_apart, y, j, y_apart, size), generate


def _upstream_that_is_there(_, x, i, x_apart, y, j, y_apart, size):
    def generate(context, builder, signature, arguments):
        code = _Transform(context, builder, signature, arguments)

        def read(a, b):
            there = code.is_there(a, b, arguments[6])
            return builder.select(there, code.loaded(builder.select(there, code.x[a, b], code.x[0, 0])), code.zeros)

        for a, b, value in code.results(_upstream, 2, read):
            code.store(value, code.y[a, b])
        return context.get_dummy_value()

    if x.dtype != y.dtype:
        return None
    return types.void(x, i, x_apart, y, j, y_apart, size), generate


# Of flat arrays, one vector of channels; pixels are apart[0] numbers from row to row and apart[1] from column to column:
#     y[j + a*y_apart[0] + b*y_apart[1]] = (T X T^T)[a, b],    X[a, b] = x[i + a*x_apart[0] + b*x_apart[1]]
# inputs(x, i, x_apart, y, j, y_apart), and so on
inputs: Any = _whole(_inputs, 4)
kernels: Any = _whole(_kernels, 3)
gradients: Any = _whole(_gradients, 4)
# outputs(x, i, x_apart, y, j, y_apart, size): of the 2 x 2 pixels of y, those within so many rows and columns are written
outputs: Any = intrinsic(_outputs_that_are_there)
# upstream(x, i, x_apart, y, j, y_apart, size): of the 2 x 2 pixels of x, those within are read; the others count as 0
upstream: Any = intrinsic(_upstream_that_is_there)
