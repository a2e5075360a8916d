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
    """A compiled function block(x, places, steps, b, y, targets, i, vectors, left, add), so many vectors wide:

        y[targets[i + r] + n] = sum over k of x[places[i + r] + steps[k]] * b[k, n], or += if `add`

    x and y are flat arrays, b (K, columns) is contiguous. The block is rows[0] rows high if one vector wide, rows[1] if two, and
    so on. Of the last vector, y has only so many numbers as are left. If `in_lanes`, x[p] stands for the vector that begins at
    number p.
    """

    def generate(context, builder, signature, arguments):
        x, places, steps, b, y, targets = arrays_of(context, builder, signature, arguments, range(6))
        i, vectors, left, add = arguments[6:]
        code = Code(context, builder, signature.args[0].dtype)
        read = code.vector_from if in_lanes else code.in_all_lanes

        last_row = builder.sub(cgutils.unpack_tuple(builder, targets.shape, 1)[0], integer(1))

        def start(array, table, row):
            return code.element(array, builder.load(code.element(table, row)))

        def of_height(height, width):
            rows = [builder.add(i, integer(r)) for r in range(height)]
            below = [code.smaller(builder.add(row, integer(height)), last_row) for row in rows]
            x_rows, y_rows = [start(x, places, row) for row in rows], [start(y, targets, row) for row in rows]
            rows_below = [start(y, targets, row) for row in below]
            product = _Product(
                step=lambda k: builder.load(code.element(steps, k)),
                a=lambda r, step: read(builder.gep(x_rows[r], [step])),
                b=lambda k, v: code.vector_from(code.number_at(b, k, v * code.lanes)),
                y=lambda r, v: code.as_vector(builder.gep(y_rows[r], [integer(v * code.lanes)])),
                y_below=lambda r, v: builder.gep(rows_below[r], [integer(v * code.lanes)]),
                depth=cgutils.unpack_tuple(builder, steps.shape, 1)[0],
                left=left,
            )
            code.block(product, add, height, width)

        return code.choice(vectors, rows, of_height)

    def typed(_, x, places, steps, b, y, targets, i, vectors, left, add):
        if not x.dtype == b.dtype == y.dtype:
            return None  # not for these arguments: a TypingError
        return types.void(x, places, steps, b, y, targets, i, vectors, left, add), generate

    return intrinsic(typed)


class _Product(NamedTuple):
    """What a block reads and writes.

    step : how far step(k) is from where a row of a begins
    a, b, y : vectors a(r, step(k)) and b(k, v) in registers, the address y(r, v), of row r and the v-th vector of a row
    y_below : the same address of the block below
    depth : how many steps
    left : of the last vector of a row of y, numbers that are there
    """

    step: Callable
    a: Callable
    b: Callable
    y: Callable
    y_below: Callable
    depth: ir.Value
    left: ir.Value


