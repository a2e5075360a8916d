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

from xception_np.ops import register_block


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
    """The pixels of a square, at number `first` of a flat array and so many numbers on, to the row below and to the next column."""

    def __init__(self, code, array, first, apart):
        self.code, self.array, self.first, self.apart = code, array, first, cgutils.unpack_tuple(code.builder, apart, 2)

    def __getitem__(self, place):
        """Address of the pixel at (a, b)."""
        builder = self.code.builder
        down, on = (builder.mul(apart, register_block.integer(k)) for apart, k in zip(self.apart, place, strict=True))
        return self.code.as_vector(self.code.element(self.array, builder.add(self.first, builder.add(down, on))))


class _Transform(register_block.Code):
    """Code for a transform that turns one square, x, into another, y; of one of the two only some rows and columns may be there."""

    def __init__(self, context, builder, signature, arguments):
        super().__init__(context, builder, signature.args[0].dtype)
        x, y = register_block.arrays_of(context, builder, signature, arguments, (0, 3))
        self.x, self.y, self.there = _Square(self, x, *arguments[1:3]), _Square(self, y, *arguments[4:6]), arguments[6:]

    def results(self, of_column, size, read):
        """(a, b, number) for every pixel of T X T^T, where read(a, b) is X."""
        columns = [of_column(self, [read(a, b) for a in range(size)]) for b in range(size)]
        rows = [of_column(self, list(row)) for row in zip(*columns, strict=True)]
        return [(a, b, value) for a, row in enumerate(rows) for b, value in enumerate(row)]

    def read(self, a, b):
        """X[a, b]"""
        return self.loaded(self.x[a, b])

    def read_if_there(self, a, b):
        """X[a, b], or 0"""
        there = self._is_there(a, b)
        return self.builder.select(there, self.loaded(self.builder.select(there, self.x[a, b], self.x[0, 0])), self.zeros)

    def write(self, a, b, value):
        """Y[a, b] = value"""
        self.store(value, self.y[a, b])

    def write_if_there(self, a, b, value):
        """Y[a, b] = value, or nothing"""
        with self.builder.if_then(self._is_there(a, b), likely=True):
            self.write(a, b, value)

    def _is_there(self, a, b):
        (there,) = self.there
        rows, columns = cgutils.unpack_tuple(self.builder, there, 2)
        inside = [self.builder.icmp_signed("<", register_block.integer(k), end) for k, end in ((a, rows), (b, columns))]
        return self.builder.and_(*inside)


def _transform(of_column, size, cut_off=None):
    """A compiled function, for one vector of channels; `cut_off` is "x" or "y" if its last argument says what of that is there."""

    def generate(context, builder, signature, arguments):
        code = _Transform(context, builder, signature, arguments)
        read = code.read_if_there if cut_off == "x" else code.read
        write = code.write_if_there if cut_off == "y" else code.write
        for a, b, value in code.results(of_column, size, read):
            write(a, b, value)
        return context.get_dummy_value()

    def of_all(_, x, i, x_apart, y, j, y_apart):
        if x.dtype != y.dtype:
            return None  # not for these arguments: a TypingError
        return types.void(x, i, x_apart, y, j, y_apart), generate

    def of_some(_, x, i, x_apart, y, j, y_apart, there):
        if x.dtype != y.dtype:
            return None
        return types.void(x, i, x_apart, y, j, y_apart, there), generate

    return intrinsic(of_some if cut_off else of_all)


# Of flat arrays; pixels are apart[0] numbers from row to row and apart[1] from column to column:
#     y[j + a*y_apart[0] + b*y_apart[1]] = (T X T^T)[a, b],    X[a, b] = x[i + a*x_apart[0] + b*x_apart[1]]
# inputs(x, i, x_apart, y, j, y_apart), and so on
inputs: Any = _transform(_inputs, 4)
kernels: Any = _transform(_kernels, 3)
gradients: Any = _transform(_gradients, 4)
# outputs(x, i, x_apart, y, j, y_apart, there), of y, and upstream(...), of x: `there` is how many rows and columns of pixels, one
# of each at least. The others are neither written nor read, but count as 0
outputs: Any = _transform(_outputs, 4, "y")
upstream: Any = _transform(_upstream, 2, "x")
