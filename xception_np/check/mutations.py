"""The checks are checked: what they say when an operation is wrong.

A fixed list of mistakes, each a small change of the program text (a forgotten `+=`, a flipped kernel index, an off-by-one
pad, a missing mean term ...), is made at every place where it fits, one at a time, and the checks are run. A mutant that
every check lets pass is either equivalent (the change makes no difference to any result) or a hole in the checks.

    for mutant in survivors("conv.reference"):
        print(mutant)
    print(table(verdicts("conv.reference")))

While a mutant stands in, all operations run without Numba: the loops are Python, only slow, and the cases are small. So a wrong
index is an error, where compiled code would read or write past the end of an array.
"""

import ast
import importlib
import inspect
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any, NamedTuple

import numpy as np

from xception_np import arrays, implementations, ops, threads
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
    expected_passes,
)
from xception_np.ops import depthwise_rows, packing, products, squares, transposed_block
from xception_np.ops.register_block import BYTES

# what is mutated: the files of the operations, and those that they are helped by, in xception_np/ops
SHARED = ("frames", "entries", "exits", "window_products", "winograd", "convolutions", "grouped_conv.narrow")
PASSES = ("separable_conv.cpu",)  # which other operations run with something before and after
FILES = (*(f"{operation}.{implementation}" for operation in ops.__all__ for implementation in implementations.ON_NUMPY), *SHARED)


def _add_product_over_rows(a, b, y, add, memory):
    product = a.T @ b[:, np.arange(len(memory))]
    y[:] = y + product if add else product


def _stacked(matrix, segments):
    return matrix.reshape(len(matrix), segments, -1).transpose(1, 0, 2)


