"""The checks of CUDA kernels are checked: every mistake is caught, or makes no difference, for the reason that the list gives."""

from collections import Counter
from pathlib import Path
from textwrap import dedent

import numpy as np
import pytest

from xception_np.check import kernel_mutations, mutations
from xception_np.check.kernel_mutation_operators import OPERATORS
from xception_np.check.mutations import Check
from xception_np.emulator.source import without_comments

every_file = pytest.mark.parametrize("file", kernel_mutations.FILES)


@pytest.fixture(autouse=True)
def wrong_numbers_are_expected():
    with np.errstate(all="ignore"):
        yield


@pytest.mark.slow
@every_file
@pytest.mark.usefixtures("needs_compiler")
def test_every_mutant_is_caught_or_equivalent(file, require_listed):
    require_listed(file, kernel_mutations.survivors(file))


@every_file
@pytest.mark.usefixtures("needs_compiler")
def test_the_unchanged_kernels_pass(file):
    """In as many steps as a mutant may take: otherwise being caught would mean nothing."""
    known = kernel_mutations.functions(without_comments(kernel_mutations.path(file).read_text()))
    nothing = kernel_mutations.Mutant("none", file, "", "", "", "", {each.name: each.name for each in known})
    with kernel_mutations.written(file, []) as alone:
        assert not kernel_mutations.is_caught(nothing, alone, kernel_mutations.checks(file))


@every_file
def test_every_function_is_found(file):
    text = without_comments(kernel_mutations.path(file).read_text())
    functions = kernel_mutations.functions(text)
    assert len(functions) == text.count("__global__") + text.count("__device__")
    assert {name for name, _ in (site for function in functions for site in kernel_mutations.sites(function))} <= set(OPERATORS)
    for function in functions:
        assert function.text.count("{") == function.text.count("}")
        assert function.text.endswith("}")


SOURCE = dedent("""
    __device__ REAL twice(REAL x) { return x + x; }

    extern "C" __global__ void __launch_bounds__(64) sums(const REAL* __restrict__ x, REAL* __restrict__ y, long long count,
                                                          int W, int C, int kh, int kw) {
        __shared__ REAL tile[8][8 + 1];
        REAL all[2] = {0, 0};
    #pragma unroll 4
        for (int k = threadIdx.x; k < count && k != 5; k += blockDim.x) {
            const int c = k % C, w = k / C % W;
            if (c < 0 || w >= W) continue;
            tile[threadIdx.y][c] += twice(x[(w * W + 1) * C + c]);
        }
        __syncthreads();  // k < count
        for (int i = 0; i < kh; ++i)
            for (int j = 0; j < kw; ++j) all[0] = tile[i * kw + j][0] > 0 ? all[1] : x[((count + 7 - 1) / 7) / C / W];
        if (threadIdx.x == 0) y[blockIdx.x] = all[0];
    }
""")


