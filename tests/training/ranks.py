"""What the processes of an mpiexec do in the tests: `mpiexec -n 2 python ranks.py WHAT FOLDER`.

Every process leaves the model's vectors in FOLDER, in a file of its own.
"""

import sys
from pathlib import Path

import numpy as np
from small_runs import TINY, stripes, trainer

from xception_np import data, models
from xception_np.data import Augmentation, Loader, PaddedCrop, Preprocessing
from xception_np.layers import Step
from xception_np.models.table import Conv, Plain, Pool, Relu, Residual, Sep
from xception_np.training import SGD, Settings, Trainer, parallel
from xception_np.training.descent import descend
from xception_np.training.regularisation import decay_vector

SLIM = TINY._replace(
    name="slim",
    modules=(
        Plain("block1", (Conv(16, stride=2), Relu())),
        Residual("block2", (Sep(32), Relu(), Sep(32), Pool()), shortcut=(Conv(32, kernel=1, stride=2),)),
        Residual("block3", (Relu(), Sep(64), Pool()), shortcut=(Conv(64, kernel=1, stride=2),)),
        Plain("block4", (Sep(128), Relu())),
    ),
)
BATCH = 7  # which neither 2 nor 3 divide: shares differ


def frozen(processes, folder):
    """Steps in float64 with all that a recipe has, batch-norm statistics apart: those are given, and stay."""
    model = models.from_table(TINY, 2, seed=3, dtype=np.float64)
    model.buffers.moving[:] = np.random.default_rng(0).uniform(0.5, 1.5, model.buffers.moving.size)
    settings = Settings(batch=BATCH, label_smoothing=0.1, clip=1.0)
    optimizer = SGD(model.buffers, 0.9, nesterov=True, decay=decay_vector(model.parameters, 0.01))
    train = stripes()
    share = (processes.rank, processes.count)
    loader = Loader(train, BATCH, Preprocessing.of(train), Augmentation((PaddedCrop(2),)), share=share)
    processes.begin(model.buffers, lambda: 0.0, lambda: False, moves=False)
    for number, (x, labels) in enumerate(loader.epoch(0)):
        step = Step(0, number, processes.rank, frozen=True)
        descend(model, optimizer, settings, x.astype(np.float64), labels, step, 0.05, processes)
    return model


def ordinary(processes, folder):
    """A run of the trainer, dropout included."""
    model = models.from_table(TINY, 2, seed=3, dropout=0.5)
    trainer(folder / "run", model, processes=processes, epochs=20, dropout=0.5).run()
    return model


def digits(processes, folder):
    """Two epochs of digits."""
    train, _ = data.load("digits")
    model = models.from_table(SLIM, 10, seed=0)
    Trainer(model, train, Settings(epochs=2, batch=32), folder / "run", processes=processes).run()
    return model


def main(what, folder):
    with parallel.together() as processes:
        model = {"frozen": frozen, "ordinary": ordinary, "digits": digits}[what](processes, folder)
        np.savez(folder / f"{processes.rank}.npz", values=model.buffers.values, moving=model.buffers.moving)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