def _stacked_transposes(weight, taps, segments):
    seen = weight[taps]
    kh, kw, width, filters = seen.shape
    split = seen.reshape(kh, kw, width, segments, filters // segments)
    return split.transpose(3, 0, 1, 4, 2).reshape(segments, -1, width)


def _multiply_windows(x, places, steps, b, y, targets):
    y[np.add.outer(targets, np.arange(b.shape[1]))] = x[np.add.outer(places, steps)] @ b


def _add_product_over_windows(x, places, steps, b, sources, y, add, memory):
    product = x[np.add.outer(places, steps)].T @ b[np.add.outer(sources, np.arange(len(memory)))]
    y[:] = y + product if add else product


def _multiply_in_lanes(x, places, steps, b, y, add):
    count = _lanes(x)
    vectors = np.stack([x[start : start + count] for start in np.add.outer(places, steps).reshape(-1)])
    a = vectors.reshape(len(places), len(steps), 1, count)
    found = (a * b.reshape(1, len(b), -1, count)).sum(axis=1).reshape(y.shape)
    y[:] = y + found if add else found


def _lanes(array):
    return BYTES // array.itemsize


# what stands in for `ops/packing.py`: matrices as they are
_PLAIN_PACKING = {
    "weights": np.ascontiguousarray,
    "kept": lambda array, way, pack: pack(),
    "stacked": _stacked,
    "stacked_transposes": _stacked_transposes,
    "one_of": lambda matrices, s: matrices[s],
}

# for `ops/products.py`, whose blocks are not Python: a wrong shape is an error here
_PLAIN_PRODUCTS = {
    "multiply": lambda a, b, y: np.matmul(a, b, out=y),
    "add_product_over_rows": _add_product_over_rows,
    "multiply_windows": _multiply_windows,
    "add_product_over_windows": _add_product_over_windows,
    "multiply_in_lanes": _multiply_in_lanes,
    "lanes": _lanes,
    "memory_for": lambda width, like: np.empty(width),
}


def _correlate(frame, taps, y):
    rows, columns = y.shape[1:3]
    if frame.shape[1:3] != (rows + 2, columns + 2):
        raise ValueError("shapes do not fit")
    y[:] = sum(frame[:, i : i + rows, j : j + columns] * taps[i, j] for i, j in np.ndindex(3, 3))


def _correlate_padded(x, first, taps, y):
    frame = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    _correlate(frame[:, first : first + y.shape[1] + 2], taps, y)


def _add_products(frame, dy, dtaps):
    rows, columns = dy.shape[1:3]
    for i, j in np.ndindex(3, 3):
        dtaps[i, j] += (frame[:, i : i + rows, j : j + columns] * dy).sum(axis=(0, 1, 2))


# and for `ops/depthwise_rows.py`, whatever the channels: the cases are small
_PLAIN_ROWS = {
    "fits": lambda y: y.shape[2] >= 3,
    "correlate": _correlate,
    "correlate_padded": _correlate_padded,
    "add_products": _add_products,
}


def _take_apart(x, group, segments, x_lanes):
    pixels, lanes = x.reshape(-1, segments, x.shape[-1] // segments), _lanes(x)
    here = pixels[:, group * lanes : (group + 1) * lanes]
    found = np.zeros((len(pixels), pixels.shape[2], lanes))
    found[..., : here.shape[1]] = here.transpose(0, 2, 1)
    x_lanes[: found.size] = found.reshape(-1)


def _put_together(y_lanes, group, segments, y):
    pixels, lanes = y.reshape(-1, segments, y.shape[-1] // segments), _lanes(y)
    here = pixels[:, group * lanes : (group + 1) * lanes]
    found = y_lanes[: len(pixels) * pixels.shape[2] * lanes].reshape(len(pixels), -1, lanes)
    here[:] = found[..., : here.shape[1]].transpose(0, 2, 1)


# and for `ops/transposed_block.py`
_PLAIN_TRANSPOSED = {"take_apart": _take_apart, "put_together": _put_together}


def _square(matrix, x, i, x_apart, y, j, y_apart, there=None):
    """T X T^T, where of the one square of 2 x 2 pixels so many rows and columns are `there`"""
    rows, columns = matrix.shape
    square = np.zeros((columns, columns, _lanes(x)))
    for a, b in _pixels(columns, there):
        square[a, b] = _vector(x, i + a * x_apart[0] + b * x_apart[1])
    found = np.einsum("ik,jl,klc->ijc", matrix, matrix, square)
    for a, b in _pixels(rows, there):
        _vector(y, j + a * y_apart[0] + b * y_apart[1])[:] = found[a, b]


def _pixels(size, there):
    return [(a, b) for a, b in np.ndindex(size, size) if size > 2 or (a < there[0] and b < there[1])]


def _vector(x, i):
    if not 0 <= i <= len(x) - _lanes(x):
        raise IndexError("a vector is not in the array")
    return x[i : i + _lanes(x)]


# The matrices of `ops/squares.py`: B^T, A^T and G
INPUTS = np.array([[1, 0, -1, 0], [0, 1, 1, 0], [0, -1, 1, 0], [0, 1, 0, -1]])
OUTPUTS = np.array([[1, 1, 1, 0], [0, 1, -1, -1]])
KERNELS = np.array([[1, 0, 0], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0, 0, 1]])

# and for `ops/squares.py`
_PLAIN_SQUARES = {
    "inputs": partial(_square, INPUTS),
    "outputs": partial(_square, OUTPUTS),
    "upstream": partial(_square, OUTPUTS.T),
    "kernels": partial(_square, KERNELS),
    "gradients": partial(_square, KERNELS.T),
}
# by the modules that they stand in for
_STAND_INS: dict[ModuleType, dict[str, Any]] = {
    packing: _PLAIN_PACKING,
    products: _PLAIN_PRODUCTS,
    depthwise_rows: _PLAIN_ROWS,
    transposed_block: _PLAIN_TRANSPOSED,
    squares: _PLAIN_SQUARES,
}


class Mutant(NamedTuple):
    """One change of one file.

    operator : which mistake, a key of OPERATORS
    file, function : `conv.reference`, `backward`
    before, after : the lines that change, as Python prints them
    tree : the whole file, changed
    """

    operator: str
    file: str
    function: str
    before: str
    after: str
    tree: ast.Module

    def __str__(self):
        return described(self)


def source(file: str) -> str:
    """The program text of one of FILES."""
    return Path(inspect.getfile(_module(file))).read_text()


def sites(text: str) -> Iterator[tuple[str, str, ast.AST, ast.AST]]:
    """(operator, function, node, what replaces it) for every change that fits a program text, in its order."""
    for definition in _parse(text).body:
        if isinstance(definition, ast.FunctionDef):
            for node in (node for statement in definition.body for node in _computing(statement)):
                for operator, replacements in OPERATORS.items():
                    for replacement in replacements(node):
                        yield operator, definition.name, node, replacement


def _computing(statement: ast.stmt) -> Iterator[ast.AST]:
    """As `ast.walk`, without what stands in calls of `fetch`: whatever is asked for early, the numbers are the same."""
    left: deque[ast.AST] = deque([statement])
    while left:
        node = left.popleft()
        match node:
            case ast.Expr(value=ast.Call(func=ast.Name(id="fetch"))):
                continue
        yield node
        left.extend(ast.iter_child_nodes(node))


def mutants(file: str) -> Iterator[Mutant]:
    """Every mutant of a file."""
    text = source(file)
    original = ast.unparse(_parse(text)).splitlines()
    for operator, function, node, replacement in sites(text):
        tree = ast.fix_missing_locations(_Replace(node, replacement).visit(_parse(text)))
        before, after = difference(original, ast.unparse(tree).splitlines())
        if before != after:  # swapping two equal results, say, changes nothing
            yield Mutant(operator, file, function, before, after, _Plain().visit(tree))


def verdicts(file: str) -> list[tuple[Mutant, bool]]:
    """Every mutant, and whether a check caught it."""
    to_pass = checks(file)
    return [(mutant, is_caught(mutant, to_pass)) for mutant in mutants(file)]


def survivors(file: str) -> list[Mutant]:
    """The mutants that every check let pass."""
    return [mutant for mutant, caught in verdicts(file) if not caught]


class Check(NamedTuple):
    """Something that a right program passes: comparisons that are to agree; `large` if it takes its time."""

    comparisons: Callable[[], Iterable[Comparison]]
    large: bool = False


def is_caught(mutant: Mutant, checks: list[Check]) -> bool:
    """Whether a check fails with the mutant in its place, or crashes; it will then be the first of its size."""
    with standing_in(mutant.file, mutant.tree):
        for check in checks:
            if _fails(check):
                ask_first(checks, check)
                return True
    return False


def _fails(check: Check) -> bool:
    try:
        return not all(comparison.ok for comparison in check.comparisons())
    except Exception:  # a program that stops with any error is not mistaken for a right one
        return True


def ask_first(checks: list[Check], check: Check) -> None:
    """Move a check to where those of its size begin: what caught one mutant is likely to catch the next one."""
    checks.remove(check)
    checks.insert(0 if not check.large else next((k for k, other in enumerate(checks) if other.large), len(checks)), check)


def described(mutant) -> str:
    """A mutant as lists of them have it: where, which mistake, and the lines before and after."""
    return f"{mutant.file}.{mutant.function}, {mutant.operator}\n- {mutant.before}\n+ {mutant.after}"


def table(results: list[tuple], operators: Iterable[str] = OPERATORS) -> str:
    """Sites, caught and survived, by operator, of mutants and whether they were caught."""
    lines = [f"{'mutation':<24}{'sites':>7}{'caught':>8}{'survived':>10}"]
    for operator in (*operators, "all"):
        caught = [was_caught for mutant, was_caught in results if operator in (mutant.operator, "all")]
        lines.append(f"{operator:<24}{len(caught):>7}{sum(caught):>8}{len(caught) - sum(caught):>10}")
    return "\n".join(lines)


@contextmanager
def standing_in(file: str, tree: ast.Module) -> Iterator[None]:
    """Give a file the contents of another program text inside a `with` block; on one thread, with poisoned memory.

    All the others stay what they are, without Numba: compiled functions of one may call those of another.
    """
    before = {module: dict(vars(module)) for module in (*map(_module, FILES), *_STAND_INS)}
    with threads.use(1), arrays.poisoned(), np.errstate(all="ignore"):
        try:
            for module, plain_functions in _STAND_INS.items():
                vars(module).update(plain_functions)
            for name in FILES:
                code = compile(tree, name, "exec") if name == file else _plain_code(name)
                exec(code, vars(_module(name)))
                vars(_module(name))["np"] = _PoisonedNumPy()
            yield
        finally:
            for module, values in before.items():
                vars(module).clear()
                vars(module).update(values)


def plain(file: str) -> ast.Module:
    """The program text as it is, but without Numba: what must pass before a mutant says anything."""
    return _Plain().visit(_parse(source(file)))


@cache
def _plain_code(file: str) -> CodeType:
    return compile(plain(file), file, "exec")


def checks(file: str) -> list[Check]:
    """All that is known about the operations that use a file, the quick checks first."""
    return sorted((check for user in _users(file) for check in _checks(user, file)), key=lambda check: check.large)


def _checks(user: str, mutated: str) -> Iterator[Check]:
    """All that is known about the operation of a file; large cases are for its own mistakes, and those of what is run by others."""
    operation, implementation = user.split(".")
    yield Check(partial(check_anchors, operation, implementation))
    small = [case for case in cases.of(operation) if not case.large]
    large = [case for case in cases.of(operation) if case.large and mutated in (user, *SHARED, *PASSES)]
    for case in (*small, *large):
        if implementation == "reference":
            yield Check(partial(check_adjoint, case, implementation), case.large)
        else:  # what is like the reference has the reference's gradients
            expected = expected_passes(case, np.float64)  # once for all mutants
            yield Check(partial(check_like_reference, case, implementation, expected=expected), case.large)
    yield Check(partial(check_identities, operation, implementation))
    for case in small:
        yield Check(partial(check_not_a_number, case, implementation))
        if implementation == "reference":
            yield Check(partial(check_finite_differences, case, implementation))


def _users(file: str) -> list[str]:
    """The files of operations that show what a file does: its own operation's, and those that import it or what is helped by it."""
    naming = [user for user in FILES if any(value is _module(file) for value in vars(_module(user)).values())]
    own = [] if file in SHARED else [file]
    return list(dict.fromkeys(own + [last for user in naming for last in (_users(user) if user in SHARED else [user])]))


def _module(file: str) -> ModuleType:
    return importlib.import_module(f"xception_np.ops.{file}")


def _parse(text: str) -> ast.Module:
    return _NegativeNumbers().visit(ast.parse(text))


def difference(before: list[str], after: list[str]) -> tuple[str, str]:
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
    """Takes the decorators of `ops/compile.py` away."""

    def visit_FunctionDef(self, node):
        node.decorator_list = [decorator for decorator in node.decorator_list if not self._compiles(decorator)]
        return node

    @staticmethod
    def _compiles(decorator):
        name = decorator.func if isinstance(decorator, ast.Call) else decorator
        return isinstance(name, ast.Name) and name.id in ("compiled", "compiled_apart", "compiled_with")


class _PoisonedNumPy:
    """NumPy, but new memory is full of NaN, as that of `arrays.poisoned`."""

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)

    @staticmethod
    def empty(shape, dtype) -> np.ndarray:
        array = np.empty(shape, dtype)
        if array.dtype.kind == "f":
            array.fill(np.nan)
        return array

    def empty_like(self, array: np.ndarray) -> np.ndarray:
        return self.empty(array.shape, array.dtype)


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
