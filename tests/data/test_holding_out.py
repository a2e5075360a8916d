import numpy as np
import pytest

from xception_np.data import Dataset, hold_out
from xception_np.errors import InputError


def numbered(sizes):
    """Classes of these sizes, shuffled; picture k shows k."""
    labels = np.random.default_rng(0).permutation(np.repeat(np.arange(len(sizes)), sizes)).astype(np.int64)
    images = np.zeros((len(labels), 1, 2, 3), np.uint8)
    images[:, 0, 0, 0], images[:, 0, 0, 1] = np.divmod(np.arange(len(labels)), 256)
    return Dataset("mine", images, labels, tuple(map(str, range(len(sizes)))))


def numbers(dataset):
    return dataset.images[:, 0, 0, 0].astype(int) * 256 + dataset.images[:, 0, 0, 1]


def test_a_partition_in_order_with_each_class_s_share():
    dataset = numbered([100, 200, 300, 400])
    train, held_out = hold_out(dataset, 100)
    assert np.bincount(held_out.labels).tolist() == [10, 20, 30, 40]
    assert np.bincount(train.labels).tolist() == [90, 180, 270, 360]
    kept, out = numbers(train), numbers(held_out)
    assert (np.diff(kept) > 0).all() and (np.diff(out) > 0).all()
    assert sorted([*kept, *out]) == list(range(1000))
    np.testing.assert_array_equal(dataset.labels[out], held_out.labels)
    assert train.name == held_out.name == "mine" and train.classes == dataset.classes


def test_the_largest_remainders_get_the_rest():
    assert np.bincount(hold_out(numbered([5, 3, 2]), 4).test.labels, minlength=3).tolist() == [2, 1, 1]  # of 2, 1.2, 0.8
    assert np.bincount(hold_out(numbered([3, 3, 3]), 4).test.labels).tolist() == [2, 1, 1]
    assert np.bincount(hold_out(numbered([3] * 50), 70).test.labels).tolist() == [2] * 20 + [1] * 30


def test_the_choice_never_changes_but_with_the_seed():
    dataset = numbered([40, 40])
    chosen = numbers(hold_out(dataset, 8).test).tolist()
    assert chosen == [0, 14, 17, 41, 44, 45, 55, 72]
    assert numbers(hold_out(dataset, 8, seed=1).test).tolist() != chosen


def test_the_choice_is_random_within_a_class():
    """The mean number of 250 out of 1000 is 499.5, with a standard deviation of 15.8."""
    assert abs(numbers(hold_out(numbered([500, 500]), 250).test).mean() - 499.5) < 60


@pytest.mark.parametrize("count", [0, 10, -1, 2.5])
def test_hold_out_says_what_is_wrong(count):
    with pytest.raises(InputError, match=f"count is {count}; expected how many of the 10 pictures to hold out, 1 to 9"):
        hold_out(numbered([5, 5]), count)
