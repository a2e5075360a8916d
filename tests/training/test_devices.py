"""Training where the model is: on the emulated GPU, the same run as on the CPU, to rounding."""

import numpy as np
import pytest
from small_runs import TINY, tiny_model, trainer

from xception_np import models
from xception_np.errors import InputError
from xception_np.layers import Step
from xception_np.models import folding, inside
from xception_np.training import Settings, optimizers, parallel
from xception_np.training.descent import descend

ALIKE = 1e-5  # of a loss: float32 rounds in other places, and a dozen steps let that grow
EVERYTHING = {"averaging": 0.9, "clip": 0.5, "label_smoothing": 0.1, "weight_decay": 1e-3, "validation": 16, "epochs": 9}


pytestmark = pytest.mark.usefixtures("needs_compiler")


def run(folder, place, **settings):
    model = tiny_model()
    model.move(place)
    run = trainer(folder, model, **settings)
    run.run()
    assert model.place == place
    return run


@pytest.mark.parametrize(
    "changes",
    [{"nesterov": True}, {"optimizer": "rmsprop", "rate": 1e-3}, {"optimizer": "muon", "nesterov": True}],
    ids=["sgd", "rmsprop", "muon"],
)
def test_like_the_cpu(tmp_path, changes):
    settings = {**EVERYTHING, **changes, "steps": 6}
    there, here = (run(tmp_path / place, place, **settings) for place in ("emulated", "numpy"))
    assert len(there.history) == 6
    np.testing.assert_allclose([step.loss for step in there.history], [step.loss for step in here.history], rtol=ALIKE)
    np.testing.assert_allclose([each.loss for each in there.validations], [each.loss for each in here.validations], rtol=10 * ALIKE)
    for name, array in here.model.arrays.items():
        np.testing.assert_allclose(there.model.arrays[name].get(), array, rtol=0, atol=1e-3 * np.abs(array).max(), err_msg=name)


def test_a_run_goes_on_to_the_same_bits(tmp_path):
    whole = run(tmp_path / "whole", "emulated", **EVERYTHING, steps=4)
    first = tiny_model()
    first.move("emulated")

    def stop(progress):
        if progress.step == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        trainer(tmp_path / "parts", first, **EVERYTHING, steps=4).run(stop)
    second = tiny_model()
    second.move("emulated")
    going_on = trainer(tmp_path / "parts", second, **EVERYTHING, steps=4)
    going_on.restore()
    assert going_on.step == 2
    going_on.run()
    assert second.buffers.values.get().tobytes() == whole.model.buffers.values.get().tobytes()


def test_a_number_that_is_not_finite_is_found(tmp_path):
    model = tiny_model()
    model.buffers.values[3] = np.nan
    model.move("emulated")
    with pytest.raises(InputError, match=r"is nan at step 1.* first not finite in the parameter"):
        trainer(tmp_path / "run", model, steps=2).run()


def test_what_needs_a_model_in_numpy_says_so():
    model = tiny_model()
    model.move("emulated")
    x = np.zeros((1, 8, 8, 3), np.float32)
    for use in (folding.folded, lambda model: inside.features(model, x, []), lambda model: inside.grad_cam(model, x)):
        with pytest.raises(InputError, match=r"model is on the emulated GPU; expected it in NumPy: model\.move\('numpy'\)"):
            use(model)
    model.move("numpy")
    folding.folded(model)


def test_in_float64_nothing_is_left_of_the_difference():
    """So it is rounding, and what ten steps make of it."""
    x = np.random.default_rng(0).standard_normal((8, 32, 32, 3))
    labels = np.arange(8) % 2
    settings = Settings(batch=8, weight_decay=1e-3, nesterov=True, label_smoothing=0.1, clip=1.0)
    losses = {}
    for place in ("numpy", "emulated"):
        model = models.from_table(TINY, 2, seed=3, dtype=np.float64)
        model.move(place)
        optimizer, alone = optimizers.of(settings, model), parallel.Alone()
        alone.begin(model.buffers, lambda: 0.0, lambda: False)
        steps = (descend(model, optimizer, settings, x, labels, Step(0, number), 0.05, alone) for number in range(10))
        losses[place] = [total.loss for total in steps]
    assert np.ptp(losses["numpy"]) > 0.1
    np.testing.assert_allclose(losses["emulated"], losses["numpy"], rtol=1e-9)
