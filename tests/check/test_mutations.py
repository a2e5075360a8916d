"""The checks are checked: every mistake of the list is caught, or is no mistake, for the reason given."""

import ast
from collections import Counter
from textwrap import dedent

import pytest

from xception_np import implementations, ops
from xception_np.check import mutations
from xception_np.check.mutation_operators import OPERATORS

MORE_TILES = "the pass is cut into other tiles, with the same results"
MORE_ROWS = "the panel has more rows than the tile needs; the gather takes what it needs"
AT_ZERO = "both branches agree at 0"
COPIED_LESS = "the slice may be longer: the loop runs over the width of a segment"

# (place, line, changed line): why the change makes no difference. A line stands once for every place where it survives.
EQUIVALENT = [
    (
        "avg_pool.cpu.forward",
        "threads.for_tiles(tile_forward, threads.image_tiles(*y.shape[:3]))",
        "threads.for_tiles(tile_forward, threads.image_tiles(*y.shape[:4]))",
        MORE_TILES,
    ),
    (
        "avg_pool.cpu.backward",
        "threads.for_tiles(tile_backward, threads.image_tiles(*x_shape[:3]))",
        "threads.for_tiles(tile_backward, threads.image_tiles(*x_shape[:4]))",
        MORE_TILES,
    ),
    (
        "batch_norm.cpu._spans",
        "return threads.spans(x.size // x.shape[-1], max(1, threads.NUMBERS // x.shape[-1]))",
        "return threads.spans(x.size // x.shape[-1], min(1, threads.NUMBERS // x.shape[-1]))",
        MORE_TILES,
    ),
    (
        "batch_norm.cpu._spans",
        "return threads.spans(x.size // x.shape[-1], max(1, threads.NUMBERS // x.shape[-1]))",
        "return threads.spans(x.size // x.shape[-1], max(2, threads.NUMBERS // x.shape[-1]))",
        MORE_TILES,
    ),
    (
        "batch_norm.cpu._spans",
        "return threads.spans(x.size // x.shape[-1], max(1, threads.NUMBERS // x.shape[-1]))",
        "return threads.spans(x.size // x.shape[-1], max(1, threads.NUMBERS // x.shape[0]))",
        MORE_TILES,
    ),
    (
        "concat.cpu._in_spans",
        "spans = threads.spans(len(source_rows), max(1, threads.NUMBERS // source.shape[3]))",
        "spans = threads.spans(len(source_rows), min(1, threads.NUMBERS // source.shape[3]))",
        MORE_TILES,
    ),
    (
        "concat.cpu._in_spans",
        "spans = threads.spans(len(source_rows), max(1, threads.NUMBERS // source.shape[3]))",
        "spans = threads.spans(len(source_rows), max(2, threads.NUMBERS // source.shape[3]))",
        MORE_TILES,
    ),
    (
        "depthwise_conv.cpu.forward",
        "threads.for_tiles(lambda tile: forward_tile(x_wide, weight, geometry, tile, tile.of(y)), threads.image_tiles(*y.shape[:3]))",
        "threads.for_tiles(lambda tile: forward_tile(x_wide, weight, geometry, tile, tile.of(y)), threads.image_tiles(*y.shape[:4]))",
        MORE_TILES,
    ),
    (
        "depthwise_conv.cpu.backward",
        "threads.for_tiles(tile_dx, threads.image_tiles(*x.shape[:3]))",
        "threads.for_tiles(tile_dx, threads.image_tiles(*x.shape[:4]))",
        MORE_TILES,
    ),
    (
        "depthwise_conv.cpu.backward",
        "if multiplier > 1:",
        "if multiplier >= 1:",
        "a sum over an axis of one",
    ),
    (
        "dropout.cpu._drop",
        "words = np.empty(4, np.uint64)",
        "words = np.empty(5, np.uint64)",
        "one word is never used",
    ),
    (
        "elu.reference.forward",
        "y = np.where(x > 0, x, np.expm1(np.minimum(x, 0)))",
        "y = np.where(x >= 0, x, np.expm1(np.minimum(x, 0)))",
        AT_ZERO,
    ),
    (
        "elu.reference.forward",
        "y = np.where(x > 0, x, np.expm1(np.minimum(x, 0)))",
        "y = np.where(x > 0, x, np.expm1(np.minimum(x, 1)))",
        "the minimum only spares expm1 the numbers that where() discards",
    ),
    (
        "elu.reference.backward",
        "return np.where(cache.y > 0, dy, dy * (cache.y + 1))",
        "return np.where(cache.y >= 0, dy, dy * (cache.y + 1))",
        AT_ZERO,
    ),
    (
        "elu.cpu.forward_span",
        "y[k] = x[k] if x[k] > 0 else math.expm1(x[k])",
        "y[k] = x[k] if x[k] >= 0 else math.expm1(x[k])",
        AT_ZERO,
    ),
    (
        "elu.cpu.backward_span",
        "dx[k] = dy[k] if y[k] > 0 else dy[k] * (y[k] + 1)",
        "dx[k] = dy[k] if y[k] >= 0 else dy[k] * (y[k] + 1)",
        AT_ZERO,
    ),
    (
        "global_avg_pool.cpu.forward",
        "threads.for_tiles(lambda images: _forward(x[images], y[images]), threads.spans(len(x), 1))",
        "threads.for_tiles(lambda images: _forward(x[images], y[images]), threads.spans(len(x), 2))",
        MORE_TILES,
    ),
    (
        "global_avg_pool.cpu.backward",
        "threads.for_tiles(lambda images: _backward(dy[images], dx[images]), threads.spans(len(dx), 1))",
        "threads.for_tiles(lambda images: _backward(dy[images], dx[images]), threads.spans(len(dx), 2))",
        MORE_TILES,
    ),
    (
        "grouped_conv.cpu.forward",
        "threads.for_tiles(tile_forward, threads.image_tiles(*y.shape[:3]))",
        "threads.for_tiles(tile_forward, threads.image_tiles(*y.shape[:4]))",
        MORE_TILES,
    ),
    (
        "grouped_conv.cpu.backward",
        "last = min(dy.shape[1], (tile.h1 - 1 + top) // sh + 1)",
        "last = max(dy.shape[1], (tile.h1 - 1 + top) // sh + 1)",
        MORE_ROWS,
    ),
    (
        "grouped_conv.cpu.backward",
        "last = min(dy.shape[1], (tile.h1 - 1 + top) // sh + 1)",
        "last = min(dy.shape[1], (tile.h1 - 1 + top) // sh + 2)",
        MORE_ROWS,
    ),
    (
        "grouped_conv.cpu.backward",
        "first = max(0, -((geometry.extent[0] - 1 - tile.h0 - top) // sh))",
        "first = max(0, -((geometry.extent[0] - 1 - tile.h0 + top) // sh))",
        MORE_ROWS,
    ),
    (
        "grouped_conv.cpu.backward",
        "first = max(0, -((geometry.extent[0] - 1 - tile.h0 - top) // sh))",
        "first = max(0, -((geometry.extent[0] - 1 - tile.h0) // sh))",
        MORE_ROWS,
    ),
    (
        "grouped_conv.cpu.backward",
        "first = max(0, -((geometry.extent[0] - 1 - tile.h0 - top) // sh))",
        "first = max(0, -(top // sh))",
        MORE_ROWS,
    ),
    (
        "grouped_conv.cpu.backward",
        "last = min(dy.shape[1], (tile.h1 - 1 + top) // sh + 1)",
        "last = min(dy.shape[1], (tile.h1 - 1 + top) // 1 + 1)",
        MORE_ROWS,
    ),
    (
        "grouped_conv.cpu.backward",
        "first = max(0, -((geometry.extent[0] - 1 - tile.h0 - top) // sh))",
        "first = max(0, -((geometry.extent[0] - 1 + tile.h0 - top) // sh))",
        MORE_ROWS,
    ),
    (
        "grouped_conv.cpu.backward",
        "first = max(0, -((geometry.extent[0] - 1 - tile.h0 - top) // sh))",
        "first = max(0, -((geometry.extent[0] - 1 - top) // sh))",
        MORE_ROWS,
    ),
    (
        "grouped_conv.cpu.backward",
        "last = min(dy.shape[1], (tile.h1 - 1 + top) // sh + 1)",
        "last = min(dy.shape[1], (tile.h1 + 1 + top) // sh + 1)",
        MORE_ROWS,
    ),
    (
        "grouped_conv.cpu.backward",
        "last = min(dy.shape[1], (tile.h1 - 1 + top) // sh + 1)",
        "last = min(dy.shape[1], (tile.h1 + top) // sh + 1)",
        MORE_ROWS,
    ),
    (
        "grouped_conv.cpu.backward",
        "last = min(dy.shape[1], (tile.h1 - 1 + top) // sh + 1)",
        "last = min(dy.shape[1], (tile.h1 - 1 + (top + 1)) // sh + 1)",
        MORE_ROWS,
    ),
    (
        "grouped_conv.cpu.backward",
        "first = max(0, -((geometry.extent[0] - 1 - tile.h0 - top) // sh))",
        "first = max(0, -((geometry.extent[0] + 1 - tile.h0 - top) // sh))",
        MORE_ROWS,
    ),
    (
        "grouped_conv.cpu.backward",
        "first = max(0, -((geometry.extent[0] - 1 - tile.h0 - top) // sh))",
        "first = max(0, -((geometry.extent[0] - tile.h0 - top) // sh))",
        MORE_ROWS,
    ),
    (
        "grouped_conv.cpu.backward",
        "for part in tile.cut(dy.shape[2]):",
        "for part in tile.cut(dy.shape[3]):",
        MORE_TILES,
    ),
    (
        "grouped_conv.cpu.backward",
        "threads.for_tiles(tile_dx, threads.image_tiles(*x.shape[:3]))",
        "threads.for_tiles(tile_dx, threads.image_tiles(*x.shape[:4]))",
        MORE_TILES,
    ),
    (
        "grouped_conv.cpu._im2col",
        "pixel = x[n, h, w, s * width:(s + 1) * width]",
        "pixel = x[n, h, w, s * width:(s + 2) * width]",
        COPIED_LESS,
    ),
    (
        "grouped_conv.cpu._gather",
        "segment = pixel[s * width:(s + 1) * width]",
        "segment = pixel[s * width:(s + 2) * width]",
        COPIED_LESS,
    ),
    (
        "max_pool.reference.forward",
        "y = np.full(output_shape(x.shape, geometry), -np.inf, x.dtype)",
        "y = np.full(output_shape(x.shape, geometry), np.inf, x.dtype)",
        "the first tap wins over anything",
    ),
    (
        "max_pool.cpu.forward",
        "threads.for_tiles(tile_forward, threads.image_tiles(*y.shape[:3]))",
        "threads.for_tiles(tile_forward, threads.image_tiles(*y.shape[:4]))",
        MORE_TILES,
    ),
    (
        "max_pool.cpu.backward",
        "threads.for_tiles(tile_backward, threads.image_tiles(*x_shape[:3]))",
        "threads.for_tiles(tile_backward, threads.image_tiles(*x_shape[:4]))",
        MORE_TILES,
    ),
    (
        "max_pool.cpu._forward",
        "continue",
        "pass",
        "the first tap does not win over itself",
    ),
    (
        "pointwise_conv.cpu.product_over_positions",
        "size = max(threads.POSITIONS, -(-len(x_rows) // threads.PARTIALS))",
        "size = min(threads.POSITIONS, -(-len(x_rows) // threads.PARTIALS))",
        MORE_TILES,
    ),
    (
        "pointwise_conv.cpu.product_over_positions",
        "size = max(threads.POSITIONS, -(-len(x_rows) // threads.PARTIALS))",
        "size = max(threads.POSITIONS, -len(x_rows) // threads.PARTIALS)",
        MORE_TILES,
    ),
    (
        "pointwise_conv.cpu.product_over_positions",
        "size = max(threads.POSITIONS, -(-len(x_rows) // threads.PARTIALS))",
        "size = max(threads.POSITIONS, -(len(x_rows) // threads.PARTIALS))",
        MORE_TILES,
    ),
    (
        "relu.reference.forward",
        "y = np.where(x <= 0, x.dtype.type(0), x)",
        "y = np.where(x < 0, x.dtype.type(0), x)",
        "0 is 0 on either branch",
    ),
    (
        "relu.cpu.forward_span",
        "y[k] = 0 if x[k] <= 0 else x[k]",
        "y[k] = 0 if x[k] < 0 else x[k]",
        "0 is 0 on either branch",
    ),
    (
        "separable_conv.cpu._spatial_first",
        "threads.for_tiles(tile_forward, threads.image_tiles(*shape[:3]))",
        "threads.for_tiles(tile_forward, threads.image_tiles(*shape[:4]))",
        MORE_TILES,
    ),
    (
        "separable_conv.cpu._spatial_first_backward",
        "for part in tile.cut(dy.shape[2]):",
        "for part in tile.cut(dy.shape[3]):",
        MORE_TILES,
    ),
    (
        "sigmoid_cross_entropy.reference.forward",
        "probabilities = np.where(logits < 0, small, 1) / (1 + small)",
        "probabilities = np.where(logits <= 0, small, 1) / (1 + small)",
        AT_ZERO,
    ),
    (
        "sigmoid_cross_entropy.cpu._forward",
        "probabilities[k] = (small if logits[k] < 0 else 1) / (1 + small)",
        "probabilities[k] = (small if logits[k] <= 0 else 1) / (1 + small)",
        AT_ZERO,
    ),
    (
        "sigmoid_cross_entropy.cpu._forward",
        "losses[k] = (0 if logits[k] < 0 else logits[k]) - logits[k] * targets[k] + math.log1p(small)",
        "losses[k] = (0 if logits[k] <= 0 else logits[k]) - logits[k] * targets[k] + math.log1p(small)",
        AT_ZERO,
    ),
    (
        "softmax_cross_entropy.cpu._spans",
        "return threads.spans(len(rows), max(1, threads.NUMBERS // rows.shape[1]))",
        "return threads.spans(len(rows), min(1, threads.NUMBERS // rows.shape[1]))",
        MORE_TILES,
    ),
    (
        "softmax_cross_entropy.cpu._spans",
        "return threads.spans(len(rows), max(1, threads.NUMBERS // rows.shape[1]))",
        "return threads.spans(len(rows), max(2, threads.NUMBERS // rows.shape[1]))",
        MORE_TILES,
    ),
    (
        "softmax_cross_entropy.cpu._forward",
        "for k in range(row.size):",
        "for k in range(0 + 1, row.size):",
        "the search starts from the first logit",
    ),
    (
        "softmax_cross_entropy.cpu._forward",
        "total = largest * 0",
        "total = 0",
        "Numba wants the 0 to be of the type of the logits",
    ),
    (
        "softmax_cross_entropy.cpu._forward",
        "mean = largest * 0",
        "mean = 0",
        "Numba wants the 0 to be of the type of the logits",
    ),
    (
        "softmax_cross_entropy.cpu._forward",
        "if row[k] > largest or row[k] != row[k]:",
        "if row[k] >= largest or row[k] != row[k]:",
        "equal numbers: either is the largest",
    ),
]


