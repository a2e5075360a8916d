"""Softmax and cross-entropy in one: the loss of choosing one class.

    p[n, k]      = exp(logits[n, k]) / sum over j of exp(logits[n, j])
    target[n, k] = (1 - s) * (k == labels[n]) + s / K                      s = label_smoothing
    loss         = mean over n of  - sum over k of target[n, k] * log p[n, k]

    logits (N, K)    labels (N,) integers from 0 to K - 1    loss a float

Label smoothing: Szegedy et al., arXiv 1512.00567, section 7.
"""

from typing import NamedTuple

import numpy as np

from xception_np import implementations
from xception_np.errors import InputError
from xception_np.ops import spec


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
    labels : (N,) array, int64
        The right class of each image.
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
        If shapes, dtypes or memory layout do not fit, or a label is not a class.
    """
    sizes = spec.shapes(logits=(logits, "N K"))
    spec.number("label_smoothing", label_smoothing, 0, 1, "a number, 0 <= label_smoothing < 1")
    if not isinstance(labels, np.ndarray) or labels.dtype != np.int64 or labels.shape != (sizes["N"],):
        found = f"{labels.dtype} of shape {labels.shape}" if isinstance(labels, np.ndarray) else type(labels).__name__
        raise InputError(f"labels is {found}; expected int64 of shape ({sizes['N']},), one for each row of logits")
    if labels.min() < 0 or labels.max() >= sizes["K"]:
        raise InputError(f"labels has values from {labels.min()} to {labels.max()}; expected 0 to {sizes['K'] - 1}")
    return implementations.load(__name__, implementation).forward(logits, labels, float(label_smoothing))


def backward(dloss, cache, *, implementation=None):
    """Gradient of `dloss` times the loss with respect to the logits: (p - target) * dloss / N, (N, K)."""
    spec.cached(cache, Cache)
    spec.number("dloss", dloss, -np.inf, np.inf, "a finite number")
    return implementations.load(__name__, implementation).backward(float(dloss), cache)
