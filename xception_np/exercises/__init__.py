"""The notebooks' exercises: a hole of a few lines, and a check that says which element is wrong.

    from xception_np import exercises

    def bias_gradient(dy):           # a cell of a notebook, with its hole
        ...

    exercises.check("bias_gradient", bias_gradient)

An exercise is right when it agrees with the solution on every case, on shapes that the reader did not see. The solutions are in
this package, a file a notebook, so that a notebook can fold one away and a test can try it.
"""

import ast
import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from textwrap import dedent

import numpy as np

from xception_np.check.comparison import compare
from xception_np.errors import InputError

__all__ = ["Exercise", "check", "find", "known_exercises", "solution"]


@dataclass(frozen=True)
class Exercise:
    """A function to be written.

    Parameters
    ----------
    solve : callable
        The solution: arrays and numbers in, an array or a tuple of arrays out. The notebook calls the exercise by its name.
    cases : callable
        () -> arguments of every case, the friendliest first; the same on every call.
    results : sequence of str
        The names of what it returns, for messages.
    lines : int
        How many lines the answer should take, without its `def` line and docstring.
    budget : float
        The error allowed, as a part of the largest value.
    """

    solve: Callable
    cases: Callable[[], Iterable[tuple]]
    results: Sequence[str]
    lines: int
    budget: float = 1e-10

    @property
    def name(self) -> str:
        """The solution's name."""
        return self.solve.__name__


def known_exercises() -> dict[str, Exercise]:
    """All exercises by name: what the modules of this package, one for a notebook, have in their tuple EXERCISES."""
    modules = [importlib.import_module(f"{__name__}.{module.name}") for module in pkgutil.iter_modules(__path__)]
    return {exercise.name: exercise for module in modules for exercise in module.EXERCISES}


def find(name: str) -> Exercise:
    """The exercise of this name; an `InputError` lists those that exist."""
    known = known_exercises()
    if name not in known:
        raise InputError(f"exercise is {name!r}; expected one of {', '.join(known)}")
    return known[name]


def solution(name: str) -> str:
    """The text of an exercise's solution."""
    return dedent(inspect.getsource(find(name).solve))


def check(name: str, attempt: Callable) -> bool:
    """Compare an attempt with the solution on every case, print what was found, and say whether it is right.

    The first result that is wrong is named with its worst element. What the attempt raises becomes a sentence, so that a
    notebook with open holes runs to its end.
    """
    exercise = find(name)
    verdict = _verdict(exercise, attempt)
    print(verdict or f"{name}: right, on {len(list(exercise.cases()))} cases{_length(exercise, attempt)}")
    return not verdict


def _verdict(exercise: Exercise, attempt: Callable) -> str:
    """What is wrong, in a sentence; empty if nothing is."""
    for number, arguments in enumerate(exercise.cases(), 1):
        where, before = f"{exercise.name}, case {number}", deepcopy(arguments)
        expected = exercise.solve(*deepcopy(arguments))
        try:
            found = attempt(*arguments)
        except Exception as error:  # whatever a reader's code does
            return f"{where}: {type(error).__name__}: {error}"
        if found is None or found is Ellipsis:
            return f"{exercise.name}: still a hole ({exercise.lines} {'line' if exercise.lines == 1 else 'lines'} will do)"
        for what, given, was in zip(inspect.signature(exercise.solve).parameters, arguments, before, strict=True):
            if isinstance(given, np.ndarray) and not np.array_equal(given, was):
                return f"{where}: {what} has changed; whoever called may still need it as it was"
        expected = expected if isinstance(expected, tuple) else (expected,)
        several = isinstance(found, tuple) or (isinstance(found, list) and len(expected) > 1)
        try:
            found = [np.asarray(value) for value in (found if several else (found,))]
        except ValueError as error:  # lists of lists that are no matrix
            return f"{where}: no array: {error}"
        if len(found) != len(expected):
            return f"{where}: {len(found)} results instead of {len(expected)}: {', '.join(exercise.results)}"
        for what, actual, right in zip(exercise.results, found, expected, strict=True):
            comparison = compare(actual, _as_given(right, actual), exercise.budget, f"{where}, {what}")
            if not comparison.ok:
                return str(comparison)
    return ""


def _as_given(right, actual: np.ndarray) -> np.ndarray:
    """The right answer; as a float where it is a whole number and the answer is one as a float."""
    right = np.asarray(right)
    return right.astype(actual.dtype) if right.dtype.kind == "i" and actual.dtype.kind == "f" else right


def _length(exercise: Exercise, attempt: Callable) -> str:
    """How long an attempt is, if the solution is shorter: lines without the `def` and the docstring."""
    try:
        function = ast.parse(dedent(inspect.getsource(attempt))).body[0]
    except (OSError, TypeError, SyntaxError):  # typed where nothing keeps the text, or a part of a line
        return ""
    if not isinstance(function, ast.FunctionDef):
        return ""
    body = function.body[ast.get_docstring(function) is not None :]
    lines = 1 + (body[-1].end_lineno or 0) - body[0].lineno if body else 0
    return f", in {lines} lines; {exercise.lines} will do" if lines > exercise.lines else ""
