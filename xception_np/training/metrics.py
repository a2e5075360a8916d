"""How good predictions are."""

import numpy as np

from xception_np.errors import InputError, is_whole


def accuracy(scores: np.ndarray, labels: np.ndarray) -> float:
    """The fraction of pictures whose class has the largest score.

    Parameters
    ----------
    scores : (N, classes) array
        Logits or probabilities.
    labels : (N,) array of integers, or (N, classes) array
        The right classes; or each class's share of a mixed picture, of which the largest counts.
    """
    right = labels if labels.ndim == 1 else labels.argmax(axis=1)
    return float((scores.argmax(axis=1) == right).mean())


def top_k(scores: np.ndarray, labels: np.ndarray, k: int) -> float:
    """The fraction of pictures whose class is among the k with the largest scores; equal scores count against it.

    Parameters
    ----------
    scores : (N, classes) array
    labels : (N,) array of integers
    k : int
    """
    right = scores[np.arange(len(labels)), labels]
    as_good = (scores >= right[:, None]).sum(axis=1)  # the right one included
    return float((as_good <= k).mean())


def confusion(labels: np.ndarray, predicted: np.ndarray, classes: int) -> np.ndarray:
    """How often each class was taken for each: (classes, classes) of int64, rows the right ones, columns the predicted.

    Raises
    ------
    InputError
        If one of them is no class: from 0 to classes - 1.
    """
    for name, numbers in (("labels", labels), ("predicted", predicted)):
        if len(numbers) and not 0 <= np.min(numbers) <= np.max(numbers) < classes:
            raise InputError(
                f"{name} is from {np.min(numbers)} to {np.max(numbers)}; expected numbers of classes, 0 to {classes - 1}"
            )
    return np.bincount(np.asarray(labels, np.int64) * classes + predicted, minlength=classes**2).reshape(classes, classes)


def map_at_k(scores: np.ndarray, targets: np.ndarray, k: int = 100) -> float:
    """Mean average precision of the first k predictions, for pictures that have any number of classes.

        precision(i) = right ones among the first i predictions / i
        AP@k         = sum over i <= k where prediction i is right of precision(i) / min(right ones in all, k)
        MAP@k        = mean of AP@k over the pictures that have a class

    The measure of the paper's FastEval14k (section 4.1), without its weights of the classes, which are not published. Equal scores
    rank in the order of the classes.

    Parameters
    ----------
    scores : (N, classes) array
        The larger, the more likely.
    targets : (N, classes) array
        1 for the classes that a picture has, 0 for the others.
    k : int

    Returns
    -------
    float
        From 0 to 1.

    Raises
    ------
    InputError
        If the shapes differ, k is not positive, or no picture has a class.
    """
    if scores.shape != targets.shape:
        raise InputError(f"targets has shape {targets.shape}; expected {scores.shape}, that of scores")
    if not is_whole(k) or k < 1:
        raise InputError(f"k is {k!r}; expected a number of predictions, 1 or more")
    order = np.argsort(-np.asarray(scores, np.float64), axis=1, kind="stable")[:, :k]
    right = np.take_along_axis(targets, order, axis=1) > 0  # (N, k)
    precision = right.cumsum(axis=1) / np.arange(1, right.shape[1] + 1)
    possible = np.minimum((targets > 0).sum(axis=1), k)
    has_class = possible > 0
    if not has_class.any():
        raise InputError("targets are all 0; expected a picture that has a class")
    return float(((precision * right).sum(axis=1)[has_class] / possible[has_class]).mean())
