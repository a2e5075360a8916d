"""The list of mistakes in CUDA C: functions from a function's body to the changes that a hasty hand might have made.

A change is (start, end, replacement): of the body's text, in which comments are blank. The kernels' layout is relied on: spaces
around binary operators, none inside of templates' brackets.
"""

import re
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import NamedTuple

Change = tuple[int, int, str]

_OPENING, _CLOSING = "([{", ")]}"
_COMPARISONS = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "=="}
_DECLARED = r"(?!return\b|else\b)(?:[A-Za-z_]\w*[\s*&]+)+[A-Za-z_]\w*"  # a type of one word or more, and a name
_HEAD = re.compile(r"(?:else\s+)?(for|if|while)\s*\(|else\b")
_FACTOR = re.compile(r"\s([*/%]) ([A-Za-z_][\w.]*\b(?![(\[]))")
_CLAUSE_ENDS = re.compile(r"[,;?:]|(?<![=!<>])=(?!=)|\breturn\b")


def dropped_barrier(body: str) -> Iterator[Change]:
    """A `__syncthreads()` or `__syncwarp()` left out."""
    for match in re.finditer(r"\b__sync(?:threads|warp)\([^()]*\)", body):
        yield *match.span(), ""


def wrong_comparison(body: str) -> Iterator[Change]:
    """`<` as `<=`, `==` as `!=`, and so on."""
    for match in re.finditer(r"(?<=\s)(<|<=|>|>=|==|!=)(?=\s)", body):
        yield *match.span(), _COMPARISONS[match[1]]


def dropped_guard(body: str) -> Iterator[Change]:
    """A condition that never skips: of `if (...) continue` never, of any other `if (...)` always true."""
    for start, end in _parentheses_after(body, "if"):
        skips = re.match(r"\)\s*(?:\{\s*)?(?:return|continue|break)\b", body[end:])
        yield start, end, "false" if skips else "true"


def dropped_clause(body: str) -> Iterator[Change]:
    """`a && b` and `a || b` without one of the two."""
    for clauses in {_clauses(body, match.start()) for match in re.finditer(r"&&|\|\|", body)}:
        for (start, end), (following, _) in zip(clauses, [*clauses[1:], (0, 0)], strict=True):
            yield (start, following, "") if following else (clauses[-2][1], end, "")


def swapped_strides(body: str) -> Iterator[Change]:
    """`(n * H + h) * W` as `(n * W + h) * H`: two neighbouring sizes of an index, and two neighbouring subscripts."""
    for first, last in _index_expressions(body):
        factors = list(_FACTOR.finditer(body, first, last))
        for one, other in pairwise(factors):
            same = one[1] == other[1] and one.end() == other.start()  # a / b / c is a / c / b
            if one[2] != other[2] and not same:
                yield one.start(2), other.end(2), other[2] + body[one.end(2) : other.start(2)] + one[2]
    for match in re.finditer(r"(\[[^\[\]]*\])(\[[^\[\]]*\])", _without_declared_sizes(body)):
        if match[1] != match[2]:
            yield *match.span(), match[2] + match[1]


def swapped_axes(body: str) -> Iterator[Change]:
    """`threadIdx.x` as `threadIdx.y` and the other way round, where a kernel has both."""
    for name in ("threadIdx", "blockIdx"):
        used = list(re.finditer(rf"\b{name}\.([xy])\b", body))
        if {match[1] for match in used} == {"x", "y"}:
            for match in used:
                yield *match.span(1), "y" if match[1] == "x" else "x"


def smaller_shared_array(body: str) -> Iterator[Change]:
    """`__shared__ REAL tile[32][33]` with one less of either."""
    for declaration in re.finditer(r"__shared__[^;]*;", body):
        for size in re.finditer(r"\[([^\]]+)\]", declaration[0]):
            yield declaration.start() + size.start(1), declaration.start() + size.end(1), f"{size[1]} - 1"


def off_by_one(body: str) -> Iterator[Change]:
    """An integer one larger."""
    for match in re.finditer(r"(?<![\w.])\d+(?![\w.])", _without_declared_sizes(body)):
        yield *match.span(), str(int(match[0]) + 1)


