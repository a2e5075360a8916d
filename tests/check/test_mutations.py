"""The checks are checked: every mistake is caught, or makes no difference, for the reason that the list gives."""

import ast
from textwrap import dedent

import numpy as np
import pytest
from numba.core.dispatcher import Dispatcher

from xception_np.check import mutations
from xception_np.check.mutation_operators import OPERATORS
from xception_np.geometry import Geometry
from xception_np.ops import frames

every_file = pytest.mark.parametrize("file", mutations.FILES)


@pytest.mark.slow
@every_file
def test_every_mutant_is_caught_or_equivalent(file, require_listed):
    require_listed(file, mutations.survivors(file))


@every_file
def test_the_unchanged_program_passes(file):
    """Run as the mutants are, without Numba and in poisoned memory: otherwise being caught would mean nothing."""
    nothing = mutations.Mutant("none", file, "", "", "", mutations.plain(file))
    assert not mutations.is_caught(nothing, mutations.checks(file))


@every_file
def test_no_mutant_can_hang(file):
    """Loops over ranges end, whatever the mutation; a `while` might not."""
    assert not any(isinstance(node, ast.While) for node in ast.walk(mutations.plain(file)))


def test_a_mutant_meets_no_compiled_code():
    """A wrong index there would read or write past the end of an array, and might end the process."""
    with mutations.standing_in("frames", mutations.plain("frames")):
        for file in mutations.FILES:
            values = vars(mutations._module(file)).items()
            assert {key for key, value in values if isinstance(value, Dispatcher)} <= {
                "taken",  # which looks at one number
                "fetch",  # and this at none: to ask for memory that is not there does no harm
            }


def test_every_operator_has_a_site_in_the_operations():
    assert {operator for file in mutations.FILES for operator, *_ in mutations.sites(mutations.source(file))} == set(OPERATORS)


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


def test_modules_get_their_contents_back():
    before = {file: dict(vars(mutations._module(file))) for file in mutations.FILES}
    checks = mutations.checks("relu.reference")
    for mutant in mutations.mutants("relu.reference"):
        assert mutations.is_caught(mutant, checks) == (mutant.after != "y = np.where(x < 0, x.dtype.type(0), x)")
    assert {file: vars(mutations._module(file)) for file in mutations.FILES} == before


def test_memory_that_a_mutant_leaves_unwritten_is_not_a_number():
    with mutations.standing_in("frames", mutations.plain("frames")):
        assert np.isnan(frames.memory(1, 2, 3, Geometry(3).windows(2, 3), np.zeros((1, 2, 3, 1)))).all()


def test_the_table_adds_up():
    lines = mutations.table(mutations.verdicts("conv.reference")).splitlines()
    assert lines[0].split() == ["mutation", "sites", "caught", "survived"]
    rows = [[int(cell) for cell in line.split()[-3:]] for line in lines[1:]]
    assert [sum(column) for column in zip(*rows[:-1], strict=True)] == rows[-1]
    assert rows[-1][0] == rows[-1][1] > 10
    assert "forgotten +=" in lines[1]
