"""Settings that refuse what makes no sense, and recipes that are the paper's."""

import dataclasses

import pytest
from small_runs import stripes

from xception_np.data import Augmentation, PaddedCrop, notation
from xception_np.errors import InputError
from xception_np.training import RECIPES, Settings, recipe
from xception_np.training.recipes import ENDLESS, recipe_for


def stripes_as(name):
    return dataclasses.replace(stripes(), name=name)


def test_imagenet_is_the_papers():
    settings = recipe("imagenet").settings
    assert (settings.optimizer, settings.momentum, settings.rate) == ("sgd", 0.9, 0.045)
    assert (settings.schedule, settings.decay_factor, settings.decay_every) == ("epochs", 0.94, 2)
    assert (settings.weight_decay, settings.dropout, settings.warmup) == (1e-5, 0.5, 0)
    assert settings.averaging > 0


def test_jft_is_the_papers():
    settings = recipe("jft").settings
    assert (settings.optimizer, settings.momentum, settings.rate) == ("rmsprop", 0.9, 0.001)
    assert (settings.schedule, settings.decay_factor, settings.decay_every) == ("samples", 0.9, 3_000_000)
    assert (settings.weight_decay, settings.dropout, settings.warmup) == (1e-5, 0, 0)
    assert settings.averaging > 0


def test_a_recipe_is_printed_in_full():
    found = recipe("imagenet").suited(stripes_as("cifar10"))
    text = found.table(found.settings.with_changes({"rate": 0.5}), notation.read("flip, mixup 0.2"))
    lines = {line.split()[0]: line for line in text.splitlines()}
    assert {field.name for field in dataclasses.fields(Settings)} <= lines.keys()
    assert lines["rate"].split(maxsplit=1)[1].split() == ["0.5", "recipe:", "0.045"]
    assert lines["batch"].endswith("not in the source")
    assert lines["momentum"].split() == ["momentum", "0.9"]
    assert lines["augmentation"].split(maxsplit=1)[1] == "flip, mixup 0.2 recipe: alternating flip, crop 3 reflect"
    assert "arXiv 1610.02357" in text


def test_a_recipe_s_own_augmentation_goes_before_the_data_set_s():
    found = recipe("cifar")
    assert found.suited(stripes_as("digits")).augmentation == Augmentation((PaddedCrop(3),))
    own = found._replace(augmentation=Augmentation())
    assert own.suited(stripes_as("digits")) == own
    assert own.table(own.settings, Augmentation()).splitlines()[-1].split() == ["augmentation", "none"]


def test_what_is_not_from_a_source_is_a_setting():
    names = {field.name for field in dataclasses.fields(Settings)} | {"augmentation"}
    assert all(set(found.chosen_here) <= names for found in RECIPES.values())


