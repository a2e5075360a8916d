"""A block of a matrix product that stays in the vector registers, in LLVM's vectors: a compiler does not find it in a loop.

                     b[k, j:]  | vector  vector  vector  vector |       a step of k loads one row of b, and each of the block's
                               +--------------------------------+       numbers of a once; every number that is loaded meets
    a[i,   k]  in all lanes -> | y[i,   j:]  ...                |       all of the others: rows * vectors multiply-adds for
    a[i+1, k]  in all lanes -> | y[i+1, j:]  ...                |       rows + vectors loads
    a[i+2, k]  in all lanes -> |     stays in registers         |
    a[i+3, k]  in all lanes -> | y[i+3, j:]  ...                |

A vector is as many numbers as a register of this machine holds: 16 in float32 with AVX-512.

In `block_in_lanes` the numbers of a are vectors, too: as many products side by side as there are lanes, each of its own matrices.
"""

import platform
from collections.abc import Callable
from typing import Any, NamedTuple

import llvmlite.binding
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic


def registers() -> tuple[int, int]:
    """How many vector registers this machine has, and how many bytes there are in one."""
    features = llvmlite.binding.get_host_cpu_features()
    if features.get("avx512f"):
        return 32, 64
    if features.get("avx"):
        return 16, 32
    return (32 if platform.machine() in ("arm64", "aarch64") else 16), 16


REGISTERS, BYTES = registers()
_INTEGER = ir.IntType(64)


def block(rows: tuple[int, ...]):
    """A compiled function block(a, b, y, i, j, vectors, add): y[i:, j:] = a[i:] @ b, or += if `add`, so many vectors wide.

    It is rows[0] rows high if one vector wide, rows[1] if two, and so on. Rows of b and y are contiguous; a has any strides, of
    which the compiler must not know that they are 1: it would load neighbours together and spread them to all lanes by shuffles,
    rather than load each to all lanes.
    """

    def generate(context, builder, signature, arguments):
        a, b, y = _arrays(context, builder, signature, arguments, 3)
        i, j, vectors, add = arguments[3:]
        code = _Code(context, builder, signature.args[0].dtype)

        def of_height(height, width):
            high = [builder.add(i, _integer(r)) for r in range(height)]
            product = _Product(
                a=lambda r, k: code.in_all_lanes(builder.load(code.number_at(a, high[r], k))),
                b=lambda k, v: code.loaded(code.vector_at(b, k, _integer(v * code.lanes))),
                y=lambda r, v: code.vector_at(y, high[r], builder.add(j, _integer(v * code.lanes))),
                depth=cgutils.unpack_tuple(builder, b.shape, 2)[0],
            )
            code.block(product, add, height, width)

        return code.choice(vectors, rows, of_height)

    def typed(_, a, b, y, i, j, vectors, add):
        if not a.dtype == b.dtype == y.dtype:
            return None  # not for these arguments: a TypingError
        return types.void(a, b, y, i, j, vectors, add), generate

    return intrinsic(typed)


def block_in_lanes(rows: tuple[int, ...]):
    """A compiled function block(x, places, steps, b, y, i, j, vectors, add), of matrices whose numbers are vectors.

    y[i + r, j + n] = sum over k of x[places[i + r] + steps[k]] * b[k, j + n], or += if `add`. The vector x[p] begins at number p
    of a flat array; b (K, N * lanes) and y (R, N * lanes) are arrays of numbers, and so j is counted.
    """

    def generate(context, builder, signature, arguments):
        x, places, steps, b, y = _arrays(context, builder, signature, arguments, 5)
        i, j, vectors, add = arguments[5:]
        code = _Code(context, builder, signature.args[0].dtype)

        def of_height(height, width):
            high = [builder.add(i, _integer(r)) for r in range(height)]
            wide = [builder.add(j, _integer(v * code.lanes)) for v in range(width)]
            starts = [code.element(x, builder.load(code.element(places, row))) for row in high]
            product = _Product(
                a=lambda r, step: code.loaded(builder.bitcast(builder.gep(starts[r], [step]), code.vector.as_pointer())),
                b=lambda k, v: code.loaded(code.vector_at(b, k, wide[v])),
                y=lambda r, v: code.vector_at(y, high[r], wide[v]),
                depth=cgutils.unpack_tuple(builder, b.shape, 2)[0],
                k=lambda k: builder.load(code.element(steps, k)),
            )
            code.block(product, add, height, width)

        return code.choice(vectors, rows, of_height)

    def typed(_, x, places, steps, b, y, i, j, vectors, add):
        if not (x.dtype == b.dtype == y.dtype and places.dtype == steps.dtype == types.int64):
            return None
        return types.void(x, places, steps, b, y, i, j, vectors, add), generate

    return intrinsic(typed)


