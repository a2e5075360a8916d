"""The list of mistakes: functions from a node of a program's tree to what a hasty hand might have written instead."""

import ast
from collections.abc import Callable, Iterator
from copy import deepcopy

_COMPARISONS = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
}
_NAMES = {"max": "min", "min": "max", "maximum": "minimum", "minimum": "maximum", "sum": "mean", "mean": "sum"}
_STRIDES, _DILATIONS, _PADS = {"stride", "sh", "sw"}, {"dilation", "dh", "dw"}, {"origin", "top", "left"}


def forgotten_accumulation(node) -> Iterator[ast.AST]:
    """`a += b` as `a = b`."""
    if isinstance(node, ast.AugAssign):
        yield ast.copy_location(ast.Assign([node.target], node.value), node)


def dropped_statement(node) -> Iterator[ast.AST]:
    """A statement that writes into an array, calls a function for its effect, or skips, left out."""
    writes = isinstance(node, ast.Assign) and any(isinstance(part, ast.Subscript) for part in node.targets)
    calls = isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)
    if writes or calls or isinstance(node, ast.AugAssign | ast.Continue):
        yield ast.copy_location(ast.Pass(), node)


def flipped_kernel(node) -> Iterator[ast.AST]:
    """`weight[i, j]` as `weight[-1 - i, -1 - j]`: a true convolution where a correlation is meant."""
    if isinstance(node, ast.Subscript) and {"i", "j"} <= {n.id for n in ast.walk(node.slice) if isinstance(n, ast.Name)}:
        yield _with(node, slice=_Flip().visit(deepcopy(node.slice)))


def ignored_stride(node) -> Iterator[ast.AST]:
    """The stride as 1."""
    if _is_read(node, _STRIDES):
        yield ast.copy_location(ast.Constant(1), node)


def ignored_dilation(node) -> Iterator[ast.AST]:
    """The dilation as 1."""
    if _is_read(node, _DILATIONS):
        yield ast.copy_location(ast.Constant(1), node)


def off_by_one_pad(node) -> Iterator[ast.AST]:
    """The padding before the image one larger."""
    if _is_read(node, _PADS):
        yield _binary(node, ast.Add(), ast.Constant(1))


def shortened_loop(node) -> Iterator[ast.AST]:
    """`range(n)` without its first and without its last number."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "range":
        start, stop, *step = node.args if len(node.args) > 1 else [ast.Constant(0), *node.args]
        later, earlier = _binary(start, ast.Add(), ast.Constant(1)), _binary(stop, ast.Sub(), ast.Constant(1))
        for first, last in ((later, stop), (start, earlier)):
            yield ast.copy_location(ast.Call(node.func, [first, last, *step], []), node)


def wrong_comparison(node) -> Iterator[ast.AST]:
    """`<` as `<=`, `==` as `!=`, and so on."""
    if isinstance(node, ast.Compare):
        for k, operator in enumerate(node.ops):
            if type(operator) in _COMPARISONS:
                yield _with(node, ops=[*node.ops[:k], _COMPARISONS[type(operator)](), *node.ops[k + 1 :]])


def plus_and_minus(node) -> Iterator[ast.AST]:
    """`a + b` as `a - b` and the other way round; `-a` as `a`."""
    if isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Add | ast.Sub):
        yield _with(node, op=ast.Sub() if isinstance(node.op, ast.Add) else ast.Add())
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield node.operand


def times_and_divide(node) -> Iterator[ast.AST]:
    """`a * b` as `a / b` and the other way round."""
    if isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Mult | ast.Div):
        yield _with(node, op=ast.Div() if isinstance(node.op, ast.Mult) else ast.Mult())


def missing_term(node) -> Iterator[ast.AST]:
    """`a + b` and `a - b` without one of the two."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
        yield node.left
        yield node.right


