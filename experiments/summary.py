"""What results say: means with their standard errors, and differences with what may be chance."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import stats

from experiments.store import Measured


class Line(NamedTuple):
    """Test accuracy, in percent, of the points of one line; after the last epoch, if places are not epochs.

    x : (points,) places
    each : (points, seeds) array, NaN where a seed is still to be trained
    """

    x: np.ndarray
    each: np.ndarray

    @property
    def mean(self) -> np.ndarray:
        """Over the seeds."""
        return np.nanmean(self.each, axis=1)

    @property
    def error(self) -> np.ndarray:
        """Standard error of the mean; NaN where there is one seed."""
        count = np.isfinite(self.each).sum(axis=1)
        squares = np.nansum((self.each - self.mean[:, None]) ** 2, axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.sqrt(squares / (count - 1) / count)


def lines(found: Sequence[Measured]) -> dict[str, Line]:
    """The lines of a figure; bars, which have no place along a line, are points at 0."""
    seeds = sorted({each.seed for each in found})
    result = {}
    for name, of_line in _by_line(found).items():
        places = sorted({each.x or 0.0 for each in of_line})
        values = np.full((len(places), len(seeds)), np.nan)
        for each in of_line:
            values[places.index(each.x or 0.0), seeds.index(each.seed)] = 100 * each.accuracy[-1]
        result[name] = Line(np.array(places), values)
    return result


def by_epoch(found: Sequence[Measured]) -> dict[str, Line]:
    """The same after every epoch, for a figure whose points have no place: an epoch is one."""
    seeds = sorted({each.seed for each in found})
    result = {}
    for name, of_line in _by_line(found).items():
        values = np.full((max(len(each.accuracy) for each in of_line), len(seeds)), np.nan)
        for each in of_line:
            values[: len(each.accuracy), seeds.index(each.seed)] = 100 * np.array(each.accuracy)
        result[name] = Line(np.arange(1.0, len(values) + 1), values)
    return result


def _by_line(found: Sequence[Measured]) -> dict[str, list[Measured]]:
    return {name: [each for each in found if each.line == name] for name in dict.fromkeys(each.line for each in found)}


class Difference(NamedTuple):
    """How much better one is than another, in percent of the pictures, seed by seed.

    mean : of the differences
    half : half the width of the interval that holds the true mean in 95 of 100 cases (Student's t); NaN with one seed
    seeds : that both have
    """

    mean: float
    half: float
    seeds: int

    @property
    def verdict(self) -> str:
        """What may be said of it."""
        if self.seeds < 2:
            return "one seed: nothing can be said"
        return "more than chance" if abs(self.mean) > self.half else "may be chance"

    def __str__(self) -> str:
        size = f"{self.mean:+.1f}" if self.seeds < 2 else f"{self.mean:+.1f} ± {self.half:.1f}"
        return f"{size} points ({self.seeds} seed{'s' * (self.seeds != 1)}): {self.verdict}"


def difference(one: np.ndarray, other: np.ndarray) -> Difference:
    """`one` less `other`, (seeds,) arrays; seeds that either lacks are left out."""
    found = (one - other)[np.isfinite(one - other)]
    count = len(found)
    half = float(stats.t.ppf(0.975, count - 1) * found.std(ddof=1) / np.sqrt(count)) if count > 1 else float("nan")
    return Difference(float(found.mean()) if count else float("nan"), half, count)
