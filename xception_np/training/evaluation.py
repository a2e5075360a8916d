"""How good a model is on pictures it has not seen."""

import time
from typing import NamedTuple

import numpy as np

from xception_np.data import Loader, Pictures, Preprocessing
from xception_np.errors import InputError
from xception_np.models import Model
from xception_np.training import metrics


class Evaluation(NamedTuple):
    """What a model makes of a data set.

    probabilities : (N, classes) array
    labels : (N,) array, the right answers
    seconds : float, for all pictures
    """

    probabilities: np.ndarray
    labels: np.ndarray
    seconds: float

    @property
    def accuracy(self) -> float:
        """Fraction of the pictures whose most probable class is right."""
        return metrics.accuracy(self.probabilities, self.labels)

    @property
    def loss(self) -> float:
        """Mean cross-entropy."""
        right = self.probabilities[np.arange(len(self.labels)), self.labels]
        return float(-np.log(np.maximum(right, np.finfo(right.dtype).tiny)).mean())

    @property
    def images_per_second(self) -> float:
        """Pictures evaluated in a second."""
        return len(self.labels) / self.seconds


def evaluate(model: Model, dataset: Pictures, preprocessing: Preprocessing, batch: int = 128) -> Evaluation:
    """Run a model over a data set, at inference.

    Raises
    ------
    InputError
        If the model has another number of classes than the data set, or its results are not finite.
    """
    if model.classes != len(dataset.classes):
        raise InputError(f"model has {model.classes} classes; expected {len(dataset.classes)}, as the data set {dataset.name}")
    begin = time.perf_counter()
    loader = Loader(dataset, batch, preprocessing, drop_last=False)
    probabilities = np.concatenate([softmax(model.apply(x)) for x, _ in loader.in_order()])
    return Evaluation(probabilities, dataset.labels, time.perf_counter() - begin)


def softmax(logits: np.ndarray) -> np.ndarray:
    """exp(logits) / sum of exp(logits), along the last axis; InputError if a logit is not finite, for it decides nothing."""
    if not np.isfinite(logits).all():
        raise InputError("the model's results are not finite: its weights are damaged, or its training went wrong")
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)