def missing_factor(node) -> Iterator[ast.AST]:
    """`a * b` without one of the two; `a / b` as `a`."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult | ast.Div):
        yield node.left
        if isinstance(node.op, ast.Mult):
            yield node.right


def swapped_results(node) -> Iterator[ast.AST]:
    """`return dgamma, dbeta` as `return dbeta, dgamma`, and every other pair of neighbours."""
    if isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple):
        elements = node.value.elts
        for k in range(len(elements) - 1):
            swapped = [*elements[:k], elements[k + 1], elements[k], *elements[k + 2 :]]
            yield _with(node, value=ast.Tuple(swapped, ast.Load()))


def dropped_transpose(node) -> Iterator[ast.AST]:
    """`a.T` and `a.transpose(...)` as `a`."""
    if isinstance(node, ast.Attribute) and node.attr == "T":
        yield node.value
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "transpose":
        yield node.func.value


def wrong_reduction(node) -> Iterator[ast.AST]:
    """`max` as `min`, `sum` as `mean`, and the other way round."""
    if isinstance(node, ast.Name) and node.id in _NAMES and isinstance(node.ctx, ast.Load):
        yield ast.copy_location(ast.Name(_NAMES[node.id], ast.Load()), node)
    if isinstance(node, ast.Attribute) and node.attr in _NAMES:
        yield ast.copy_location(ast.Attribute(node.value, _NAMES[node.attr], ast.Load()), node)


def wrong_logic(node) -> Iterator[ast.AST]:
    """True as False, `and` as `or`, `&` as `|`, `~a` as `a`, and the other way round."""
    if isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield ast.copy_location(ast.Constant(not node.value), node)
    if isinstance(node, ast.BoolOp):
        yield _with(node, op=ast.Or() if isinstance(node.op, ast.And) else ast.And())
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitAnd | ast.BitOr):
        yield _with(node, op=ast.BitOr() if isinstance(node.op, ast.BitAnd) else ast.BitAnd())
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Invert):
        yield node.operand


def swapped_branches(node) -> Iterator[ast.AST]:
    """`a if c else b` as `b if c else a`, and `where(c, a, b)` as `where(c, b, a)`."""
    if isinstance(node, ast.IfExp):
        yield ast.copy_location(ast.IfExp(node.test, node.orelse, node.body), node)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "where":
        yield _with(node, args=[node.args[0], *node.args[:0:-1]])


def off_by_one(node) -> Iterator[ast.AST]:
    """An integer one larger."""
    if isinstance(node, ast.Constant) and type(node.value) is int:
        yield ast.copy_location(ast.Constant(node.value + 1), node)


OPERATORS: dict[str, Callable[[ast.AST], Iterator[ast.AST]]] = {
    "forgotten +=": forgotten_accumulation,
    "dropped statement": dropped_statement,
    "flipped kernel": flipped_kernel,
    "ignored stride": ignored_stride,
    "ignored dilation": ignored_dilation,
    "off-by-one pad": off_by_one_pad,
    "shortened loop": shortened_loop,
    "wrong comparison": wrong_comparison,
    "plus and minus": plus_and_minus,
    "times and divide": times_and_divide,
    "missing term": missing_term,
    "missing factor": missing_factor,
    "swapped results": swapped_results,
    "dropped transpose": dropped_transpose,
    "wrong reduction": wrong_reduction,
    "wrong logic": wrong_logic,
    "swapped branches": swapped_branches,
    "off by one": off_by_one,
}


def _is_read(node, names) -> bool:
    """Whether a node reads `stride[0]`, `geometry.stride[0]` or `sh`, say."""
    if isinstance(node, ast.Subscript):
        name = getattr(node.value, "attr", getattr(node.value, "id", None))
        return name in names and isinstance(node.ctx, ast.Load)
    return isinstance(node, ast.Name) and node.id in names - {"stride", "dilation", "origin"} and isinstance(node.ctx, ast.Load)


def _with(node, **fields) -> ast.AST:
    """A copy of a node with some of its fields replaced."""
    same = {name: value for name, value in ast.iter_fields(node) if name not in fields}
    return ast.copy_location(type(node)(**same, **fields), node)


def _binary(node, operator, other) -> ast.expr:
    return ast.copy_location(ast.BinOp(node, operator, other), node)


class _Flip(ast.NodeTransformer):
    def visit_Name(self, node):
        return _binary(ast.copy_location(ast.Constant(-1), node), ast.Sub(), node) if node.id in ("i", "j") else node
