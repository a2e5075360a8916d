"""How good a model is on pictures it has not seen."""

import time
from typing import NamedTuple

import numpy as np

from xception_np import threads
from xception_np.data import Loader, Pictures, Preprocessing
from xception_np.errors import InputError
from xception_np.models import Model
from xception_np.training import metrics
from xception_np.training.views import View


class Evaluation(NamedTuple):
    """What a model makes of a data set.

    probabilities : (N, classes) array, of the pictures as they are
    labels : (N,) array, the right answers
    seconds : float, for all pictures and views
    views : the other views that the model was asked about
    over_views : (N, classes) array, mean of the probabilities over the picture and its other views; None if there are none
    """

    probabilities: np.ndarray
    labels: np.ndarray
    seconds: float
    views: tuple[View, ...] = ()
    over_views: np.ndarray | None = None

    @property
    def accuracy(self) -> float:
        """Fraction of the pictures, as they are, whose most probable class is right."""
        return metrics.accuracy(self.probabilities, self.labels)

    def top(self, k: int) -> float:
        """Fraction of the pictures, as they are, whose right class is among the k most probable."""
        return metrics.top_k(self.probabilities, self.labels, k)

    @property
    def accuracy_over_views(self) -> float | None:
        """The same with the probabilities averaged over the views; None if there are no others."""
        return None if self.over_views is None else metrics.accuracy(self.over_views, self.labels)

    @property
    def loss(self) -> float:
        """Mean cross-entropy of the pictures as they are."""
        right = self.probabilities[np.arange(len(self.labels)), self.labels]
        return abs(float(np.log(np.maximum(right, np.finfo(right.dtype).tiny)).mean()))  # no logarithm of it is above 0

    @property
    def images_per_second(self) -> float:
        """Pictures evaluated in a second, every view counted."""
        return (1 + len(self.views)) * len(self.labels) / self.seconds


def evaluate(
    model: Model, dataset: Pictures, preprocessing: Preprocessing, batch: int = 128, views: tuple[View, ...] = ()
) -> Evaluation:
    """Run a model over a data set, at inference, with batch normalisation folded into its kernels where that can be.

    Parameters
    ----------
    model : Model
    dataset : Pictures
    preprocessing : Preprocessing
        As in the model's training.
    batch : int
    views : tuple of View
        Further views to ask about; what they add stands beside the plain results, which are the same without them.

    Raises
    ------
    InputError
        If the model has another number of classes than the data set, or its results are not finite.
    """
    if model.classes != len(dataset.classes):
        raise InputError(f"model has {model.classes} classes; expected {len(dataset.classes)}, as the data set {dataset.name}")
    from xception_np.models import folding  # Numba: imported when something is to be computed

    begin = time.perf_counter()
    predictor = folding.for_inference(model)
    loader = Loader(dataset, batch, preprocessing, drop_last=False)
    with threads.many_passes():
        looks = [[softmax(predictor.predict(view.apply(x), batch)) for view in (View(), *views)] for x, _ in loader.in_order()]
    plain = np.concatenate([of_batch[0] for of_batch in looks])
    averaged = np.concatenate([np.mean(of_batch, axis=0) for of_batch in looks]) if views else None
    return Evaluation(plain, dataset.labels, time.perf_counter() - begin, views, averaged)


def softmax(logits: np.ndarray) -> np.ndarray:
    """exp(logits) / sum of exp(logits), along the last axis; InputError if a logit is not finite, for it decides nothing."""
    if not np.isfinite(logits).all():
        raise InputError("the model's results are not finite: its weights are damaged, or its training went wrong")
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)
