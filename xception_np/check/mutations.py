"""The checks are checked: what they say when an operation is wrong.

A fixed list of mistakes, each a small change of the program text (a forgotten `+=`, a flipped kernel index, an off-by-one
pad, a missing mean term ...), is made at every place where it fits, one at a time, and the checks are run. A mutant that
every check lets pass is either equivalent (the change makes no difference to any result) or a hole in the checks.

    for mutant in survivors("conv", "reference"):
        print(mutant)
    print(table(verdicts("conv", "reference")))

The text of `cpu.py` is run without Numba: its loops are Python, only slow, and the cases are small.
"""

import ast
import importlib
import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import numpy as np

from xception_np import arrays, ops, threads
from xception_np.check import cases
from xception_np.check.anchors import check_anchors
from xception_np.check.comparison import Comparison
from xception_np.check.identities import check_identities
from xception_np.check.mutation_operators import OPERATORS
from xception_np.check.operations import (
    check_adjoint,
    check_finite_differences,
    check_like_reference,
    check_not_a_number,
)


class Mutant(NamedTuple):
    """One change of one file.

    operator : which mistake, a key of OPERATORS
    place : `conv.reference.backward`
    before, after : the lines that change, as Python prints them
    tree : the whole file, changed
    """

    operator: str
    place: str
    before: str
    after: str
    tree: ast.Module

    def __str__(self):
        return f"{self.place}, {self.operator}\n- {self.before}\n+ {self.after}"


def source(operation: str, implementation: str) -> str:
    """The program text of an operation's implementation."""
    return Path(inspect.getfile(_module(operation, implementation))).read_text()


def sites(text: str) -> Iterator[tuple[str, str, ast.AST, ast.AST]]:
    """(operator, function, node, what replaces it) for every change that fits a program text, in its order."""
    for definition in _parse(text).body:
        if isinstance(definition, ast.FunctionDef):
            for node in (node for statement in definition.body for node in ast.walk(statement)):
                for operator, replacements in OPERATORS.items():
                    for replacement in replacements(node):
                        yield operator, definition.name, node, replacement


def mutants(operation: str, implementation: str) -> Iterator[Mutant]:
    """Every mutant of an operation's file."""
    text = source(operation, implementation)
    original = ast.unparse(_parse(text)).splitlines()
    for operator, function, node, replacement in sites(text):
        tree = ast.fix_missing_locations(_Replace(node, replacement).visit(_parse(text)))
        before, after = _difference(original, ast.unparse(tree).splitlines())
        if before != after:  # swapping two equal results, say, changes nothing
            yield Mutant(operator, f"{operation}.{implementation}.{function}", before, after, _Plain().visit(tree))


def verdicts(operation: str, implementation: str) -> list[tuple[Mutant, bool]]:
    """Every mutant, and whether a check caught it."""
    return [(mutant, is_caught(mutant, operation, implementation)) for mutant in mutants(operation, implementation)]


def survivors(operation: str, implementation: str) -> list[Mutant]:
    """The mutants that every check let pass."""
    return [mutant for mutant, caught in verdicts(operation, implementation) if not caught]


def is_caught(mutant: Mutant, operation: str, implementation: str) -> bool:
    """Whether a check of the operation, or of an operation that uses it, fails with the mutant in its place, or crashes."""
    module = _module(operation, implementation)
    checked = [operation, *(name for name in ops.__all__ if module in vars(_module(name, implementation)).values())]
    with standing_in(module, mutant.tree):
        try:
            return not all(comparison.ok for name in checked for comparison in _checks(name, implementation, name == operation))
        except Exception:  # a program that stops with any error is not mistaken for a right one
            return True


def table(results: list[tuple[Mutant, bool]]) -> str:
    """Sites, caught and survived, by operator."""
    lines = [f"{'mutation':<24}{'sites':>7}{'caught':>8}{'survived':>10}"]
    for operator in (*OPERATORS, "all"):
        caught = [was_caught for mutant, was_caught in results if operator in (mutant.operator, "all")]
        lines.append(f"{operator:<24}{len(caught):>7}{sum(caught):>8}{len(caught) - sum(caught):>10}")
    return "\n".join(lines)


@contextmanager
def standing_in(module: ModuleType, tree: ast.Module) -> Iterator[None]:
    """Give a module the contents of another program text inside a `with` block; on one thread, with poisoned memory."""
    before = dict(vars(module))
    with threads.use(1), arrays.poisoned(), np.errstate(all="ignore"):
        try:
            exec(compile(tree, module.__name__, "exec"), vars(module))
            yield
        finally:
            vars(module).clear()
            vars(module).update(before)


def plain(operation: str, implementation: str) -> ast.Module:
    """The program text as it is, but without Numba: what must pass before a mutant says anything."""
    return _Plain().visit(_parse(source(operation, implementation)))


def _checks(operation: str, implementation: str, with_large: bool) -> Iterator[Comparison]:
    """All that is known about an operation, the quick checks first."""
    yield from check_anchors(operation, implementation)
    small = [case for case in cases.of(operation) if not case.large]
    large = [case for case in cases.of(operation) if case.large and with_large]
    for case in (*small, *large):
        if implementation == "reference":
            yield from check_adjoint(case, implementation)
        else:  # what is like the reference has the reference's gradients
            yield from check_like_reference(case, implementation)
    yield from check_identities(operation, implementation)
    for case in small:
        yield from check_not_a_number(case, implementation)
        if implementation == "reference":
            yield from check_finite_differences(case, implementation)


def _module(operation: str, implementation: str) -> ModuleType:
    return importlib.import_module(f"xception_np.ops.{operation}.{implementation}")


def _parse(text: str) -> ast.Module:
    return _NegativeNumbers().visit(ast.parse(text))


def _difference(before: list[str], after: list[str]) -> tuple[str, str]:
    """The lines in which two texts differ, without what they share at the top and at the bottom."""
    top = _shared(before, after)
    before, after = before[top:], after[top:]
    bottom = _shared(before[::-1], after[::-1])
    return _one_line(before[: len(before) - bottom]), _one_line(after[: len(after) - bottom])


def _shared(before: list[str], after: list[str]) -> int:
    """How many lines the two have in common from the start."""
    return next((k for k, (a, b) in enumerate(zip(before, after, strict=False)) if a != b), min(len(before), len(after)))


def _one_line(lines: list[str]) -> str:
    return " ".join(" ".join(lines).split())


class _NegativeNumbers(ast.NodeTransformer):
    """Makes `-1` one number, where Python's grammar has a minus and a 1."""

    def visit_UnaryOp(self, node):
        if isinstance(node.op, ast.USub) and isinstance(node.operand, ast.Constant) and isinstance(node.operand.value, int | float):
            return ast.copy_location(ast.Constant(-node.operand.value), node)
        return self.generic_visit(node)


class _Plain(ast.NodeTransformer):
    """Takes the decorator `@compiled` away."""

    def visit_FunctionDef(self, node):
        node.decorator_list = [d for d in node.decorator_list if not (isinstance(d, ast.Name) and d.id == "compiled")]
        return node


class _Replace(ast.NodeTransformer):
    """Puts a node in the place of another, which is found by its kind and its position in the text."""

    def __init__(self, old: ast.AST, new: ast.AST):
        self._key, self._new = self._place(old), new

    def visit(self, node):
        return self._new if self._place(node) == self._key else super().visit(node)

    @staticmethod
    def _place(node):
        position = (getattr(node, name, None) for name in ("lineno", "col_offset", "end_lineno", "end_col_offset"))
        return type(node), *position
