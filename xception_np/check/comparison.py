"""Two arrays that should agree, and how much of the allowed error they used.

    error = max|actual - expected| / max|expected|          one number for the whole array
    used  = error / budget                                  1 or less is a pass

Dividing by the largest value, not by each element, is what rounding does: an element that is small because large terms
cancel carries the error of those terms. Where `expected` is all zeros the error is max|actual|.
"""

from dataclasses import dataclass

import numpy as np

from xception_np.errors import InputError


@dataclass(frozen=True)
class Comparison:
    """The outcome of one comparison; prints as one line."""

    what: str
    error: float
    budget: float
    index: tuple[int, ...] = ()
    actual: float = 0.0
    expected: float = 0.0
    problem: str = ""

    @property
    def used(self) -> float:
        """The part of the budget that the error used."""
        return self.error / self.budget

    @property
    def ok(self) -> bool:
        """Whether shape, dtype and values agree."""
        return not self.problem and self.used <= 1

    def __str__(self):
        if self.problem:
            return f"{self.what}: {self.problem}"
        line = (
            f"{self.what}: worst error {self.error:.1e} of the largest, {100 * self.used:.3g}% of the budget {self.budget:.0e}, "
            f"at {self.index}"
        )
        return line if self.ok else f"{line}: {self.actual!r} instead of {self.expected!r}"

    def require(self) -> None:
        """Raise an AssertionError with the printed line, unless the two agree."""
        if not self.ok:
            raise AssertionError(str(self))


def compare(actual, expected, budget: float, what: str = "") -> Comparison:
    """Compare an array with what it should be.

    Parameters
    ----------
    actual, expected : arrays or numbers
        A difference in shape or dtype, and any NaN or infinity in either, fails whatever the budget.
    budget : float
        The error allowed, as a part of the largest expected value; more than 0.
    what : str
        Name of the quantity, printed first.

    Returns
    -------
    Comparison
    """
    if not budget > 0:
        raise InputError(f"budget is {budget!r}; expected a number above 0, the part of the largest value that may be wrong")
    actual, expected = np.asarray(actual), np.asarray(expected)
    problem = _problem(actual, expected)
    if problem:
        return Comparison(what, np.inf, budget, problem=problem)
    if expected.size == 0:
        return Comparison(what, 0.0, budget)
    difference = np.abs(actual.astype(np.float64) - expected)
    index = tuple(int(k) for k in np.unravel_index(np.argmax(difference), difference.shape))
    error = float(difference[index]) / (float(np.abs(expected).max()) or 1.0)
    return Comparison(what, error, budget, index, float(actual[index]), float(expected[index]))


def require_all(comparisons: list[Comparison]) -> None:
    """Raise an AssertionError that lists every comparison that failed, a line each."""
    if not comparisons:
        raise AssertionError("nothing was compared")
    failed = [str(comparison) for comparison in comparisons if not comparison.ok]
    if failed:
        raise AssertionError("\n".join(failed))


def _problem(actual: np.ndarray, expected: np.ndarray) -> str:
    if actual.shape != expected.shape:
        return f"shape {actual.shape} instead of {expected.shape}"
    if actual.dtype != expected.dtype:
        return f"dtype {actual.dtype} instead of {expected.dtype}"
    for name, array in (("the result", actual), ("what is expected", expected)):
        wrong = np.argwhere(~np.isfinite(array))
        if len(wrong):
            index = tuple(int(k) for k in wrong[0])
            return f"{array[index]} in {name} at {index}"
    return ""
