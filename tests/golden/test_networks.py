"""The published networks beside Keras, timm and PyTorch, without them: golden answers, written by `make_networks.py`."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from networks import CASES, GRADIENTS, KEPT, filled, pictures

from xception_np import models
from xception_np.layers import Step
from xception_np.training import Settings, optimizers
from xception_np.training.descent import descend
from xception_np.training.parallel import Alone

GOLDEN = json.loads((Path(__file__).parent / "networks.json").read_text())


@pytest.mark.parametrize(("name", "size"), CASES)
def test_logits(name, size):
    """In float32 and to 1e-4 of the largest, as both sides compute in it."""
    double = filled(name, size)
    model = models.build(name)
    for mine, other in zip(model.arrays.values(), double.arrays.values(), strict=True):
        mine[...] = other
    expected = np.array(GOLDEN["logits"][f"{name} at {size}"])
    found = model.predict(pictures(1, size).astype(np.float32))[0, :KEPT]
    assert expected.std() > 0.01
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4 * np.abs(expected).max())


def test_gradients_and_losses():
    """In float64: every parameter's gradient by its norm and by a sum over all its elements, and ten steps, to 1e-6."""
    name, size, images = GRADIENTS
    model = filled(name, size)
    x, labels = pictures(images, size), np.arange(images)
    settings = Settings(batch=images, momentum=0.9, weight_decay=1e-4, label_smoothing=0.1)
    optimizer, losses, alone = optimizers.of(settings, model), [], Alone()
    alone.begin(model.buffers, lambda: 0.0, lambda: False)
    for number in range(10):
        losses.append(descend(model, optimizer, settings, x, labels, Step(0, number), 0.01, alone).loss)
        if number == 0:
            for parameter in model.parameters:
                gradient = parameter.gradient
                norm, total = GOLDEN["gradients"][parameter.name]
                assert np.sqrt((gradient**2).sum()) == pytest.approx(norm, rel=1e-6), parameter.name
                found = (gradient.ravel() * np.cos(np.arange(gradient.size))).sum()
                assert found == pytest.approx(total, rel=0, abs=1e-6 * norm * np.sqrt(gradient.size)), parameter.name
    np.testing.assert_allclose(losses, GOLDEN["losses"], rtol=1e-6)