def plus_and_minus(body: str) -> Iterator[Change]:
    """`a + b` as `a - b` and the other way round: a halo, a pad or an offset on the other side."""
    for match in re.finditer(r"(?<=\s)[+-](?=\s)", body):
        yield *match.span(), "-" if match[0] == "+" else "+"


def missing_factor(body: str) -> Iterator[Change]:
    """`a * b`, `a / b` and `a % b` as `a`."""
    for match in _FACTOR.finditer(body):
        yield *match.span(), ""


def shortened_loop(body: str) -> Iterator[Change]:
    """A loop without its last number."""
    for start, end in _parentheses_after(body, "for"):
        _, condition, _ = body[start:end].split(";")
        if bound := re.search(r"\s(<=?|>=?)\s(?:(?!&&|\|\|).)*", condition, re.DOTALL):
            at = start + body[start:end].index(";") + 1 + len(condition[: bound.end()].rstrip())
            yield at, at, " - 1" if bound[1][0] == "<" else " + 1"


def forgotten_tail(body: str) -> Iterator[Change]:
    """A grid without its last block, and a division that rounds down where it should round up."""
    for axis in sorted(set(re.findall(r"\bblockIdx\.([xyz])", body))):
        yield 1, 1, f"\n    if (blockIdx.{axis} + 1 == gridDim.{axis}) return;"
    for match in re.finditer(r"\(([^()]+?) \+ ([^()]+?) - 1\) / \2", body):
        yield *match.span(), f"({match[1]}) / {match[2]}"


def forgotten_accumulation(body: str) -> Iterator[Change]:
    """`a += b` as `a = b`; not of pointers, which no number can be."""
    pointers = set(re.findall(r"\*\s*(?:const\s+)?(\w+) = ", body))
    for match in re.finditer(r"(\S+)\s([-+*/|&^]=)(?=\s)", body):
        if match[1] not in pointers:
            yield *match.span(2), "="


def dropped_statement(body: str) -> Iterator[Change]:
    """An assignment left out."""
    for statement in _statements(body):
        if not statement.declares and re.search(r"(?<![=!<>])=(?!=)|\+\+|--", statement.text):
            yield statement.start, statement.end, ""


def flipped_kernel(body: str) -> Iterator[Change]:
    """`i * kw + j` as `(kh - 1 - i) * kw + kw - 1 - j`: a true convolution where a correlation is meant."""
    for match in re.finditer(r"\bi \* kw \+ j\b", body):
        yield *match.span(), "(kh - 1 - i) * kw + kw - 1 - j"


def swapped_branches(body: str) -> Iterator[Change]:
    """`c ? a : b` as `c ? b : a`."""
    for match in re.finditer(r"\?", body):
        colon = _boundary(body, match.end(), re.compile(":"))
        end = _boundary(body, colon + 1, re.compile(r"[,;]"))
        first, second = body[match.end() : colon].strip(), body[colon + 1 : end].strip()
        yield match.end(), end, f" {second} : {first}"


OPERATORS: dict[str, Callable[[str], Iterator[Change]]] = {
    "dropped barrier": dropped_barrier,
    "wrong comparison": wrong_comparison,
    "dropped guard": dropped_guard,
    "dropped clause": dropped_clause,
    "swapped strides": swapped_strides,
    "swapped axes": swapped_axes,
    "smaller shared array": smaller_shared_array,
    "off by one": off_by_one,
    "plus and minus": plus_and_minus,
    "missing factor": missing_factor,
    "shortened loop": shortened_loop,
    "forgotten tail": forgotten_tail,
    "forgotten +=": forgotten_accumulation,
    "dropped statement": dropped_statement,
    "flipped kernel": flipped_kernel,
    "swapped branches": swapped_branches,
}


class _Statement(NamedTuple):
    """A statement without the `for (...)` and `if (...)` before it, and without its semicolon."""

    start: int
    end: int
    text: str

    @property
    def declares(self) -> bool:
        return re.match(rf"{_DECLARED}\s*(?:[=\[,{{]|$)", self.text) is not None


