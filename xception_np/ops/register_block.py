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


def block(rows: int, vectors: int):
    """A compiled function block(a, b, y, i, j, add): y[i:, j:] = a[i:] @ b[:, j:], or += if `add`, for so many rows and vectors.

    Rows of b and y are contiguous; a has any strides, of which the compiler must not know that they are 1: it would load neighbours
    together and spread them to all lanes by shuffles, rather than load each to all lanes.
    """

    def generate(context, builder, signature, arguments):
        a, b, y = (
            context.make_array(kind)(context, builder, value) for kind, value in zip(signature.args[:3], arguments[:3], strict=True)
        )
        first, j, add = arguments[3:]
        number = context.get_value_type(signature.args[0].dtype)
        lanes = BYTES // context.get_abi_sizeof(number)
        vector, integer = ir.VectorType(number, lanes), ir.IntType(64)

        def constant(value):
            return ir.Constant(integer, value)

        def number_at(array, i, j):
            """Address of array[i, j]; strides are in bytes."""
            strides = cgutils.unpack_tuple(builder, array.strides, 2)
            offset = builder.add(builder.mul(i, strides[0]), builder.mul(j, strides[1]))
            return cgutils.pointer_add(builder, array.data, offset)

        def vector_at(array, i, j, v):
            place = number_at(array, i, builder.add(j, constant(v * lanes)))
            return builder.bitcast(place, vector.as_pointer())

        def aligned(instruction):
            instruction.align = context.get_abi_sizeof(number)  # of a number: a row may start anywhere
            return instruction

        def in_all_lanes(value):
            undefined = ir.Constant(vector, ir.Undefined)
            one = builder.insert_element(undefined, value, ir.Constant(ir.IntType(32), 0))
            return builder.shuffle_vector(one, undefined, ir.Constant(ir.VectorType(ir.IntType(32), lanes), [0] * lanes))

        high = [builder.add(first, constant(i)) for i in range(rows)]
        wide = range(vectors)
        zero = ir.Constant(vector, [0.0] * lanes)
        start = [[builder.select(add, aligned(builder.load(vector_at(y, i, j, v))), zero) for v in wide] for i in high]

        before, loop, after = builder.block, builder.append_basic_block("over_k"), builder.append_basic_block("done")
        builder.branch(loop)
        builder.position_at_end(loop)
        k = builder.phi(integer)
        sums = [[builder.phi(vector) for _ in wide] for _ in high]
        b_vectors = [aligned(builder.load(vector_at(b, k, j, v))) for v in wide]
        added = []
        for i, row in zip(high, sums, strict=True):
            a_vector = in_all_lanes(builder.load(number_at(a, i, k)))
            products = [builder.fmul(a_vector, b_vector, flags=("contract",)) for b_vector in b_vectors]
            added.append([builder.fadd(total, product, flags=("contract",)) for total, product in zip(row, products, strict=True)])
        following = builder.add(k, constant(1))
        depth = cgutils.unpack_tuple(builder, b.shape, 2)[0]
        builder.cbranch(builder.icmp_signed("<", following, depth), loop, after)
        k.add_incoming(constant(0), before)
        k.add_incoming(following, loop)
        for row, starts, results in zip(sums, start, added, strict=True):
            for total, value, result in zip(row, starts, results, strict=True):
                total.add_incoming(value, before)
                total.add_incoming(result, loop)

        builder.position_at_end(after)
        for i, results in zip(high, added, strict=True):
            for v, result in zip(wide, results, strict=True):
                aligned(builder.store(result, vector_at(y, i, j, v)))
        return context.get_dummy_value()

    def typed(_, a, b, y, i, j, add):
        if not a.dtype == b.dtype == y.dtype:
            return None  # not for these arguments: a TypingError
        return types.void(a, b, y, i, j, add), generate

    return intrinsic(typed)
