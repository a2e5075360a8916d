"""Predicting time: by hand, and from constants that are measured."""

import math

import pytest

from xception_np import cost, layers, models, threads
from xception_np.cost import Machine
from xception_np.errors import InputError
from xception_np.ops.spec import Cost


def test_a_linear_network_by_hand():
    net = layers.Chain("net", [layers.Dense("wide", 3, 50), layers.Dense("narrow", 50, 2)])
    lines = cost.count(net, (4, 3))
    machine = Machine(peak=100, bandwidth=1000, call=0.5)
    macs = 4 * 3 * 50, 4 * 50 * 2
    moved = 4 * (4 * 3 + 4 * 50 + 3 * 50 + 50), 4 * (4 * 50 + 4 * 2 + 50 * 2 + 2)
    assert [(line.cost.macs, line.cost.bytes_moved) for line in lines] == list(zip(macs, moved, strict=True))
    assert moved == (1648, 1240)
    wide, narrow = 6 + 1.648 + 0.5, 4 + 1.24 + 0.5
    assert cost.predict(lines, machine) == pytest.approx({"wide": wide, "narrow": narrow})
    added = 3 * 4 * 200 / 1000 + 0.5, 3 * 4 * 102 / 1000 + 0.5  # the weight's gradient is read, as is what is added, and written
    step = {"wide": 3 * wide + added[0], "narrow": 3 * narrow + added[1]}
    assert cost.predict(lines, machine, training=True) == pytest.approx(step)


def test_the_ridge_is_where_both_take_as_long():
    machine = Machine(peak=120e9, bandwidth=30e9, call=0)
    assert machine.ridge == 4
    assert machine.seconds(Cost(macs=4, bytes_moved=1)) == pytest.approx(2 * 4 / 120e9)


@pytest.mark.parametrize(
    ("constants", "sentence"),
    [
        ((0, 1, 1), "peak is 0; expected multiply-adds a second, a number of 1 or more"),
        ((1e-310, 1, 1), "peak is 1e-310; expected multiply-adds a second"),
        ((math.inf, 1, 1), "peak is inf; expected"),
        ((1, -3, 1), "bandwidth is -3; expected bytes a second"),
        ((1, math.nan, 1), "bandwidth is nan; expected"),
        ((1, 1, -1e-6), "call is -1e-06; expected the seconds of a call, 0 or more"),
        (("fast", 1, 1), "peak is 'fast'; expected"),
    ],
)
def test_constants_that_no_machine_has(constants, sentence):
    with pytest.raises(InputError, match=sentence):
        Machine(*constants)


def test_constants_of_this_machine(monkeypatch):
    monkeypatch.setattr("xception_np.cost.measuring._FAR", 2**18)
    monkeypatch.setattr("xception_np.cost.measuring._SIDE", 64)
    with threads.use(2):
        machine = cost.measure()
    assert all(isinstance(value, float) and value > 0 for value in (machine.peak, machine.bandwidth, machine.call))
    lines = cost.count(models.outline(models.find("xception_small")), (1, 32, 32, 3))
    assert all(seconds > 0 for seconds in cost.predict(lines, machine).values())


def test_rows_add_up():
    lines = cost.count(models.outline(models.find("xception_small")), (1, 32, 32, 3))
    predicted = cost.predict(lines, Machine(1e9, 1e9, 0))
    measured = dict.fromkeys(predicted, 2.0)
    whole = cost.together("total", lines, predicted, measured)
    for by in cost.BY:
        rows = cost.rows(lines, by, predicted, measured)
        assert Cost(*map(sum, zip(*(row.cost for row in rows), strict=True))) == whole.cost == cost.total(lines)
        assert sum(row.predicted for row in rows) == pytest.approx(whole.predicted)
        assert sum(row.measured for row in rows) == 2.0 * len(lines)
    assert [row.name for row in cost.rows(lines, "module")] == [*(f"block{k}" for k in range(1, 10)), "avg_pool", "predictions"]
    assert {(row.predicted, row.measured) for row in cost.rows(lines)} == {(None, None)}
