"""Means, standard errors, and differences seed by seed, against numbers worked out by hand."""

import numpy as np
import pytest

from experiments import summary
from experiments.store import Measured


def measured(line, x, seed, accuracy):
    return Measured(line, line, x, seed, "", "", {}, 1, 1, [0.1, accuracy], [1.0, 0.5], 1.0, "", {})


def test_lines_have_means_and_standard_errors():
    found = [measured("a", 0.0, seed, accuracy) for seed, accuracy in enumerate((0.5, 0.6, 0.7))]
    line = summary.lines([*found, measured("a", 1.0, 0, 0.9), measured("b", None, 1, 0.25)])["a"]
    assert line.x.tolist() == [0, 1]
    np.testing.assert_allclose(line.mean, [60, 90])
    assert line.error[0] == pytest.approx(10 / np.sqrt(3)) and np.isnan(line.error[1])
    assert np.isnan(line.each[1, 1:]).all()


def test_epochs_are_places():
    found = [measured("a", None, 0, 0.5), measured("a", None, 1, 0.7), measured("b", None, 1, 0.25)]
    lines = summary.by_epoch(found)
    assert lines["a"].x.tolist() == [1, 2]
    np.testing.assert_allclose(lines["a"].mean, [10, 60])
    np.testing.assert_allclose(lines["b"].each, [[np.nan, 10], [np.nan, 25]])


def test_a_difference_is_taken_seed_by_seed():
    one, other = np.array([60.0, 70, 80]), np.array([59.0, 68, 77])
    found = summary.difference(one, other)  # 1, 2, 3: deviation 1, and 4.303 of them for two degrees of freedom
    assert (found.mean, found.seeds) == (pytest.approx(2), 3)
    assert found.half == pytest.approx(4.3027 / np.sqrt(3), abs=1e-3)
    assert found.verdict == "may be chance"
    assert summary.difference(one, other + np.array([0, 1, 2]) - 5).verdict == "more than chance"
    assert str(summary.difference(one[:1], other[:1])) == "+1.0 points (1 seed): one seed: nothing can be said"


def test_seeds_that_one_lacks_are_left_out():
    assert summary.difference(np.array([1.0, np.nan, 3]), np.array([0.0, 1, 2])).seeds == 2
