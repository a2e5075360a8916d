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
INTEGER = ir.IntType(64)


def block(rows: tuple[int, ...], in_lanes: bool = False):
    """A compiled function block(x, places, steps, b, y, targets, i, vectors, add), so many vectors wide:

        y[targets[i + r] + n] = sum over k of x[places[i + r] + steps[k]] * b[k, n], or += if `add`

    x and y are flat arrays, b (K, columns) is contiguous. The block is rows[0] rows high if one vector wide, rows[1] if two, and
    so on. If `in_lanes`, x[p] stands for the vector that begins at number p.
    """

    def generate(context, builder, signature, arguments):
        x, places, steps, b, y, targets = arrays_of(context, builder, signature, arguments, range(6))
        i, vectors, add = arguments[6:]
        code = Code(context, builder, signature.args[0].dtype)
        read = code.vector_from if in_lanes else code.in_all_lanes

        def starts(array, table, height):
            return [code.element(array, builder.load(code.element(table, builder.add(i, integer(r))))) for r in range(height)]

        def of_height(height, width):
            x_rows, y_rows = starts(x, places, height), starts(y, targets, height)
            product = _Product(
                step=lambda k: builder.load(code.element(steps, k)),
                a=lambda r, step: read(builder.gep(x_rows[r], [step])),
                b=lambda k, v: code.vector_from(code.number_at(b, k, v * code.lanes)),
                y=lambda r, v: code.as_vector(builder.gep(y_rows[r], [integer(v * code.lanes)])),
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


class Code:
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
        """y = a @ b, or += if `add`, of a block's size."""
        builder, places = self.builder, [(r, v) for r in range(rows) for v in range(vectors)]
        zero = ir.Constant(self.vector, [0.0] * self.lanes)
        start = [builder.select(add, self.loaded(product.y(r, v)), zero) for r, v in places]

        def step(k, sums):
            b_vectors, step = [product.b(k, v) for v in range(vectors)], product.step(k)
            a_vectors = [product.a(r, step) for r in range(rows)]
            return [self.plus(total, a_vectors[r], b_vectors[v]) for total, (r, v) in zip(sums, places, strict=True)]

        for (r, v), result in zip(places, self.loop(0, product.depth, start, step), strict=True):
            self.store(result, product.y(r, v))

    def loop(self, first, end, values, step):
        """What vectors become, if step(k, vectors) gives the next ones, for k from `first` on; `end` is more than that."""
        builder = self.builder
        before, loop, after = builder.block, builder.append_basic_block("loop"), builder.append_basic_block("after")
        builder.branch(loop)
        builder.position_at_end(loop)
        k, now = builder.phi(INTEGER), [builder.phi(self.vector) for _ in values]
        results = step(k, now)
        following = builder.add(k, integer(1))
        _not_unrolled(builder.cbranch(builder.icmp_signed("<", following, end), loop, after))
        for phi, start, result in zip([k, *now], [integer(first), *values], [following, *results], strict=True):
            phi.add_incoming(start, before)
            phi.add_incoming(result, loop)
        builder.position_at_end(after)
        return results

    def plus(self, total, a, b):
        """total + a * b, in one instruction where there is one."""
        return self.builder.fadd(total, self.times(a, b), flags=("contract",))

    def times(self, a, b):
        """a * b, which may be one instruction with a sum."""
        return self.builder.fmul(a, b, flags=("contract",))

    def element(self, array, i):
        """Address of array[i], of a contiguous one."""
        return self.builder.gep(array.data, [i])

    def number_at(self, array, i, j):
        """Address of array[i, j], with j a number that is known now; strides are in bytes."""
        row = self.builder.mul(i, cgutils.unpack_tuple(self.builder, array.strides, 2)[0])
        return cgutils.pointer_add(self.builder, array.data, self.builder.add(row, integer(j * self.size)))

    def as_vector(self, address):
        """The address of a number, as that of the vector that begins there."""
        return self.builder.bitcast(address, self.vector.as_pointer())

    def vector_from(self, address):
        """The vector that begins at a number."""
        return self.loaded(self.as_vector(address))

    def loaded(self, address):
        """The vector at an address."""
        return self._aligned(self.builder.load(address))

    def store(self, vector, address):
        """Write a vector to an address."""
        self._aligned(self.builder.store(vector, address))

    def _aligned(self, instruction):
        instruction.align = self.size  # of a number: a row may start anywhere
        return instruction

    def in_all_lanes(self, address):
        """A vector of the same number, which is at an address."""
        return self._in_all_lanes(self.builder.load(address))

    def lanes_from(self, first):
        """For each lane, whether it is this one or a later one."""
        number = self._in_all_lanes(first)
        return self.builder.icmp_signed(">=", ir.Constant(number.type, list(range(self.lanes))), number)

    def _in_all_lanes(self, value):
        undefined, index = ir.Constant(ir.VectorType(value.type, self.lanes), ir.Undefined), ir.IntType(32)
        one = self.builder.insert_element(undefined, value, ir.Constant(index, 0))
        return self.builder.shuffle_vector(one, undefined, ir.Constant(ir.VectorType(index, self.lanes), [0] * self.lanes))


def _not_unrolled(branch):
    """Two steps of a loop in one would want more registers than there are: the compiler then puts numbers into memory, and back."""
    module = branch.function.module
    wish = module.add_metadata([ir.MetaDataString(module, "llvm.loop.unroll.disable")])
    loop = ir.MDValue(module, [wish], name=str(len(module.metadata)))
    loop.operands = (loop, wish)  # the first is the loop itself, as LLVM wants it
    branch.set_metadata("llvm.loop", loop)


def arrays_of(context, builder, signature, arguments, which):
    """Some of the arguments, by their numbers, as arrays."""
    return [context.make_array(signature.args[k])(context, builder, arguments[k]) for k in which]


def _lanes(_, array):
    def generate(context, builder, signature, arguments):
        return integer(BYTES // context.get_abi_sizeof(context.get_value_type(array.dtype)))

    return types.intp(array), generate


# lanes(array): how many of its numbers a vector holds; a constant, so that the compiler makes one move of a loop over them
lanes: Any = intrinsic(_lanes)


def _move(_, x, i, y, j):
    def generate(context, builder, signature, arguments):
        source, target = arrays_of(context, builder, signature, arguments, (0, 2))
        code = Code(context, builder, signature.args[0].dtype)
        vector = code.vector_from(code.element(source, arguments[1]))
        code.store(vector, code.as_vector(code.element(target, arguments[3])))
        return context.get_dummy_value()

    return types.void(x, i, y, j), generate


# move(x, i, y, j): one vector, y[j : j + lanes] = x[i : i + lanes], of flat arrays
move: Any = intrinsic(_move)


def integer(value: int) -> ir.Constant:
    """A number that is known now."""
    return ir.Constant(INTEGER, value)
