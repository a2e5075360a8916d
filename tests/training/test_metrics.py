"""Measures of predictions, by hand."""

import math

import numpy as np
import pytest

from xception_np.errors import InputError
from xception_np.training import Evaluation, confusion, map_at_k


def test_evaluation_by_hand():
    evaluation = Evaluation(np.array([[0.5, 0.5 - 1e-9], [0.25, 0.75]]), np.array([0, 0]), seconds=4.0)
    assert evaluation.accuracy == 0.5
    assert evaluation.loss == pytest.approx(-(math.log(0.5) + math.log(0.25)) / 2)
    assert evaluation.images_per_second == 0.5


def test_confusion_by_hand():
    labels, predicted = np.array([0, 0, 1, 2, 2, 2]), np.array([0, 1, 1, 0, 2, 2])
    np.testing.assert_array_equal(confusion(labels, predicted, 3), [[1, 1, 0], [0, 1, 0], [1, 0, 2]])


def test_numbers_of_few_bits():
    """59 * 100 + 59 does not fit into 8 bits, nor does -1 into those without a sign."""
    label = np.array([59], np.uint8)
    assert np.argwhere(confusion(label, label, 100)).tolist() == [[59, 59]]
    assert map_at_k(np.array([[1, 2, 0]], np.uint8), np.array([[0, 1, 0]]), k=1) == 1


def test_map_at_k_by_hand():
    scores = np.array([[0.9, 0.8, 0.7, 0.1], [0.1, 0.2, 0.3, 0.4]])
    targets = np.array([[1, 0, 1, 0], [1, 0, 0, 0]])
    # The first picture's right classes come first and third: (1/1 + 2/3) / 2. The second's comes last: 1/4.
    assert map_at_k(scores, targets, k=4) == pytest.approx((5 / 6 + 1 / 4) / 2)
    # Of the first two predictions: (1/1) / 2, and nothing.
    assert map_at_k(scores, targets, k=2) == pytest.approx((1 / 2 + 0) / 2)
    # One prediction: no more than one can be right.
    assert map_at_k(scores, targets, k=1) == pytest.approx((1 + 0) / 2)
    assert map_at_k(scores, targets) == map_at_k(scores, targets, k=4)


def test_map_at_k_leaves_out_pictures_without_a_class():
    assert map_at_k(np.array([[0.2, 0.1], [0.1, 0.2]]), np.array([[1, 0], [0, 0]]), k=2) == 1


def test_map_at_1_of_one_class_is_accuracy():
    rng = np.random.default_rng(0)
    scores, labels = rng.random((50, 5)), rng.integers(0, 5, 50)
    assert map_at_k(scores, np.eye(5)[labels], k=1) == pytest.approx((scores.argmax(axis=1) == labels).mean())


@pytest.mark.parametrize(
    ("targets", "k", "message"),
    [
        (np.ones((2, 3)), 1, r"targets has shape \(2, 3\); expected \(2, 2\)"),
        (np.ones((2, 2)), 0, "k is 0"),
        (np.ones((2, 2)), 1.5, r"k is 1\.5"),
        (np.zeros((2, 2)), 1, "targets are all 0"),
    ],
)
def test_map_of_what_makes_no_sense(targets, k, message):
    with pytest.raises(InputError, match=message):
        map_at_k(np.ones((2, 2)), targets, k)


@pytest.mark.parametrize(("labels", "predicted"), [([0, 0], [0, 2]), ([-1, 0], [0, 1])])
def test_confusion_with_what_is_no_class(labels, predicted):
    with pytest.raises(InputError, match=r"is from .*; expected numbers of classes, 0 to 1"):
        confusion(np.array(labels), np.array(predicted), 2)
