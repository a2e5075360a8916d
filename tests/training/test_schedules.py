"""Schedules, by hand."""

import pytest

from xception_np.errors import InputError
from xception_np.training import Settings, schedules
from xception_np.training.schedules import Moment


def test_cosine():
    assert schedules.cosine(Moment(0)) == 1
    assert schedules.cosine(Moment(1 / 3)) == pytest.approx(0.75)  # (1 + cos 60 degrees) / 2
    assert schedules.cosine(Moment(0.5)) == pytest.approx(0.5)
    assert schedules.cosine(Moment(1)) == pytest.approx(0)


def test_linear_and_constant():
    assert [schedules.linear(Moment(p)) for p in (0, 0.25, 1)] == [1, 0.75, 0]
    assert [schedules.constant(Moment(p)) for p in (0, 1)] == [1, 1]


def test_the_papers_stages():
    imagenet = schedules.every_epochs(0.94, 2)
    assert [imagenet(Moment(0, epochs)) for epochs in (0, 1.999, 2, 3.9, 4)] == [1, 1, 0.94, 0.94, 0.94**2]
    jft = schedules.every_samples(0.9, 3_000_000)
    samples = (0, 2_999_999, 3_000_000, 9_000_000)
    assert [jft(Moment(0, 0, count)) for count in samples] == [1, 1, 0.9, 0.9**3]


def test_warm_up_rises_to_the_start_of_the_schedule():
    factor = schedules.warmed_up(schedules.linear, 0.2)
    assert [factor(Moment(p)) for p in (0, 0.1, 0.2)] == [0, 0.5, 1]
    assert factor(Moment(0.6)) == pytest.approx(0.5)
    assert factor(Moment(1)) == 0


@pytest.mark.parametrize(
    ("name", "expected"), [("constant", 1), ("linear", 0.75), ("cosine", 0.8535534), ("epochs", 0.5**3), ("samples", 0.5**2)]
)
def test_settings_choose_the_schedule(name, expected):
    every = 1 if name == "epochs" else 1000
    schedule = schedules.of(Settings(schedule=name, warmup=0.0, decay_factor=0.5, decay_every=every))
    assert schedule(Moment(0.25, 3.5, 2500)) == pytest.approx(expected)


def test_a_warm_up_that_never_ends():
    with pytest.raises(InputError, match=r"warmup is 1\.0"):
        schedules.warmed_up(schedules.cosine, 1.0)
