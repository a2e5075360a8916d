"""A block of numbers that is turned around in the vector registers: from segment by segment to lane by lane, and back.

    segments one after the other, `width` numbers each          vectors, a lane for each segment

    s = 0:  a b c                                                c = 0:  a d g ...
    s = 1:  d e f               to_lanes -->                     c = 1:  b e h ...
    s = 2:  g h i               <-- from_lanes                   c = 2:  c f i ...

As many segments as a vector has lanes, and as many numbers of each, are loaded as rows of a square. It is turned in log2(lanes)
rounds: the first exchanges its upper right quarter with the lower left one, the next does the same in each quarter, and so on to
squares of 2 x 2. A round is one instruction for each row; number by number, each would be loaded and stored alone.

Segments of 1, 2, 4, ... numbers, up to a vector's lanes, fill whole vectors: as many of these as a segment has numbers. They are
dealt out: a round takes every second number of two neighbouring vectors into one, and what is left of them into another.

    a b d e | g h j k    deal -->    a d g j | b e h k        two vectors of four lanes, two numbers in a segment
                      <-- collect
"""

from typing import Any

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from xception_np.ops import register_block
from xception_np.ops.compile import compiled_apart, compiled_with
from xception_np.ops.register_block import Code, arrays_of, integer, lanes


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


def _to_lanes(_, x, i, width, columns, segments, y, j, apart):
    if x.dtype != y.dtype:
        return None  # not for these arguments: a TypingError

    def generate(context, builder, signature, arguments):
        x, y = arrays_of(context, builder, signature, arguments, (0, 5))
        _, i, width, columns, segments, _, j, apart = arguments
        code = Code(context, builder, signature.args[0].dtype)
        wanted, there = code.lanes_below(columns), code.lanes_below(segments)
        rows = []
        for s in range(code.lanes):
            address = code.as_vector(code.element(x, builder.add(i, builder.mul(width, integer(s)))))
            exists = code.in_every_lane(builder.extract_element(there, ir.IntType(32)(s)))
            rows.append(code.loaded_where(builder.and_(wanted, exists), address))

        def store(c, vector):
            code.store(vector, code.as_vector(code.element(y, builder.add(j, builder.mul(apart, integer(c))))))

        _store_first(code, columns, _transposed(code, rows), store)
        return context.get_dummy_value()

    return types.void(x, i, width, columns, segments, y, j, apart), generate


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


def _dealt(code: Code, vectors: list[ir.Value]) -> list[ir.Value]:
    """The first number of every segment in the first vector, the second ones in the next, and so on: 1, 2, 4, ... vectors."""
    even, odd = list(range(0, 2 * code.lanes, 2)), list(range(1, 2 * code.lanes, 2))
    for _ in range(len(vectors).bit_length() - 1):
        pairs = list(zip(vectors[::2], vectors[1::2], strict=True))
        vectors = [code.shuffled(*pair, lanes) for lanes in (even, odd) for pair in pairs]
    return vectors


def _collected(code: Code, vectors: list[ir.Value]) -> list[ir.Value]:
    """The other way round."""
    zipped = [lane for pair in zip(range(code.lanes), range(code.lanes, 2 * code.lanes), strict=True) for lane in pair]
    half = len(vectors) // 2
    for _ in range(len(vectors).bit_length() - 1):
        pairs = zip(vectors[:half], vectors[half:], strict=True)
        vectors = [code.shuffled(*pair, zipped[part:][: code.lanes]) for pair in pairs for part in (0, code.lanes)]
    return vectors


def _for_each_width(code: Code, width: ir.Value, function) -> None:
    """function(width) for a width of 1, 2, 4, ..., up to a vector's lanes; nothing for others."""
    builder = code.builder
    done = builder.append_basic_block("done")
    choice = builder.switch(width, done)
    for count in (2**k for k in range(code.lanes.bit_length())):
        case = builder.append_basic_block(f"width_{count}")
        choice.add_case(integer(count), case)
        builder.position_at_end(case)
        function(count)
        builder.branch(done)
    builder.position_at_end(done)