@pytest.mark.parametrize("implementation", implementations.NAMES)
@pytest.mark.parametrize("operation", ops.__all__)
def test_every_mutant_is_caught_or_equivalent(operation, implementation):
    survivors = mutations.survivors(operation, implementation)
    found = Counter((mutant.place, mutant.before, mutant.after) for mutant in survivors)
    listed = Counter(tuple(entry[:3]) for entry in EQUIVALENT if entry[0].startswith(f"{operation}.{implementation}."))
    assert found == listed


@pytest.mark.parametrize("implementation", implementations.NAMES)
@pytest.mark.parametrize("operation", ops.__all__)
def test_the_unchanged_program_passes(operation, implementation):
    """Run as the mutants are, without Numba and in poisoned memory: otherwise being caught would mean nothing."""
    mutant = mutations.Mutant("none", "", "", "", mutations.plain(operation, implementation))
    assert not mutations.is_caught(mutant, operation, implementation)


@pytest.mark.parametrize("implementation", implementations.NAMES)
@pytest.mark.parametrize("operation", ops.__all__)
def test_no_mutant_can_hang(operation, implementation):
    """Loops over ranges end, whatever the mutation; a `while` might not."""
    tree = mutations.plain(operation, implementation)
    assert not any(isinstance(node, ast.While) for node in ast.walk(tree))