@pytest.mark.parametrize(
    ("operator", "changes"),
    [
        ("dropped barrier", [";"]),
        (
            "wrong comparison",
            [
                "for (int k = threadIdx.x; k <= count && k != 5; k += blockDim.x) {",
                "for (int k = threadIdx.x; k < count && k == 5; k += blockDim.x) {",
                "if (c <= 0 || w >= W) continue;",
                "if (c < 0 || w > W) continue;",
                "for (int i = 0; i <= kh; ++i)",
                "for (int j = 0; j <= kw; ++j) all[0] = tile[i * kw + j][0] > 0 ? all[1] : x[((count + 7 - 1) / 7) / C / W];",
                "for (int j = 0; j < kw; ++j) all[0] = tile[i * kw + j][0] >= 0 ? all[1] : x[((count + 7 - 1) / 7) / C / W];",
                "if (threadIdx.x != 0) y[blockIdx.x] = all[0];",
            ],
        ),
        ("dropped guard", ["if (false) continue;", "if (true) y[blockIdx.x] = all[0];"]),
        (
            "dropped clause",
            [
                "for (int k = threadIdx.x; k < count; k += blockDim.x) {",
                "for (int k = threadIdx.x; k != 5; k += blockDim.x) {",
                "if (w >= W) continue;",
                "if (c < 0) continue;",
            ],
        ),
        (
            "swapped strides",
            [
                "const int c = k % C, w = k / W % C;",
                "tile[c][threadIdx.y] += twice(x[(w * W + 1) * C + c]);",
                "tile[threadIdx.y][c] += twice(x[(w * C + 1) * W + c]);",
                "for (int j = 0; j < kw; ++j) all[0] = tile[0][i * kw + j] > 0 ? all[1] : x[((count + 7 - 1) / 7) / C / W];",
            ],
        ),
        (
            "swapped axes",
            [
                "for (int k = threadIdx.y; k < count && k != 5; k += blockDim.x) {",
                "tile[threadIdx.x][c] += twice(x[(w * W + 1) * C + c]);",
                "if (threadIdx.y == 0) y[blockIdx.x] = all[0];",
            ],
        ),
        ("smaller shared array", ["__shared__ REAL tile[8 - 1][8 + 1];", "__shared__ REAL tile[8][8 + 1 - 1];"]),
        (
            "off by one",
            [
                "REAL all[2] = {1, 0};",
                "REAL all[2] = {0, 1};",
                "for (int k = threadIdx.x; k < count && k != 6; k += blockDim.x) {",
                "if (c < 1 || w >= W) continue;",
                "tile[threadIdx.y][c] += twice(x[(w * W + 2) * C + c]);",
                "for (int i = 1; i < kh; ++i)",
                "for (int j = 1; j < kw; ++j) all[0] = tile[i * kw + j][0] > 0 ? all[1] : x[((count + 7 - 1) / 7) / C / W];",
                "for (int j = 0; j < kw; ++j) all[1] = tile[i * kw + j][0] > 0 ? all[1] : x[((count + 7 - 1) / 7) / C / W];",
                "for (int j = 0; j < kw; ++j) all[0] = tile[i * kw + j][1] > 0 ? all[1] : x[((count + 7 - 1) / 7) / C / W];",
                "for (int j = 0; j < kw; ++j) all[0] = tile[i * kw + j][0] > 1 ? all[1] : x[((count + 7 - 1) / 7) / C / W];",
                "for (int j = 0; j < kw; ++j) all[0] = tile[i * kw + j][0] > 0 ? all[2] : x[((count + 7 - 1) / 7) / C / W];",
                "for (int j = 0; j < kw; ++j) all[0] = tile[i * kw + j][0] > 0 ? all[1] : x[((count + 8 - 1) / 7) / C / W];",
                "for (int j = 0; j < kw; ++j) all[0] = tile[i * kw + j][0] > 0 ? all[1] : x[((count + 7 - 2) / 7) / C / W];",
                "for (int j = 0; j < kw; ++j) all[0] = tile[i * kw + j][0] > 0 ? all[1] : x[((count + 7 - 1) / 8) / C / W];",
                "if (threadIdx.x == 1) y[blockIdx.x] = all[0];",
                "if (threadIdx.x == 0) y[blockIdx.x] = all[1];",
            ],
        ),
        (
            "shortened loop",
            [
                "for (int k = threadIdx.x; k < count - 1 && k != 5; k += blockDim.x) {",
                "for (int i = 0; i < kh - 1; ++i)",
                "for (int j = 0; j < kw - 1; ++j) all[0] = tile[i * kw + j][0] > 0 ? all[1] : x[((count + 7 - 1) / 7) / C / W];",
            ],
        ),
        (
            "forgotten tail",
            [
                "if (blockIdx.x + 1 == gridDim.x) return;",
                "for (int j = 0; j < kw; ++j) all[0] = tile[i * kw + j][0] > 0 ? all[1] : x[((count) / 7) / C / W];",
            ],
        ),
        (
            "forgotten +=",
            [
                "for (int k = threadIdx.x; k < count && k != 5; k = blockDim.x) {",
                "tile[threadIdx.y][c] = twice(x[(w * W + 1) * C + c]);",
            ],
        ),
        ("dropped statement", [";", "for (int j = 0; j < kw; ++j) ;", "if (threadIdx.x == 0) ;"]),
        (
            "flipped kernel",
            [
                "for (int j = 0; j < kw; ++j) all[0] = tile[(kh - 1 - i) * kw + kw - 1 - j][0] > 0 ? all[1] : "
                "x[((count + 7 - 1) / 7) / C / W];"
            ],
        ),
        (
            "swapped branches",
            ["for (int j = 0; j < kw; ++j) all[0] = tile[i * kw + j][0] > 0 ? x[((count + 7 - 1) / 7) / C / W] : all[1];"],
        ),
    ],
)
def test_operators(operator, changes):
    found = [mutant.after for mutant in mutants() if mutant.operator == operator and mutant.function == "sums"]
    assert sorted(found) == sorted(changes)


