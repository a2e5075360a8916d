"""How good a model is: by its folded form, and never by numbers that are none."""

import numpy as np
import pytest
from small_runs import stripes, tiny_model

from xception_np import implementations
from xception_np.data import Preprocessing
from xception_np.errors import InputError
from xception_np.models import folding
from xception_np.training import evaluate
from xception_np.training.evaluation import softmax


def test_numbers_that_become_too_large_are_said_in_a_sentence():
    model, data = tiny_model(), stripes()
    model.arrays["block1_conv1/kernel"][...] = 1e38
    model.arrays["block1_conv1_bn/moving_variance"][...] = 0
    with np.errstate(over="raise", invalid="raise"), pytest.raises(InputError, match="results are not finite"):
        evaluate(model, data, Preprocessing.of(data))


def test_the_folded_form_is_evaluated_but_by_the_reference(monkeypatch):
    seen, folded = [], folding.folded
    monkeypatch.setattr(folding, "folded", lambda model: seen.append(model) or folded(model))
    model, data = tiny_model(), stripes()
    for name, count in (("cpu", 1), ("reference", 1)):
        with implementations.use(name):
            evaluate(model, data, Preprocessing.of(data))
        assert len(seen) == count


def test_results_that_are_not_finite_are_no_answer():
    with pytest.raises(InputError, match="results are not finite"):
        softmax(np.array([[0.0, np.nan]]))
