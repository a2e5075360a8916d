"""The checks of CUDA kernels are checked: what the emulator and the cases say when a kernel is wrong.

As in `check/mutations.py`, a fixed list of mistakes is made at every place where it fits, one at a time, in the text of every
`gpu*.cu` file. Each mutant runs under the emulator's eyes, over the cases of its operation, until something gives it away: a
finding, or a result that is not the reference's. Kernels that it leaves alone are known to be right: they run unwatched.

    for mutant in survivors("ops.conv.gpu"):
        print(mutant)
    print(table(verdicts("ops.conv.gpu"), OPERATORS))

All mutants of a file are compiled at once: each is a copy of a function, and of those that call it, under names of their own.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np

from xception_np import emulator, implementations, kernels, ops
from xception_np.check import cases, operations
from xception_np.check import updates as every_update
from xception_np.check.anchors import check_anchors
from xception_np.check.cases import Case
from xception_np.check.kernel_mutation_operators import OPERATORS, Change, closing
from xception_np.check.mutations import Check, ask_first, described, difference
from xception_np.emulator.source import without_comments
from xception_np.errors import InputError

_PACKAGE = Path(ops.__file__).parent.parent
# what is mutated, as `ops.conv.gpu`
FILES = tuple(
    f"{package}.{path.parent.name}.{path.stem}"
    for package in ("ops", "updates")
    for path in sorted((_PACKAGE / package).glob("*/gpu*.cu"))
)
_FUNCTION = re.compile(
    r'^(?:template\s*<[^\n]*>\n)?(?:extern "C" )?[^\n;#]*\b__(?:global|device)__[^;{]*?\b(?!__)(\w+)\([^{;]*\) \{', re.M
)
_CALL = r"(?:<[^<>()]*>)?\("  # what follows the name of a function, or of a template
_PREPROCESSOR = re.compile(r"^[ \t]*#.*$", re.MULTILINE)
_NOT_A_NUMBER = 4  # cases in which NaN is planted
_STEPS, _LARGE_STEPS = 15 * 10**6, 10**8  # of a block: more than any case takes, and soon over


class Function(NamedTuple):
    """A function of a `.cu` file: its name, its text, and where in the text its body begins."""

    name: str
    text: str
    body: int


class Mutant(NamedTuple):
    """One change of one function.

    operator : which mistake, a key of OPERATORS
    file, function : `ops.conv.gpu`, `backward_x`
    before, after : the lines that change
    text : the function as it is changed, and those that call it, under names of their own
    names : those names
    """

    operator: str
    file: str
    function: str
    before: str
    after: str
    text: str
    names: Mapping[str, str]

    def __str__(self):
        return described(self)


def path(file: str) -> Path:
    """Where one of FILES is."""
    return _PACKAGE.joinpath(*file.split(".")).with_suffix(".cu")


def functions(text: str) -> list[Function]:
    """The functions of a text without comments, in its order."""
    found = []
    for match in _FUNCTION.finditer(text):
        end = closing(text, match.end() - 1) + 1
        found.append(Function(match[1], text[match.start() : end], match.end() - 1 - match.start()))
    return found


def sites(function: Function) -> Iterator[tuple[str, Change]]:
    """(operator, change of the function's text) for every change that fits."""
    body = _PREPROCESSOR.sub(lambda match: " " * len(match[0]), function.text[function.body :])
    for operator, changes in OPERATORS.items():
        for start, end, replacement in sorted(changes(body)):
            yield operator, (function.body + start, function.body + end, replacement)


def mutants(file: str) -> list[Mutant]:
    """Every mutant of one of FILES."""
    return mutants_of(file, path(file).read_text())


def mutants_of(file: str, text: str) -> list[Mutant]:
    """Every mutant of a program text, which is called `file`."""
    known = functions(without_comments(text))
    found: list[Mutant] = []
    for function in known:
        together = _callers(function, known)
        for operator, (start, end, replacement) in sites(function):
            changed = function.text[:start] + replacement + function.text[end:]
            before, after = difference(function.text.splitlines(), changed.splitlines())
            names = {each.name: f"{each.name}_mutant_{len(found)}" for each in together}
            texts = [changed if each is function else each.text for each in together]
            found.append(Mutant(operator, file, function.name, before, after, _renamed("\n\n".join(texts), names), names))
    return found


def verdicts(file: str) -> list[tuple[Mutant, bool]]:
    """Every mutant, and whether a check caught it."""
    every = mutants(file)
    to_pass = checks(file)
    with written(file, every) as together:
        return [(mutant, is_caught(mutant, together, to_pass)) for mutant in every]


def survivors(file: str) -> list[Mutant]:
    """The mutants that every check let pass."""
    return [mutant for mutant, caught in verdicts(file) if not caught]


@contextmanager
def written(file: str, every: list[Mutant]) -> Iterator[Path]:
    """A file with one of FILES and its mutants in it, as long as the `with` block takes."""
    with TemporaryDirectory() as folder:
        together = Path(folder) / "mutants" / f"{file}.cu"  # of the same name every time, so that what is compiled is kept
        together.parent.mkdir()
        together.write_text("\n\n".join([path(file).read_text(), *(mutant.text for mutant in every)]))
        yield together


def is_caught(mutant: Mutant, together: Path, checks: list[Check]) -> bool:
    """Whether a check fails with the mutant in its place, or its launches have findings; it will then be the first of its size.

    Parameters
    ----------
    mutant : Mutant
    together : Path
        A file that has it, and all others, so that there is one compilation.
    checks : list of Check
    """
    with kernels.standing_in(path(mutant.file), together, mutant.names):
        for check in checks:
            steps = _LARGE_STEPS if check.large else _STEPS
            with emulator.checking(steps=steps, kernels=mutant.names.values()) as reports:
                agree = all(comparison.ok for comparison in check.comparisons())
            if not agree or any(report.findings for report in reports):
                ask_first(checks, check)
                return True
    return False


def checks(file: str) -> list[Check]:
    """All that is known about a file's operation, or updates, the quick checks first."""
    package, name, _ = file.split(".")
    implementation = implementation_of(file)
    if package == "updates":
        mine = [update for update, how in every_update.UPDATES.items() if how.module == name]
        sums = [Check(partial(every_update.check_sum_of_squares, implementation))] if name == "vector" else []
        return [*(Check(partial(every_update.check_update, update, implementation)) for update in mine), *sums]
    small = [case for case in cases.of(name) if not case.large]
    large = [case for case in cases.of(name) if case.large]
    return [
        *(_of_passes(case, implementation) for case in small),
        Check(partial(check_anchors, name, implementation)),
        *(Check(partial(operations.check_not_a_number, case, implementation)) for case in small[:_NOT_A_NUMBER]),
        *(_of_passes(case, implementation) for case in large),
    ]


def _of_passes(case: Case, implementation: str) -> Check:
    expected = operations.expected_passes(case, np.float64)  # once for all mutants
    return Check(partial(operations.check_passes, case, implementation, expected), case.large)


def implementation_of(file: str) -> str:
    """The emulated implementation whose kernels are those of a file."""
    module = f"{_PACKAGE.name}.{file}"
    for name in implementations.NAMES:
        if implementations.place(name) == "emulated" and implementations.load(module.rpartition(".")[0], name).__name__ == module:
            return name
    raise InputError(f"file is {file!r}; expected one whose kernels an implementation launches")


def _callers(function: Function, known: list[Function]) -> list[Function]:
    """A function, and those of the file that call it, or call one that does."""
    found = [function]
    for other in known:  # what is called is declared before
        if other not in found and any(re.search(rf"\b{each.name}{_CALL}", other.text[other.body :]) for each in found):
            found.append(other)
    return found


def _renamed(text: str, names: Mapping[str, str]) -> str:
    return re.sub(rf"\b({'|'.join(names)})\b(?={_CALL})", lambda match: names[match[1]], text)
