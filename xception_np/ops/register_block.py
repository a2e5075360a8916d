"""A block of a matrix product that stays in the vector registers, in LLVM's vectors: a compiler does not find it in a loop.

                     b[k, j:]  | vector  vector  vector  vector |       a step of k loads one row of b, and each of the block's
                               +--------------------------------+       numbers of a once; every number that is loaded meets
    a[i,   k]  in all lanes -> | y[i,   j:]  ...                |       all of the others: rows * vectors multiply-adds for
    a[i+1, k]  in all lanes -> | y[i+1, j:]  ...                |       rows + vectors loads
    a[i+2, k]  in all lanes -> |     stays in registers         |
    a[i+3, k]  in all lanes -> | y[i+3, j:]  ...                |

A vector is as many numbers as a register of this machine holds: 16 in float32 with AVX-512.
"""

import platform
from typing import Any

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
        a, b, y = (
            context.make_array(kind)(context, builder, value) for kind, value in zip(signature.args[:3], arguments[:3], strict=True)
        )
        i, j, vectors, add = arguments[3:]
        machine = _Code(context, builder, signature.args[0].dtype)
        done = builder.append_basic_block("done")
        choice = builder.switch(vectors, done)
        for number, height in enumerate(rows, 1):
            case = builder.append_basic_block(f"vectors_{number}")
            choice.add_case(ir.Constant(vectors.type, number), case)
            builder.position_at_end(case)
            machine.block(a, b, y, i, j, add, height, number)
            builder.branch(done)
        builder.position_at_end(done)
        return context.get_dummy_value()

    def typed(_, a, b, y, i, j, vectors, add):
        if not a.dtype == b.dtype == y.dtype:
            return None  # not for these arguments: a TypingError
        return types.void(a, b, y, i, j, vectors, add), generate

    return intrinsic(typed)


class _Code:
    """Writes instructions for vectors of one kind of number."""

    def __init__(self, context, builder, kind):
        self.builder, self.number = builder, context.get_value_type(kind)
        self.size = context.get_abi_sizeof(self.number)
        self.lanes = BYTES // self.size
        self.vector = ir.VectorType(self.number, self.lanes)

    def block(self, a, b, y, first, j, add, rows, vectors):
        """y[first:, j:] = a[first:] @ b, or += if `add`."""
        builder, wide = self.builder, range(vectors)
        high = [builder.add(first, _integer(i)) for i in range(rows)]
        columns = [builder.add(j, _integer(v * self.lanes)) for v in wide]
        zero = ir.Constant(self.vector, [0.0] * self.lanes)
        start = [[builder.select(add, self.loaded(self.vector_at(y, i, column)), zero) for column in columns] for i in high]

        before, loop, after = builder.block, builder.append_basic_block("over_k"), builder.append_basic_block("summed")
        builder.branch(loop)
        builder.position_at_end(loop)
        k = builder.phi(_INTEGER)
        sums = [[builder.phi(self.vector) for _ in wide] for _ in high]
        b_vectors = [self.loaded(self.vector_at(b, k, _integer(v * self.lanes))) for v in wide]
        added = []
        for i, row in zip(high, sums, strict=True):
            a_vector = self.in_all_lanes(builder.load(self.number_at(a, i, k)))
            products = [builder.fmul(a_vector, b_vector, flags=("contract",)) for b_vector in b_vectors]
            added.append([builder.fadd(total, product, flags=("contract",)) for total, product in zip(row, products, strict=True)])
        following = builder.add(k, _integer(1))
        depth = cgutils.unpack_tuple(builder, b.shape, 2)[0]
        builder.cbranch(builder.icmp_signed("<", following, depth), loop, after)
        k.add_incoming(_integer(0), before)
        k.add_incoming(following, loop)
        for row, starts, results in zip(sums, start, added, strict=True):
            for total, value, result in zip(row, starts, results, strict=True):
                total.add_incoming(value, before)
                total.add_incoming(result, loop)

        builder.position_at_end(after)
        for i, results in zip(high, added, strict=True):
            for column, result in zip(columns, results, strict=True):
                self.aligned(builder.store(result, self.vector_at(y, i, column)))

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


def _lanes(_, array):
    def generate(context, builder, signature, arguments):
        return _integer(BYTES // context.get_abi_sizeof(context.get_value_type(array.dtype)))

    return types.intp(array), generate


# lanes(array): how many of its numbers a vector holds; a constant, so that the compiler makes one move of a loop over them
lanes: Any = intrinsic(_lanes)


def _integer(value: int) -> ir.Constant:
    return ir.Constant(_INTEGER, value)