def test_every_operator_has_a_site_in_the_operations():
    operators = {
        mutant.operator
        for operation in ops.__all__
        for implementation in implementations.NAMES
        for mutant in mutations.mutants(operation, implementation)
    }
    assert operators == set(OPERATORS)


SOURCE = dedent("""
    def f(x, weight, stride, origin):
        for i in range(3):
            h = i * stride[0] - origin[0]
            if 0 <= h < 4:
                y[h] += weight[i, j].T if x > 0 else -1
        return y, max(x, 0)
""")


@pytest.mark.parametrize(
    ("operator", "changes"),
    [
        ("forgotten +=", ["y[h] = weight[i, j].T if x > 0 else -1"]),
        ("dropped statement", ["pass"]),
        ("flipped kernel", ["weight[-1 - i, -1 - j]"]),
        ("ignored stride", ["1"]),
        ("ignored dilation", []),
        ("off-by-one pad", ["origin[0] + 1"]),
        ("shortened loop", ["range(0 + 1, 3)", "range(0, 3 - 1)"]),
        ("wrong comparison", ["0 < h < 4", "0 <= h <= 4", "x >= 0"]),
        ("plus and minus", ["i * stride[0] + origin[0]", "y[h] -= weight[i, j].T if x > 0 else -1"]),
        ("times and divide", ["i / stride[0]"]),
        ("missing term", ["i * stride[0]", "origin[0]"]),
        ("missing factor", ["i", "stride[0]"]),
        ("swapped results", ["return (max(x, 0), y)"]),
        ("dropped transpose", ["weight[i, j]"]),
        ("wrong reduction", ["min"]),
        ("wrong logic", []),
        ("swapped branches", ["-1 if x > 0 else weight[i, j].T"]),
    ],
)
def test_operators(operator, changes):
    found = [
        ast.unparse(ast.fix_missing_locations(replacement))
        for name, function, _, replacement in mutations.sites(SOURCE)
        if name == operator and function == "f"
    ]
    assert sorted(found) == sorted(changes)


def test_a_module_gets_its_contents_back():
    before = dict(vars(mutations._module("relu", "reference")))
    for mutant in mutations.mutants("relu", "reference"):
        assert mutations.is_caught(mutant, "relu", "reference") == (mutant.after != "y = np.where(x < 0, x.dtype.type(0), x)")
    assert vars(mutations._module("relu", "reference")) == before


def test_the_table_adds_up():
    lines = mutations.table(mutations.verdicts("conv", "reference")).splitlines()
    assert lines[0].split() == ["mutation", "sites", "caught", "survived"]
    rows = [[int(cell) for cell in line.split()[-3:]] for line in lines[1:]]
    assert [sum(column) for column in zip(*rows[:-1], strict=True)] == rows[-1]
    assert rows[-1][0] == rows[-1][1] > 10
    assert "forgotten +=" in lines[1]
