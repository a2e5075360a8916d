"""Runs that take a second: few pictures, and a network with one module of each kind."""

import numpy as np

from xception_np import models
from xception_np.data import Augmentation, Dataset, PaddedCrop
from xception_np.models.table import Conv, Plain, Pool, Relu, Residual, Sep
from xception_np.training import Settings, Trainer

TINY = models.TABLES["xception_small"]._replace(
    name="tiny",
    modules=(
        Plain("block1", (Conv(4, stride=2), Relu())),
        Residual("block2", (Sep(8), Relu(), Sep(8), Pool()), shortcut=(Conv(8, kernel=1, stride=2),)),
    ),
)


def stripes(count=48, seed=0):
    """Two classes that a network tells apart in a few steps: horizontal and vertical stripes."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % 2
    images = np.zeros((count, 32, 32, 3), np.uint8)
    for image, label, phase in zip(images, labels, rng.integers(0, 4, count), strict=True):
        rows = image if label else image.transpose(1, 0, 2)
        rows[phase::4] = 255
    images = np.clip(images.astype(int) + rng.integers(0, 40, images.shape), 0, 255).astype(np.uint8)
    return Dataset("stripes", images, labels.astype(np.int64), ("vertical", "horizontal"))


def tiny_model(seed=3):
    return models.from_table(TINY, 2, seed)


def trainer(folder, model=None, augmentation=Augmentation((PaddedCrop(2),)), processes=None, **changed):  # noqa: B008 (it cannot be changed)
    settings = Settings(**{"epochs": 2, "batch": 16, "rate": 0.05, "seed": 3, **changed})
    model = model or tiny_model(settings.seed)
    return Trainer(model, stripes(), settings, folder, augmentation=augmentation, processes=processes)


def restored(folder, **changed):
    run = trainer(folder, **changed)
    run.restore()
    return run
