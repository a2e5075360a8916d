"""Softmax and cross-entropy in one: the loss of choosing one class.

    p[n, k]      = exp(logits[n, k]) / sum over j of exp(logits[n, j])
    share[n, k]  = labels[n, k], or k == labels[n]                         what class k has of image n
    target[n, k] = (1 - s) * share[n, k] + s / K                           s = label_smoothing
    loss         = mean over n of  - sum over k of target[n, k] * log p[n, k]

    logits (N, K)    labels (N,) integers from 0 to K - 1, or (N, K) shares    loss a float

Label smoothing: Szegedy et al., arXiv 1512.00567, section 7. Shares are what mixup trains on: Zhang et al., arXiv 1710.09412.
"""

from typing import NamedTuple

import numpy as np

from xception_np import arrays, implementations
from xception_np.errors import InputError
from xception_np.ops import spec

TOLERANCE = 1e-4  # of the sum of an image's shares: a float32 softmax of 10,000 classes is right to a tenth of that


class Cache(NamedTuple):
    """What the backward pass needs."""

    probabilities: np.ndarray
    labels: np.ndarray
    label_smoothing: float


def forward(logits, labels, label_smoothing=0.0, *, implementation=None):
    """Mean loss over the batch.

    Parameters
    ----------
    logits : (N, K) array, float32 or float64
    labels : (N,) array, int64, or (N, K) array of the logits' dtype
        The right class of each image; or the share that each class has of it, 0 or more, which sum to 1.
    label_smoothing : float
        What part of the target is spread over all classes, 0 <= s < 1.

    Returns
    -------
    loss : float
    cache : Cache
        With the `probabilities`.

    Raises
    ------
    InputError
        If shapes, dtypes or memory layout do not fit, a label is not a class, a share is below 0, or an image's shares sum to
        something further from 1 than `TOLERANCE`.
    """
    sizes = spec.shapes(logits=(logits, "N K"))
    spec.number("label_smoothing", label_smoothing, 0, 1, "a number, 0 <= label_smoothing < 1")
    if arrays.place_of(labels) and labels.ndim == 2:
        spec.shapes(logits=(logits, "N K"), labels=(labels, "N K"))
        _check_shares(arrays.to_host(labels))
    else:
        _check_classes(labels, **sizes)
        spec.same_place("labels", labels, "logits", logits)
    return implementations.load(__name__, implementation, logits=logits).forward(logits, labels, float(label_smoothing))


def backward(dloss, cache, *, implementation=None):
    """Gradient of `dloss` times the loss with respect to the logits: (p - target) * dloss / N, (N, K)."""
    spec.cached(cache, Cache)
    spec.number("dloss", dloss, -np.inf, np.inf, "a finite number")
    return implementations.load(__name__, implementation, cache=cache).backward(float(dloss), cache)


def _check_classes(labels, N: int, K: int) -> None:
    is_array = arrays.place_of(labels) is not None
    if not is_array or labels.dtype != np.int64 or labels.shape != (N,):
        found = f"{labels.dtype} of shape {labels.shape}" if is_array else type(labels).__name__
        raise InputError(f"labels is {found}; expected int64 of shape ({N},), one for each row of logits, or shares of their shape")
    labels = arrays.to_host(labels)
    if labels.min() < 0 or labels.max() >= K:
        raise InputError(f"labels has values from {labels.min()} to {labels.max()}; expected 0 to {K - 1}")


def _check_shares(labels: np.ndarray) -> None:
    if not labels.min() >= 0:
        raise InputError(f"labels has a share of {labels.min()}; expected 0 or more")
    sums = labels.sum(axis=1, dtype=np.float64)
    worst = sums[np.abs(sums - 1).argmax()]
    if not abs(worst - 1) <= TOLERANCE:
        raise InputError(f"labels has a row of shares that sum to {worst:.6g}; expected 1, within {TOLERANCE}")