class _Product(NamedTuple):
    """What a block reads and writes.

    a, b, y : vectors a(r, k) and b(k, v) in registers, the address y(r, v), of row r, step k and the v-th vector of a row
    depth : how many steps
    k : what a is told of step k
    """

    a: Callable
    b: Callable
    y: Callable
    depth: ir.Value
    k: Callable = lambda k: k


class _Code:
    """Writes instructions for vectors of one kind of number."""

    def __init__(self, context, builder, kind):
        self.context, self.builder, self.number = context, builder, context.get_value_type(kind)
        self.size = context.get_abi_sizeof(self.number)
        self.lanes = BYTES // self.size
        self.vector = ir.VectorType(self.number, self.lanes)

    def choice(self, vectors, rows, of_height):
        """A block for each number of vectors, rows[0] high if one vector wide, rows[1] if two."""
        builder = self.builder
        done = builder.append_basic_block("done")
        choice = builder.switch(vectors, done)
        for width, height in enumerate(rows, 1):
            case = builder.append_basic_block(f"vectors_{width}")
            choice.add_case(ir.Constant(vectors.type, width), case)
            builder.position_at_end(case)
            of_height(height, width)
            builder.branch(done)
        builder.position_at_end(done)
        return self.context.get_dummy_value()

    def block(self, product, add, rows, vectors):
        """Y = a @ b, or += if `add`, of a block's size."""
        builder, high, wide = self.builder, range(rows), range(vectors)
        zero = ir.Constant(self.vector, [0.0] * self.lanes)
        start = [[builder.select(add, self.loaded(product.y(r, v)), zero) for v in wide] for r in high]

        before, loop, after = builder.block, builder.append_basic_block("over_k"), builder.append_basic_block("summed")
        builder.branch(loop)
        builder.position_at_end(loop)
        k = builder.phi(_INTEGER)
        sums = [[builder.phi(self.vector) for _ in wide] for _ in high]
        b_vectors, step, added = [product.b(k, v) for v in wide], product.k(k), []
        for r, row in zip(high, sums, strict=True):
            a_vector = product.a(r, step)
            terms = [builder.fmul(a_vector, b_vector, flags=("contract",)) for b_vector in b_vectors]
            added.append([builder.fadd(total, term, flags=("contract",)) for total, term in zip(row, terms, strict=True)])
        following = builder.add(k, _integer(1))
        builder.cbranch(builder.icmp_signed("<", following, product.depth), loop, after)
        k.add_incoming(_integer(0), before)
        k.add_incoming(following, loop)
        for row, starts, results in zip(sums, start, added, strict=True):
            for total, value, result in zip(row, starts, results, strict=True):
                total.add_incoming(value, before)
                total.add_incoming(result, loop)

        builder.position_at_end(after)
        for r, results in zip(high, added, strict=True):
            for v, result in zip(wide, results, strict=True):
                self.aligned(builder.store(result, product.y(r, v)))

    def element(self, array, i):
        """Address of array[i], of a contiguous one."""
        return self.builder.gep(array.data, [i])

    def number_at(self, array, i, j):
        """Address of array[i, j]; strides are in bytes."""
        strides = cgutils.unpack_tuple(self.builder, array.strides, 2)
        offset = self.builder.add(self.builder.mul(i, strides[0]), self.builder.mul(j, strides[1]))
        return cgutils.pointer_add(self.builder, array.data, offset)

    def vector_at(self, array, i, j):
        return self.builder.bitcast(self.number_at(array, i, j), self.vector.as_pointer())

    def loaded(self, address):
        return self.aligned(self.builder.load(address))

    def aligned(self, instruction):
        instruction.align = self.size  # of a number: a row may start anywhere
        return instruction

    def in_all_lanes(self, value):
        undefined, first = ir.Constant(self.vector, ir.Undefined), ir.IntType(32)
        one = self.builder.insert_element(undefined, value, ir.Constant(first, 0))
        return self.builder.shuffle_vector(one, undefined, ir.Constant(ir.VectorType(first, self.lanes), [0] * self.lanes))


def _arrays(context, builder, signature, arguments, count):
    """The first arguments, as arrays."""
    pairs = zip(signature.args[:count], arguments[:count], strict=True)
    return [context.make_array(kind)(context, builder, value) for kind, value in pairs]


def _lanes(_, array):
    def generate(context, builder, signature, arguments):
        return _integer(BYTES // context.get_abi_sizeof(context.get_value_type(array.dtype)))

    return types.intp(array), generate


# lanes(array): how many of its numbers a vector holds; a constant, so that the compiler makes one move of a loop over them
lanes: Any = intrinsic(_lanes)


def _integer(value: int) -> ir.Constant:
    return ir.Constant(_INTEGER, value)
