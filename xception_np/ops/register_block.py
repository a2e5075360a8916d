"""A block of a matrix product that stays in the vector registers, in LLVM's vectors: a compiler does not find it in a loop.

                       b[k]  | vector  vector  vector  vector |       a step of k loads one row of b, and each of the block's
                             +--------------------------------+       numbers of a once; every number that is loaded meets
    a[i,   k] in all lanes-> | y[i]    ...                    |       all of the others: rows * vectors multiply-adds for
    a[i+1, k] in all lanes-> | y[i+1]  ...                    |       rows + vectors loads
    a[i+2, k] in all lanes-> |     stays in registers         |
    a[i+3, k] in all lanes-> | y[i+3]  ...                    |

A vector is as many numbers as a register of this machine holds: 16 in float32 with AVX-512.

Tables say where numbers are: a[i, k] is number places[i] + steps[k] of an array x, and row i of y begins at number targets[i].
Of a matrix (P, K), places are multiples of K, and steps count; in the windows of a convolution, places are where windows begin,
and steps lead to their taps: nothing has to be copied.

A block `in_lanes` takes vectors for a's numbers, too: as many products side by side as there are lanes, each of its own matrices.
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


def block(rows: tuple[int, ...], in_lanes: bool = False):
    """A compiled function block(x, places, steps, b, y, targets, i, vectors, add), so many vectors wide:

        y[targets[i + r] + n] = sum over k of x[places[i + r] + steps[k]] * b[k, n], or += if `add`

    x and y are flat arrays, b (K, columns) is contiguous. The block is rows[0] rows high if one vector wide, rows[1] if two, and
    so on. If `in_lanes`, x[p] stands for the vector that begins at number p.
    """

    def generate(context, builder, signature, arguments):
        x, places, steps, b, y, targets = _arrays(context, builder, signature, arguments, 6)
        i, vectors, add = arguments[6:]
        code = _Code(context, builder, signature.args[0].dtype)
        read = code.vector_from if in_lanes else code.in_all_lanes

        def starts(array, table, height):
            return [code.element(array, builder.load(code.element(table, builder.add(i, _integer(r))))) for r in range(height)]

        def of_height(height, width):
            x_rows, y_rows = starts(x, places, height), starts(y, targets, height)
            product = _Product(
                step=lambda k: builder.load(code.element(steps, k)),
                a=lambda r, step: read(builder.gep(x_rows[r], [step])),
                b=lambda k, v: code.vector_from(code.number_at(b, k, v * code.lanes)),
                y=lambda r, v: code.as_vector(builder.gep(y_rows[r], [_integer(v * code.lanes)])),
                depth=cgutils.unpack_tuple(builder, steps.shape, 1)[0],
            )
            code.block(product, add, height, width)

        return code.choice(vectors, rows, of_height)

    def typed(_, x, places, steps, b, y, targets, i, vectors, add):
        if not x.dtype == b.dtype == y.dtype:
            return None  # not for these arguments: a TypingError
        return types.void(x, places, steps, b, y, targets, i, vectors, add), generate

    return intrinsic(typed)


class _Product(NamedTuple):
    """What a block reads and writes.

    step : how far step(k) is from where a row of a begins
    a, b, y : vectors a(r, step(k)) and b(k, v) in registers, the address y(r, v), of row r and the v-th vector of a row
    depth : how many steps
    """

    step: Callable
    a: Callable
    b: Callable
    y: Callable
    depth: ir.Value


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
        b_vectors, step, added = [product.b(k, v) for v in wide], product.step(k), []
        for r, row in zip(high, sums, strict=True):
            a_vector = product.a(r, step)
            terms = [builder.fmul(a_vector, b_vector, flags=("contract",)) for b_vector in b_vectors]
            added.append([builder.fadd(total, term, flags=("contract",)) for total, term in zip(row, terms, strict=True)])
        following = builder.add(k, _integer(1))
        _not_unrolled(builder.cbranch(builder.icmp_signed("<", following, product.depth), loop, after))
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
        """Address of array[i, j], with j a number that is known now; strides are in bytes."""
        row = self.builder.mul(i, cgutils.unpack_tuple(self.builder, array.strides, 2)[0])
        return cgutils.pointer_add(self.builder, array.data, self.builder.add(row, _integer(j * self.size)))

    def as_vector(self, address):
        return self.builder.bitcast(address, self.vector.as_pointer())

    def vector_from(self, address):
        return self.loaded(self.as_vector(address))

    def loaded(self, address):
        return self.aligned(self.builder.load(address))

    def aligned(self, instruction):
        instruction.align = self.size  # of a number: a row may start anywhere
        return instruction

    def in_all_lanes(self, address):
        undefined, first = ir.Constant(self.vector, ir.Undefined), ir.IntType(32)
        one = self.builder.insert_element(undefined, self.builder.load(address), ir.Constant(first, 0))
        return self.builder.shuffle_vector(one, undefined, ir.Constant(ir.VectorType(first, self.lanes), [0] * self.lanes))


def _not_unrolled(branch):
    """Two steps of a loop in one would want more registers than there are: the compiler then puts numbers into memory, and back."""
    module = branch.function.module
    wish = module.add_metadata([ir.MetaDataString(module, "llvm.loop.unroll.disable")])
    loop = ir.MDValue(module, [wish], name=str(len(module.metadata)))
    loop.operands = (loop, wish)  # the first is the loop itself, as LLVM wants it
    branch.set_metadata("llvm.loop", loop)


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


def _move(_, x, i, y, j):
    def generate(context, builder, signature, arguments):
        source, target = (context.make_array(signature.args[n])(context, builder, arguments[n]) for n in (0, 2))
        code = _Code(context, builder, signature.args[0].dtype)
        vector = code.vector_from(code.element(source, arguments[1]))
        code.aligned(builder.store(vector, code.as_vector(code.element(target, arguments[3]))))
        return context.get_dummy_value()

    return types.void(x, i, y, j), generate


# move(x, i, y, j): one vector, y[j : j + lanes] = x[i : i + lanes], of flat arrays
move: Any = intrinsic(_move)


def _integer(value: int) -> ir.Constant:
    return ir.Constant(_INTEGER, value)
