"""From a trained network to another task: what learns, what stays, and that it helps."""

import numpy as np
import pytest
from small_runs import restored, tiny_model, trainer

from xception_np import data, models, training, weights
from xception_np.errors import InputError
from xception_np.training import Settings, Trainer, box, recipe
from xception_np.training.regularisation import rate_parts


def parts(model):
    """Values of the last layer, of all others, and moving statistics."""
    head = {p.name for p in model.parameters if p.name.startswith("predictions/")}
    values = {name: array.copy() for name, array in model.arrays.items()}
    moving = {p.name for p in model.moving}
    return (
        {name: array for name, array in values.items() if name in head},
        {name: array for name, array in values.items() if name not in head | moving},
        {name: array for name, array in values.items() if name in moving},
    )


def changed(before, after):
    return [name for name in before if not np.array_equal(before[name], after[name])]


def test_rates_of_the_last_layer_and_of_the_others():
    model = tiny_model()
    total = model.buffers.values.size
    head = sum(p.size for p in model.parameters if p.name.startswith("predictions/"))
    assert rate_parts(model.parameters, 0.25) == [(slice(0, total - head), 0.25), (slice(total - head, total), 1.0)]
    assert rate_parts(model.parameters, 1.0) == [(slice(0, total), 1.0)]


@pytest.mark.parametrize("optimizer", ["sgd", "rmsprop", "muon"])
@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_a_backbone_that_stays(tmp_path, optimizer, dropout):
    model = models.from_table(tiny_model().table, 2, seed=1, dropout=dropout)
    before = parts(model)
    trainer(tmp_path / "run", model, optimizer=optimizer, backbone_rate=0.0, weight_decay=0.1, dropout=dropout).run()
    head, others, moving = (changed(*pair) for pair in zip(before, parts(model), strict=True))
    assert head == list(before[0])
    assert others == moving == []


def test_frozen_statistics_stay_while_everything_learns(tmp_path):
    model = tiny_model()
    before = parts(model)
    trainer(tmp_path / "run", model, frozen_norm=True, backbone_rate=0.1, averaging=0.9).run()
    head, others, moving = (changed(*pair) for pair in zip(before, parts(model), strict=True))
    assert head == list(before[0])
    assert others == list(before[1])
    assert moving == []


def test_steps_of_the_backbone_are_a_part_of_those_of_the_last_layer(tmp_path):
    """One step from the same values: those of the others are 1/10 as long."""
    steps = []
    for rate in (1.0, 0.1):
        model = tiny_model()
        before = model.buffers.values.copy()
        trainer(tmp_path / str(rate), model, epochs=1, batch=48, backbone_rate=rate, warmup=0.0).run()
        steps.append(model.buffers.values - before)
    head = sum(p.size for p in model.parameters if p.name.startswith("predictions/"))
    np.testing.assert_allclose(steps[1][-head:], steps[0][-head:], rtol=1e-6)
    np.testing.assert_allclose(steps[1][:-head], 0.1 * steps[0][:-head], rtol=1e-3, atol=1e-7)


def test_it_goes_on_to_the_same_bits(tmp_path):
    settings = {"backbone_rate": 0.0, "frozen_norm": True, "averaging": 0.9, "save_steps": 2}
    whole = trainer(tmp_path / "whole", **settings)
    whole.run()

    class Stop(Exception):
        pass

    def stop(progress):
        if progress.step == 3:
            raise Stop

    with pytest.raises(Stop):
        trainer(tmp_path / "run", **settings).run(stop)
    again = restored(tmp_path / "run", **settings)
    again.run()
    for array, other in zip(whole.model.arrays.values(), again.model.arrays.values(), strict=True):
        np.testing.assert_array_equal(array, other)


def test_values_that_make_no_sense():
    for change in ({"backbone_rate": -0.1}, {"backbone_rate": 1.5}, {"frozen_norm": 1}):
        with pytest.raises(InputError, match=next(iter(change))):
            Settings(**change)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_from_cifar_10_to_digits_beats_starting_values(tmp_path, seed):
    """Equal steps, 20 on 640 pictures: from the model in the box, and from nothing, each with its recipe's settings."""
    train, test = data.load("digits")
    train = data.Dataset(train.name, train.images[:640], train.labels[:640], train.classes)
    accuracies = {}
    for name, settings in {
        "tuned": recipe("fine-tuning").settings.with_changes({"epochs": 1, "seed": seed}),
        "from nothing": recipe("digits").settings.with_changes({"epochs": 1, "seed": seed}),
    }.items():
        model = models.build("xception_small", len(train.classes), seed)
        preprocessing = None
        if name == "tuned":
            weights.load(model, box.checkpoint(), new_head=True)
            preprocessing = training.load(box.checkpoint()).preprocessing
        run = Trainer(model, train, settings, tmp_path / name, preprocessing=preprocessing)
        run.run()
        assert run.settings.batch == 32
        accuracies[name] = run.evaluate(test).accuracy
    assert accuracies["tuned"] > accuracies["from nothing"] + 0.1, accuracies
