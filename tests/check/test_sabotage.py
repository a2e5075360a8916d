"""Planted bugs: they are there inside of the `with` block and gone after it, and some checks notice and some do not."""

import numpy as np
import pytest

from xception_np import ops
from xception_np.check import sabotage
from xception_np.errors import InputError
from xception_np.geometry import Geometry


@pytest.mark.parametrize("operation", sabotage.BUGS)
def test_every_bug_changes_a_text_and_leaves_no_trace(operation):
    before = Geometry.taps, Geometry.origin
    for bug in sabotage.BUGS[operation]:
        assert bug.before != bug.after
        with sabotage.planted(operation, bug):
            assert sabotage.notices("our CPU version", operation) or sabotage.notices("numbers by hand", operation)
        assert (Geometry.taps, Geometry.origin) == before
    assert not sabotage.notices("numbers by hand", operation)


@pytest.mark.slow
def test_what_is_wrong_in_both_passes_needs_something_from_outside():
    bugs, checks, caught = sabotage.matrix("depthwise_conv")
    of = dict(zip(bugs, caught, strict=True))
    inside = [checks.index(name) for name in ("differences, dy random", "adjoint")]
    for bug in bugs:
        assert of[bug][inside].all() != bug.startswith("both passes"), bug
    assert caught[:, checks.index("numbers by hand")].all()


@pytest.mark.slow
def test_ones_hide_what_multiplies_the_gradient_of_batch_norm():
    bugs, checks, caught = sabotage.matrix("batch_norm")
    of = dict(zip(bugs, caught, strict=True))
    missed = of["dx: not divided by the deviation"]
    assert missed[checks.index("differences, dy random")] and not missed[checks.index("differences, dy = 1")]


def test_an_operation_without_a_list_of_bugs():
    with pytest.raises(InputError, match="operation is 'relu'; expected one of depthwise_conv, batch_norm"):
        sabotage.matrix("relu")


def test_a_bug_that_fits_nowhere():
    with (
        pytest.raises(InputError, match="expected its `before` in backward"),
        sabotage.planted("batch_norm", sabotage.Bug("none", "backward", "nonsense", "")),
    ):
        pass


def test_what_crashes_is_noticed():
    bug = sabotage.Bug("crash", "forward", "return y, Cache", "return 1 / 0, Cache")
    with sabotage.planted("batch_norm", bug):
        assert sabotage.notices("numbers by hand", "batch_norm")
    assert np.isfinite(ops.batch_norm.forward(np.ones((2, 1)), np.ones(1), np.ones(1), 1e-3, implementation="reference")[0]).all()


def test_windows_that_were_kept_are_forgotten():
    bug, geometry = sabotage.BUGS["depthwise_conv"][-1], Geometry(3)
    right = geometry.windows(5, 5)
    with sabotage.planted("depthwise_conv", bug):
        assert geometry.windows(5, 5).origin == (2, 1)
    assert geometry.windows(5, 5) == right