def _statements(body: str) -> Iterator[_Statement]:
    start, k = 1, 1  # after the brace
    while k < len(body):
        if body[k] in "([":
            k = closing(body, k)
        elif body[k] in ";{}":
            first = _after_heads(body, start, k)
            if body[first:k].strip() and not _is_initialiser(body, k):
                yield _Statement(first, k, body[first:k])
            if _is_initialiser(body, k):
                k = closing(body, k)
            else:
                start = k + 1
        k += 1


def _is_initialiser(body: str, k: int) -> bool:
    """Whether a brace begins the values of an array: `int c[4] = {...}`."""
    return body[k] == "{" and body[:k].rstrip().endswith("=")


def _after_heads(body: str, start: int, end: int) -> int:
    """Where a statement begins behind white space, `else`, `for (...)` and `if (...)`."""
    while True:
        start += len(body[start:end]) - len(body[start:end].lstrip())
        head = _HEAD.match(body, start, end)
        if not head:
            return start
        start = closing(body, head.end() - 1) + 1 if head[1] else head.end()


def _index_expressions(body: str) -> Iterator[tuple[int, int]]:
    """From and to: what stands in subscripts, and the values that whole numbers and pointers begin with."""
    plain = _without_declared_sizes(body)
    for match in re.finditer(r"\[", plain):
        yield match.end(), closing(plain, match.start())
    for statement in _statements(plain):
        if statement.declares and not re.match(r"(?:const )?REAL \w|__shared__|extern", statement.text):
            for match in re.finditer(r"(?<![=!<>])=(?!=)", statement.text):
                first = statement.start + match.end()
                last = _boundary(plain, first, re.compile(r"[,;]"))
                if "[" not in plain[first:last]:
                    yield first, last


def _without_declared_sizes(body: str) -> str:
    """The text with blank numbers and brackets where arrays are declared: their sizes are no index."""
    declared = rf"(?m)__shared__[^;]*;|^\s*{_DECLARED}(?:\[[^\]]*\])+(?=\s*[;=,])"
    return re.sub(declared, lambda match: re.sub(r"[\[\]\w]", " ", match[0]), body)


def _parentheses_after(body: str, word: str) -> Iterator[tuple[int, int]]:
    """From and to, without the parentheses: what stands in those after `if`, say."""
    for match in re.finditer(rf"\b{word} \(", body):
        yield match.end(), closing(body, match.end() - 1)


def _clauses(body: str, position: int) -> tuple[tuple[int, int], ...]:
    """From and to of all that is joined by `&&` or `||` with what stands at a position."""
    start = position
    while body[start - 1] not in _OPENING and not _CLAUSE_ENDS.match(body, start - 1) and body[start - 7 : start] != "return ":
        start = _opening(body, start - 1) if body[start - 1] in _CLOSING else start - 1
    end = _boundary(body, position, _CLAUSE_ENDS)
    spans, first, k = [], start, start
    while k < end:
        if body[k] in _OPENING:
            k = closing(body, k)
        elif body[k : k + 2] in ("&&", "||"):
            spans.append((first, k))
            first = k + 2
            k += 1
        k += 1
    spans.append((first, end))
    return tuple((a + len(body[a:b]) - len(body[a:b].lstrip()), len(body[:b].rstrip())) for a, b in spans)


def _boundary(body: str, start: int, ends: re.Pattern) -> int:
    """Where an expression ends: at one of `ends`, or at a closing bracket that it did not open."""
    k = start
    while body[k] not in _CLOSING and not ends.match(body, k):
        k = (closing(body, k) if body[k] in _OPENING else k) + 1
    return k


def closing(body: str, opening: int) -> int:
    """Where the bracket at a position is closed."""
    depth = 0
    for k in range(opening, len(body)):
        depth += (body[k] in _OPENING) - (body[k] in _CLOSING)
        if depth == 0:
            return k
    raise ValueError(f"a bracket is never closed: {body[opening : opening + 40]}")


def _opening(body: str, closing: int) -> int:
    """Where the bracket that is closed at a position was opened."""
    depth = 0
    for k in range(closing, -1, -1):
        depth += (body[k] in _CLOSING) - (body[k] in _OPENING)
        if depth == 0:
            return k
    raise ValueError(f"a bracket is never opened: {body[:closing]}")