def test_recipes_by_name_and_by_data(tmp_path):
    assert recipe_for("digits").name == "digits"
    assert recipe_for("/some/cifar.tar").name == "cifar"
    (tmp_path / "train").mkdir()
    assert recipe_for(str(tmp_path)).name == "folder"
    with pytest.raises(InputError, match="recipe is 'resnet'; expected one of imagenet, jft, cifar, folder, digits"):
        recipe("resnet")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"epochs": 0}, "epochs is 0"),
        ({"epochs": 1.5}, r"epochs is 1\.5"),
        ({"epochs": True}, "epochs is True"),
        ({"minutes": 0.0}, r"minutes is 0\.0"),
        ({"minutes": float("inf")}, "minutes is inf"),
        ({"batch": -1}, "batch is -1"),
        ({"optimizer": "adam"}, "optimizer is 'adam'; expected one of sgd, rmsprop, muon"),
        ({"rate": -0.1}, r"lr is -0\.1"),
        ({"rate": float("nan")}, "lr is nan"),
        ({"momentum": 1.0}, r"momentum is 1\.0"),
        ({"nesterov": True, "optimizer": "rmsprop"}, "nesterov is True"),
        ({"nesterov": True, "momentum": 0.0}, "nesterov is True"),
        ({"angle": 0.0}, r"angle is 0\.0"),
        ({"angle": 1.0}, r"angle is 1\.0"),
        ({"optimizer": "muon", "rate": 1e-320}, r"lr is 1e-320; expected a larger learning rate"),
        ({"optimizer": "muon", "frozen_norm": True}, "frozen_norm is True; expected it only with sgd and rmsprop"),
        ({"nesterov": 1}, "nesterov is 1"),
        ({"weight_decay": -1e-5}, "weight_decay is -1e-05"),
        ({"clip": -1.0}, r"clip is -1\.0"),
        ({"clip": float("nan")}, "clip is nan"),
        ({"schedule": "step"}, "schedule is 'step'"),
        ({"warmup": 1.0}, r"warmup is 1\.0"),
        ({"decay_factor": 1.1}, r"decay_factor is 1\.1"),
        ({"decay_every": 0}, "decay_every is 0"),
        ({"decay_every": 10**400}, r"decay_every is 10+; .*, less than 1e\+18"),
        ({"epochs": 10**400}, r"epochs is 10+; .*, less than 1e\+18"),
        ({"label_smoothing": 1.0}, r"label_smoothing is 1\.0"),
        ({"dropout": 1.0}, r"dropout is 1\.0"),
        ({"averaging": 1.0}, r"averaging is 1\.0"),
        ({"validation": -5}, "validation is -5"),
        ({"save_seconds": 0.0}, r"save_seconds is 0\.0"),
        ({"save_steps": -1}, "save_steps is -1"),
        ({"seed": 2**32}, "seed is 4294967296"),
        ({"colour": 1}, "setting is 'colour'; expected one of epochs,"),
        ({"rate": "fast"}, "settings are {'rate': 'fast'}"),
    ],
)
def test_wrong_settings(changes, message):
    with pytest.raises(InputError, match=message):
        Settings().with_changes(changes)


def test_a_time_limit_alone_ends_a_run():
    found = recipe("cifar")
    assert found.changed({"minutes": 3.0}).epochs == ENDLESS
    assert found.changed({"minutes": 3.0, "epochs": 7}).epochs == 7
    assert found.changed({}) == found.settings
    assert "any number" in found.table(found.changed({"minutes": 3.0}), Augmentation())


def test_another_optimizer_needs_a_rate_of_its_own():
    found, rmsprop = recipe("cifar"), {"optimizer": "rmsprop", "nesterov": False}
    with pytest.raises(InputError, match=r"optimizer is 'rmsprop', and the learning rate 1\.6 is what recipe cifar has for muon"):
        found.changed(rmsprop)
    assert found.changed({**rmsprop, "rate": 0.001}).rate == 0.001
    assert found.changed({"optimizer": "muon"}) == found.settings


@pytest.mark.parametrize(
    ("name", "changes", "goes_with"),
    [
        ("digits", {"angle": 0.3}, "the optimizer muon"),
        ("cifar", {"decay_every": 5}, "the schedules epochs and samples"),
        ("cifar", {"decay_factor": 0.5}, "the schedules epochs and samples"),
        ("digits", {"grow_until": 0.5}, "a grow_from below 1"),
    ],
)
def test_what_changes_nothing_is_refused(name, changes, goes_with):
    with pytest.raises(InputError, match=f"which changes nothing; expected it only with {goes_with}"):
        recipe(name).changed(changes)


def test_growth_has_an_end():
    with pytest.raises(InputError, match=r"grow_until is 0; expected a part of the run, as grow_from is 0.5"):
        Settings(grow_from=0.5)
    Settings(grow_from=0.93, grow_until=0.5)  # begins with seven eighths
    with pytest.raises(InputError, match=r"grow_from is 0\.94; expected a part of the pictures' side from 0\.1 on that is less"):
        Settings(grow_from=0.94, grow_until=0.5)
