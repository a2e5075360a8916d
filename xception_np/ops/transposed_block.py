"""A block of numbers that is turned around in the vector registers: from segment by segment to lane by lane, and back.

    segments one after the other, `width` numbers each          vectors, a lane for each segment

    s = 0:  a b c                                                c = 0:  a d g ...
    s = 1:  d e f               to_lanes -->                     c = 1:  b e h ...
    s = 2:  g h i               <-- from_lanes                   c = 2:  c f i ...

As many segments as a vector has lanes, and as many numbers of each, are loaded as rows of a square. It is turned in log2(lanes)
rounds: the first exchanges its upper right quarter with the lower left one, the next does the same in each quarter, and so on to
squares of 2 x 2. A round is one instruction for each row; number by number, each would be loaded and stored alone.
"""

from typing import Any

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from xception_np.ops.register_block import Code, arrays_of, integer


def _transposed(code: Code, rows: list[ir.Value]) -> list[ir.Value]:
    """The vectors of a square, each of which was a column."""
    distance = code.lanes // 2
    while distance:
        upper = [lane if not lane & distance else code.lanes + lane - distance for lane in range(code.lanes)]
        lower = [lane + distance if not lane & distance else code.lanes + lane for lane in range(code.lanes)]
        turned = list(rows)
        for k in range(code.lanes):
            if not k & distance:
                pair = rows[k], rows[k + distance]
                turned[k], turned[k + distance] = code.shuffled(*pair, upper), code.shuffled(*pair, lower)
        rows, distance = turned, distance // 2
    return rows


def _store_first(code: Code, count: ir.Value, vectors: list[ir.Value], store) -> None:
    """store(k, vector) for so many of them: one at least."""
    builder, done = code.builder, code.builder.append_basic_block("stored")
    for k, vector in enumerate(vectors):
        store(k, vector)
        following = builder.append_basic_block(f"after_{k}")
        builder.cbranch(builder.icmp_signed("<=", count, integer(k + 1)), done, following)
        builder.position_at_end(following)
    builder.branch(done)
    builder.position_at_end(done)


def _to_lanes(_, x, i, width, columns, segments, y, j):
    if x.dtype != y.dtype:
        return None  # not for these arguments: a TypingError

    def generate(context, builder, signature, arguments):
        x, y = arrays_of(context, builder, signature, arguments, (0, 5))
        _, i, width, columns, segments, _, j = arguments
        code = Code(context, builder, signature.args[0].dtype)
        wanted, there = code.lanes_below(columns), code.lanes_below(segments)
        rows = []
        for s in range(code.lanes):
            address = code.as_vector(code.element(x, builder.add(i, builder.mul(width, integer(s)))))
            exists = code.in_every_lane(builder.extract_element(there, ir.IntType(32)(s)))
            rows.append(code.loaded_where(builder.and_(wanted, exists), address))

        def store(c, vector):
            code.store(vector, code.as_vector(code.element(y, builder.add(j, integer(c * code.lanes)))))

        _store_first(code, columns, _transposed(code, rows), store)
        return context.get_dummy_value()

    return types.void(x, i, width, columns, segments, y, j), generate


def _from_lanes(_, y, j, x, i, width, columns, segments):
    if x.dtype != y.dtype:
        return None

    def generate(context, builder, signature, arguments):
        y, x = arrays_of(context, builder, signature, arguments, (0, 2))
        _, j, _, i, width, columns, segments = arguments
        code = Code(context, builder, signature.args[0].dtype)
        rows = [code.vector_from(code.element(y, builder.add(j, integer(c * code.lanes)))) for c in range(code.lanes)]
        wanted = code.lanes_below(columns)

        def store(s, vector):
            code.store_where(wanted, vector, code.as_vector(code.element(x, builder.add(i, builder.mul(width, integer(s))))))

        _store_first(code, segments, _transposed(code, rows), store)
        return context.get_dummy_value()

    return types.void(y, j, x, i, width, columns, segments), generate


# Flat arrays; columns and segments are 1 to lanes, and other lanes become 0:
# to_lanes(x, i, width, columns, segments, y, j): y[j + c*lanes + s] = x[i + s*width + c] for c < columns, s < segments
to_lanes: Any = intrinsic(_to_lanes)
# from_lanes(y, j, x, i, width, columns, segments): x[i + s*width + c] = y[j + c*lanes + s] for c < columns, s < segments; a whole
# square is read from y
from_lanes: Any = intrinsic(_from_lanes)