def _deal(_, x, i, width, segments, y, j):
    if x.dtype != y.dtype:
        return None

    def generate(context, builder, signature, arguments):
        x, y = arrays_of(context, builder, signature, arguments, (0, 4))
        _, i, width, segments, _, j = arguments
        code = Code(context, builder, signature.args[0].dtype)
        numbers = builder.mul(width, segments)

        def of_width(count):
            starts = [integer(k * code.lanes) for k in range(count)]
            there = [code.lanes_below(builder.sub(numbers, start)) for start in starts]
            places = [code.as_vector(code.element(x, builder.add(i, start))) for start in starts]
            dealt = _dealt(code, [code.loaded_where(*pair) for pair in zip(there, places, strict=True)])
            for start, vector in zip(starts, dealt, strict=True):
                code.store(vector, code.as_vector(code.element(y, builder.add(j, start))))

        _for_each_width(code, width, of_width)
        return context.get_dummy_value()

    return types.void(x, i, width, segments, y, j), generate


def _collect(_, y, j, x, i, width, segments):
    if x.dtype != y.dtype:
        return None

    def generate(context, builder, signature, arguments):
        y, x = arrays_of(context, builder, signature, arguments, (0, 2))
        _, j, _, i, width, segments = arguments
        code = Code(context, builder, signature.args[0].dtype)
        numbers = builder.mul(width, segments)

        def of_width(count):
            starts = [integer(k * code.lanes) for k in range(count)]
            collected = _collected(code, [code.vector_from(code.element(y, builder.add(j, start))) for start in starts])
            for start, vector in zip(starts, collected, strict=True):
                place = code.as_vector(code.element(x, builder.add(i, start)))
                code.store_where(code.lanes_below(builder.sub(numbers, start)), vector, place)

        _for_each_width(code, width, of_width)
        return context.get_dummy_value()

    return types.void(y, j, x, i, width, segments), generate


# Flat arrays; columns and segments are 1 to lanes, and other lanes become 0:
# to_lanes(x, i, width, columns, segments, y, j, apart): y[j + c*apart + s] = x[i + s*width + c] for c < columns, s < segments
to_lanes: Any = intrinsic(_to_lanes)
# from_lanes(y, j, x, i, width, columns, segments): x[i + s*width + c] = y[j + c*lanes + s] for c < columns, s < segments; a whole
# square is read from y
from_lanes: Any = intrinsic(_from_lanes)
# deal(x, i, width, segments, y, j), collect(y, j, x, i, width, segments): the same for whole segments, if these `_fills_vectors`
deal: Any = intrinsic(_deal)
collect: Any = intrinsic(_collect)


@compiled_with(register_block)
def take_apart(x, group, segments, x_lanes):
    """x_lanes[p, c] = x[p, s*C/S + c] for the segments s of a group, as many as there are lanes; lanes that have none are 0

    x (..., C), C-contiguous; x_lanes is flat.
    """
    numbers, channels, lane_count, width = x.reshape(-1), x.shape[-1], lanes(x), x.shape[-1] // segments
    first, here = group * lane_count * width, min(lane_count, segments - group * lane_count)
    for p in range(numbers.size // channels):
        start, target = p * channels + first, p * width * lane_count
        if _fills_vectors(width, lane_count):
            deal(numbers, start, width, here, x_lanes, target)
        else:
            for c in range(0, width, lane_count):
                columns = min(lane_count, width - c)
                to_lanes(numbers, start + c, width, columns, here, x_lanes, target + c * lane_count, lane_count)


@compiled_with(register_block)
def put_together(y_lanes, group, segments, y):
    """y[p, s*F/S + f] = y_lanes[p, f] for the segments s of a group; of y_lanes, lanes*lanes more numbers may be read"""
    numbers, channels, lane_count, width = y.reshape(-1), y.shape[-1], lanes(y), y.shape[-1] // segments
    first, here = group * lane_count * width, min(lane_count, segments - group * lane_count)
    for p in range(numbers.size // channels):
        start, source = p * channels + first, p * width * lane_count
        if _fills_vectors(width, lane_count):
            collect(y_lanes, source, numbers, start, width, here)
        else:
            for f in range(0, width, lane_count):
                columns = min(lane_count, width - f)
                from_lanes(y_lanes, source + f * lane_count, numbers, start + f, width, columns, here)


@compiled_apart
def _fills_vectors(width, lanes):
    """Whether as many segments as there are lanes fill vectors that are dealt out."""
    return width <= lanes and width & (width - 1) == 0