def mutants():
    return kernel_mutations.mutants_of("sums.gpu", SOURCE)


def test_who_calls_a_template():
    """Under a name of its own, too: otherwise the right one would run in the mutant's place."""
    text = dedent("""
        template <int SIDE>
        __device__ void put(REAL* piece) {
            piece[SIDE] = 1;
        }

        extern "C" __global__ void ones(REAL* __restrict__ y) {
            put<8>(y);
        }
    """)
    (mutant,) = [each for each in kernel_mutations.mutants_of("ones.gpu", text) if each.after == "piece[SIDE] = 2;"]
    assert set(mutant.names) == {"put", "ones"}
    assert f"{mutant.names['put']}<8>(y);" in mutant.text


def test_what_multiplies_divides_and_adds():
    found = {operator: [mutant for mutant in mutants() if mutant.operator == operator] for operator in OPERATORS}
    assert [mutant.after for mutant in found["plus and minus"]][:2] == [
        "__device__ REAL twice(REAL x) { return x - x; }",
        "__shared__ REAL tile[8][8 - 1];",
    ]
    assert [mutant.after for mutant in found["missing factor"]][:3] == [
        "const int c = k, w = k / C % W;",
        "const int c = k % C, w = k % W;",
        "const int c = k % C, w = k / C;",
    ]


def test_who_calls_a_changed_function_is_copied_with_it():
    first = mutants()[0]
    assert first.function == "twice"
    assert first.names == {"twice": "twice_mutant_0", "sums": "sums_mutant_0"}
    assert "REAL twice_mutant_0(REAL x) { return x - x; }" in first.text
    assert "+= twice_mutant_0(x[" in first.text
    assert "void __launch_bounds__(64) sums_mutant_0(const" in first.text
    last = mutants()[-1]
    assert (last.function, list(last.names)) == ("sums", ["sums"])


@pytest.mark.usefixtures("needs_compiler")
def test_what_catches_is_asked_first():
    first, second, *_ = kernel_mutations.mutants("ops.relu.gpu")
    asked = []

    def check(name, *, agree):
        def comparisons():
            asked.append(name)
            yield from [mutations.Comparison(name, 0.0 if agree else 2.0, 1.0)]

        return Check(comparisons)

    checks = [check("good", agree=True), check("bad", agree=False)]
    with kernel_mutations.written("ops.relu.gpu", [first, second]) as together:
        assert kernel_mutations.is_caught(first, together, checks)
        assert kernel_mutations.is_caught(second, together, checks)
    assert asked == ["good", "bad", "bad"]


def test_the_table_adds_up():
    results = [(mutant, mutant.operator != "off by one") for mutant in mutants()]
    lines = mutations.table(results, OPERATORS).splitlines()
    rows = [[int(cell) for cell in line.split()[-3:]] for line in lines[1:]]
    assert [sum(column) for column in zip(*rows[:-1], strict=True)] == rows[-1] == [len(results), len(results) - 16, 16]


def test_the_table_of_what_is_caught_is_the_lists(equivalent_mutants):
    """CONTRIBUTING's, by mistake: that all others are caught, and these are not, is what the tests above hold."""
    left, results = Counter(equivalent_mutants), []
    for mutant in (mutant for file in kernel_mutations.FILES for mutant in kernel_mutations.mutants(file)):
        results.append((mutant, left[str(mutant)] <= 0))
        left[str(mutant)] -= 1  # of lines that occur twice, as many survive as are listed
    rows = mutations.table(results, OPERATORS).splitlines()[1:]
    cells = [[row[:-3], *row[-3:]] for row in (line.split() for line in rows)]
    text = Path(__file__).parents[2].joinpath("CONTRIBUTING.md").read_text()
    for name, sites, caught, survived in cells:
        assert f"| {' '.join(name)} | {int(sites):,} | {int(caught):,} | {int(survived)} |" in text
