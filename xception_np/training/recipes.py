"""Recipes: settings that go together, by name. Any of them can be changed: `recipe("cifar").settings.with_changes(...)`."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from xception_np.data import Augmentation, Pictures, glyphs, is_folder_of_pictures, notation
from xception_np.errors import InputError
from xception_np.training.settings import Settings

ENDLESS = 1_000_000  # epochs, more than any time limit allows


class Recipe(NamedTuple):
    """Settings with a name.

    source : where the settings come from
    chosen_here : settings that the source does not give, so that they are this project's
    augmentation : what is done to training pictures; None for what suits the data set
    """

    name: str
    settings: Settings
    source: str
    chosen_here: tuple[str, ...] = ()
    augmentation: Augmentation | None = None

    def changed(self, changes: Mapping[str, Any]) -> Settings:
        """The settings with changes. A limit of time or steps, without one of epochs, is the only end of a run and its schedule.

        Raises
        ------
        InputError
            If a value makes no sense or changes nothing, or the optimizer is another one and the learning rate is not: what is
            right for Muon's is a thousand times too much for RMSprop's.
        """
        endless = {"epochs": ENDLESS} if any(changes.get(limit) is not None for limit in ("minutes", "steps")) else {}
        settings, own = self.settings.with_changes({**endless, **changes}), self.settings.optimizer
        if settings.optimizer != own and "rate" not in changes:
            raise InputError(
                f"optimizer is {settings.optimizer!r}, and the learning rate {settings.rate} is what recipe {self.name} has "
                f"for {own}; expected a learning rate of its own with another optimizer"
            )
        for name, goes_with in settings.unused().items():
            if name in changes:
                raise InputError(f"{name} is {changes[name]}, which changes nothing; expected it only with {goes_with}")
        return settings

    def suited(self, train: Pictures) -> "Recipe":
        """The same recipe with an augmentation in any case: the one that suits this data set where it has none of its own."""
        return self if self.augmentation is not None else self._replace(augmentation=Augmentation.of(train))

    def table(self, settings: Settings, augmentation: Augmentation) -> str:
        """Everything, a line each; what differs from the recipe says what it had, what is not from its source says so."""
        lines = [f"recipe {self.name}: {self.source}"]
        originals = _everything(self.settings, self.augmentation)
        for name, value in _everything(settings, augmentation).items():
            original = originals[name]
            remark = f"recipe: {_shown(original)}" if value != original else "not in the source" * (name in self.chosen_here)
            lines.append(f"  {name:<16} {_shown(value):<12} {remark}".rstrip())
        return "\n".join(lines)


def _everything(settings: Settings, augmentation: Augmentation | None) -> dict:
    epochs = "any number" if settings.epochs == ENDLESS else settings.epochs
    return {**settings.to_json(), "epochs": epochs, "augmentation": augmentation and notation.write(augmentation)}


def _shown(value) -> str:
    return "none" if value is None else str(value)


_RUN = (
    "epochs",
    "minutes",
    "steps",
    "batch",
    "validation",
    "save_seconds",
    "save_steps",
    "seed",
    "backbone_rate",
    "frozen_norm",
    "angle",
    "augmentation",
)

IMAGENET = Recipe(
    "imagenet",
    Settings(
        epochs=100,
        batch=64,
        optimizer="sgd",
        rate=0.045,
        momentum=0.9,
        weight_decay=1e-5,
        schedule="epochs",
        warmup=0.0,
        decay_factor=0.94,
        decay_every=2,
        dropout=0.5,
        averaging=0.9999,
    ),
    "the paper's ImageNet runs (Chollet, arXiv 1610.02357, sections 4.2 and 4.3)",
    # The paper says that weights are averaged, not how fast the average forgets.
    (*_RUN, "nesterov", "decay_depthwise", "clip", "warmup", "grow_from", "grow_until", "label_smoothing", "averaging"),
)

JFT = Recipe(
    "jft",
    Settings(
        epochs=10,
        batch=64,
        optimizer="rmsprop",
        rate=0.001,
        momentum=0.9,
        weight_decay=1e-5,
        schedule="samples",
        warmup=0.0,
        decay_factor=0.9,
        decay_every=3_000_000,
        dropout=0.0,
        averaging=0.9999,
    ),
    "the paper's JFT runs (Chollet, arXiv 1610.02357, sections 4.2 and 4.3)",
    (*_RUN, "decay_depthwise", "clip", "warmup", "grow_from", "grow_until", "label_smoothing", "averaging"),
)

CIFAR = Recipe(
    "cifar",
    Settings(
        epochs=40,
        batch=128,
        optimizer="muon",
        rate=1.6,
        momentum=0.6,
        nesterov=True,
        angle=0.05,
        weight_decay=3e-4,
        decay_depthwise=False,
        schedule="cosine",
        warmup=0.1,
        grow_from=0.5,
        grow_until=0.7,
        label_smoothing=0.1,
        averaging=0.998,
    ),
    "this project's, for small pictures",
)

FOLDER = Recipe(
    "folder",
    CIFAR.settings.with_changes(
        {"epochs": 80, "batch": 64, "optimizer": "sgd", "rate": 0.2, "momentum": 0.9, "weight_decay": 5e-4},
    ),
    "this project's, for some thousands of pictures in folders",
)

DIGITS = Recipe(
    "digits",
    Settings(epochs=12, batch=32, rate=0.1, schedule="cosine", warmup=0.1, label_smoothing=0.1),
    "this project's, for a minute on two cores",
)

FINE_TUNING = Recipe(
    "fine-tuning",
    Settings(
        epochs=10,
        batch=32,
        rate=0.3,
        nesterov=True,
        schedule="cosine",
        warmup=0.1,
        label_smoothing=0.1,
        backbone_rate=0.3,
    ),
    "this project's, to go from a trained network to another task",
)

RECIPES: dict[str, Recipe] = {found.name: found for found in (IMAGENET, JFT, CIFAR, FOLDER, DIGITS, FINE_TUNING)}


def recipe(name: str) -> Recipe:
    """The recipe of this name; InputError if there is none."""
    if name not in RECIPES:
        raise InputError(f"recipe is {name!r}; expected one of {', '.join(RECIPES)}")
    return RECIPES[name]


def recipe_for(source: str) -> Recipe:
    """The recipe to start from for a data set: for digits and glyphs `digits`, for pictures in folders `folder`, else `cifar`."""
    if source == "digits" or glyphs.is_name(source):
        return DIGITS
    return FOLDER if is_folder_of_pictures(source) else CIFAR
