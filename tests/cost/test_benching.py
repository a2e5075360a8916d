"""Whole computations that are timed, and the ladder, whose rungs compute the same."""

import numpy as np
import pytest

from xception_np import check, models, ops
from xception_np.cost import benching, ladder
from xception_np.errors import InputError
from xception_np.geometry import Geometry
from xception_np.models.table import Conv, Plain

TINY = models.TABLES["xception_small"]._replace(name="tiny", modules=(Plain("block1", (Conv(4, stride=2),)),))
BUDGET = 1e-4  # float32, sums over 200 positions in other orders


def test_all_rungs_compute_the_same():
    first, *others = ladder.rungs((2, 7, 5, 24))
    expected = first.compute()
    assert len(expected) == 6
    for rung in others:
        for name, actual, array in zip(
            ("y", "dx", "dgamma", "dbeta", "ddepthwise", "dpointwise"), rung.compute(), expected, strict=True
        ):
            check.compare(actual, array, BUDGET, f"{rung.name}, {name}").require()


def test_a_timing():
    calls = []
    timing = benching.timed(lambda: calls.append(np.ones(10**6).sum()), rounds=3)
    assert 0 < timing.fastest <= timing.median <= timing.slowest
    assert len(calls) >= 2 + 3
    assert benching.peak_bytes() > 10**7
    with pytest.raises(InputError, match="rounds is 0"):
        benching.timed(lambda: None, rounds=0)


def test_a_training_step_learns():
    model = models.from_table(TINY, 2)
    x = np.random.default_rng(0).standard_normal((4, 8, 8, 3), np.float32)
    step = benching.training_step(model, x, np.array([0, 1, 0, 1]))
    losses = [step() for _ in range(10)]
    assert losses[-1] < losses[0]


def test_inference_gives_the_logits():
    model = models.from_table(TINY, 2)
    x = np.random.default_rng(0).standard_normal((4, 8, 8, 3), np.float32)
    check.compare(benching.inference(model, x)(), model.predict(x), BUDGET).require()


def test_a_convolution_has_both_passes():
    random = np.random.default_rng(0)
    x, dy = random.standard_normal((2, 1, 5, 5, 4), np.float32)
    weight = random.standard_normal((3, 3, 2, 4), np.float32)
    y, cache = ops.grouped_conv.forward(x, weight, Geometry(3), 2)
    for actual, expected in zip(benching.convolution(x, weight, dy, 2)(), (y, *ops.grouped_conv.backward(dy, cache)), strict=True):
        np.testing.assert_array_equal(actual, expected)


def test_several_are_timed_in_turn(monkeypatch):
    monkeypatch.setattr(benching, "LEAST", 0)
    calls, said = [], []
    computations = [lambda: calls.append("a"), lambda: calls.append("b")]
    assert len(benching.timed_in_turn(computations, rounds=2, said=said.append)) == 2
    assert ("".join(calls), said) == ("aabb" + "aabb" * 2, ["round 1 of 2", "round 2 of 2"])
