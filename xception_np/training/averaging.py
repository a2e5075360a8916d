"""Polyak averaging: the weights to use are an average over the weights of the last steps, which jump about less.

Source: Polyak and Juditsky, "Acceleration of stochastic approximation by averaging" (1992); the paper evaluates all its models so
(section 4.2).
"""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from xception_np import arrays
from xception_np.data import Loader
from xception_np.errors import InputError
from xception_np.layers import Buffers, Step
from xception_np.models import Model
from xception_np.updates import average as following
from xception_np.updates import vector

STATISTICS_BATCHES = 32  # batches that batch-norm statistics are estimated on: 1 / sqrt(32 * 128) is 2% of a deviation


class Average:
    """An exponential moving average of a model's parameters.

        keep    = min(decay, (1 + step) / (10 + step))          step = 1 after the first
        average = keep * average + (1 - keep) * value

    The smaller `keep` of the first steps forgets the starting values, as in TensorFlow's ExponentialMovingAverage with
    `num_updates`.

    Parameters
    ----------
    buffers : Buffers
        Of the model that is trained.
    decay : float
        0 <= decay < 1; 0.999 averages over about the last 1,000 steps.

    Raises
    ------
    InputError
        If `decay` is out of its range.
    """

    def __init__(self, buffers: Buffers, decay: float):
        if not 0 <= decay < 1:
            raise InputError(f"decay is {decay!r}; expected a number, 0 <= decay < 1")
        self.buffers, self.decay = buffers, decay
        self.values = buffers.values.copy()

    @property
    def state(self) -> dict[str, np.ndarray]:
        """What the next update depends on; write to it to go on from there."""
        return {"average": self.values}

    def update(self, step: int) -> None:
        """Take in the parameters after this many steps."""
        keep = min(self.decay, (1 + step) / (10 + step))
        following.follow(self.values, self.buffers.values, keep)


@contextmanager
def averaged(model: Model, average: Average, loader: Loader | None) -> Iterator[None]:
    """Inside the `with` block the model has its averaged weights, with batch-norm statistics of their own if there is a loader."""
    with model.with_buffers(values=average.values, moving=model.buffers.moving.copy()):
        if loader is not None:
            estimate_statistics(model, loader)
        yield


def estimate_statistics(model: Model, loader: Loader) -> None:
    """Set the moving statistics to their means over some training batches.

    The statistics that followed the training belong to the weights that were trained, not to their average. A forward pass that
    starts from moving statistics of 0 leaves (1 - momentum) * batch in them.
    """
    moving, norm = model.buffers.moving, model.table.norm
    if norm is None:
        return
    total = np.zeros(moving.size)
    batches = min(STATISTICS_BATCHES, len(loader))
    stream = loader.epoch(0)
    for _ in range(batches):
        vector.fill(moving, 0)
        model.forward(arrays.moved(next(stream).x, model.place), Step(loader.seed))
        total += arrays.to_host(moving)
    arrays.write(moving, total / (batches * (1 - norm.momentum)))