class Code:
    """Writes instructions for vectors of one kind of number."""

    def __init__(self, context, builder, kind):
        self.context, self.builder, self.number = context, builder, context.get_value_type(kind)
        self.size = context.get_abi_sizeof(self.number)
        self.lanes = BYTES // self.size
        self.vector = ir.VectorType(self.number, self.lanes)
        self.zeros = ir.Constant(self.vector, [0.0] * self.lanes)
        self._name = f"v{self.lanes}f{8 * self.size}"

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
        builder, places, last = self.builder, [(r, v) for r in range(rows) for v in range(vectors)], vectors - 1
        there, all_there = self.lanes_below(product.left), builder.icmp_signed("==", product.left, integer(self.lanes))

        def before():
            for r, v in places:
                self.fetch(product.y_below(r, v))
            return [self.loaded_where(there, product.y(r, v)) if v == last else self.loaded(product.y(r, v)) for r, v in places]

        start = self.zeros_or(add, before, len(places))

        def step(k, sums):
            b_vectors, step = [product.b(k, v) for v in range(vectors)], product.step(k)
            a_vectors = [product.a(r, step) for r in range(rows)]
            return [self.plus(total, a_vectors[r], b_vectors[v]) for total, (r, v) in zip(sums, places, strict=True)]

        results = dict(zip(places, self.loop(0, product.depth, start, step), strict=True))
        for r, v in places:
            if v != last:
                self.store(results[r, v], product.y(r, v))
        with builder.if_else(all_there) as (then, otherwise):
            with then:
                for r in range(rows):
                    self.store(results[r, last], product.y(r, last))
            with otherwise:
                for r in range(rows):
                    self.store_where(there, results[r, last], product.y(r, last))

    def zeros_or(self, condition, vectors, count):
        """So many vectors of 0, or what vectors() gives where the condition is true: only then is anything read."""
        builder, before = self.builder, self.builder.block
        read, after = builder.append_basic_block("read"), builder.append_basic_block("started")
        builder.cbranch(condition, read, after)
        builder.position_at_end(read)
        found = vectors()
        builder.branch(after)
        builder.position_at_end(after)
        starts = [builder.phi(self.vector) for _ in range(count)]
        for start, vector in zip(starts, found, strict=True):
            start.add_incoming(self.zeros, before)
            start.add_incoming(vector, read)
        return starts

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

    def sum(self, a, b):
        """a + b"""
        return self.builder.fadd(a, b)

    def minus(self, a, b):
        """a - b"""
        return self.builder.fsub(a, b)

    def half(self, a):
        """a / 2, exactly"""
        return self.builder.fmul(a, ir.Constant(self.vector, [0.5] * self.lanes))

    def fetch(self, address):
        """Ask for the line of an address, and do not wait."""
        number = ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [ir.IntType(8).as_pointer(), number, number, number])
        function = cgutils.get_or_insert_function(self.builder.module, kind, "llvm.prefetch.p0i8")
        place = self.builder.bitcast(address, ir.IntType(8).as_pointer())
        self.builder.call(function, [place, number(0), number(3), number(1)])  # to read; into all caches; data

    def smaller(self, a, b):
        """The smaller one of two whole numbers."""
        return self.builder.select(self.builder.icmp_signed("<", a, b), a, b)

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

    def loaded_where(self, condition, address):
        """The vector at an address, of those lanes for which a condition is true; the others are not read, and 0."""
        vector, size = self.vector, ir.IntType(32)
        kind = ir.FunctionType(vector, [address.type, size, condition.type, vector])
        function = cgutils.get_or_insert_function(self.builder.module, kind, f"llvm.masked.load.{self._name}.p0{self._name}")
        return self.builder.call(function, [address, size(self.size), condition, self.zeros])

    def store_where(self, condition, vector, address):
        """Write those lanes of a vector for which a condition is true."""
        size = ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [vector.type, address.type, size, condition.type])
        function = cgutils.get_or_insert_function(self.builder.module, kind, f"llvm.masked.store.{self._name}.p0{self._name}")
        self.builder.call(function, [vector, address, size(self.size), condition])

    def _aligned(self, instruction):
        instruction.align = self.size  # of a number: a row may start anywhere
        return instruction

    def in_all_lanes(self, address):
        """A vector of the same number, which is at an address."""
        return self.in_every_lane(self.builder.load(address))

    def lanes_from(self, first):
        """For each lane, whether it is this one or a later one."""
        return self._lane_numbers(">=", first)

    def lanes_below(self, end):
        """For each lane, whether it is one before this one."""
        return self._lane_numbers("<", end)

    def _lane_numbers(self, compared, other):
        number = self.in_every_lane(other)
        return self.builder.icmp_signed(compared, ir.Constant(number.type, list(range(self.lanes))), number)

    def shuffled(self, a, b, lanes):
        """A vector of those lanes of a, and after them b."""
        return self.builder.shuffle_vector(a, b, ir.Constant(ir.VectorType(ir.IntType(32), self.lanes), lanes))

    def in_every_lane(self, value):
        """A vector of the same value."""
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
        code, source, target = _places(context, builder, signature, arguments)
        code.store(code.loaded(source), target)
        return context.get_dummy_value()

    return types.void(x, i, y, j), generate


def _move_some(_, x, i, y, j, count):
    def generate(context, builder, signature, arguments):
        code, source, target = _places(context, builder, signature, arguments)
        code.store(code.loaded_where(code.lanes_below(arguments[4]), source), target)
        return context.get_dummy_value()

    return types.void(x, i, y, j, count), generate


def _places(context, builder, signature, arguments):
    """For (x, i, y, j, ...): who writes code for such numbers, and the addresses of two vectors."""
    code = Code(context, builder, signature.args[0].dtype)
    source, target = arrays_of(context, builder, signature, arguments, (0, 2))
    return code, code.as_vector(code.element(source, arguments[1])), code.as_vector(code.element(target, arguments[3]))


# move(x, i, y, j): one vector, y[j : j + lanes] = x[i : i + lanes], of flat arrays
move: Any = intrinsic(_move)
# move_some(x, i, y, j, count): the same of so many numbers, and 0 behind them
move_some: Any = intrinsic(_move_some)


def integer(value: int) -> ir.Constant:
    """A number that is known now."""
    return ir.Constant(INTEGER, value)
