"""Sigmoid and cross-entropy in one: the loss of choosing any number of classes, as on JFT.

p    = 1 / (1 + exp(-logits))
loss = mean over n, k of  - target * log p - (1 - target) * log(1 - p)

logits, targets (N, K), targets from 0 to 1    loss a float
"""

from typing import NamedTuple

import numpy as np

from xception_np import arrays, implementations
from xception_np.errors import InputError
from xception_np.ops import spec


class Cache(NamedTuple):
    """What the backward pass needs."""

    probabilities: np.ndarray
    targets: np.ndarray


def forward(logits, targets, *, implementation=None):
    """Mean loss over batch and classes.

    Parameters
    ----------
    logits : (N, K) array, float32 or float64
    targets : (N, K) array of the same dtype, from 0 to 1

    Returns
    -------
    loss : float
    cache : Cache
        With the `probabilities`.

    Raises
    ------
    InputError
        If shapes, dtypes or memory layout do not fit, or a target is not between 0 and 1.
    """
    spec.shapes(logits=(logits, "N K"), targets=(targets, "N K"))
    given = arrays.to_host(targets)
    if not (given.min() >= 0 and given.max() <= 1):
        raise InputError(f"targets has values from {given.min()} to {given.max()}; expected 0 to 1")
    return implementations.load(__name__, implementation, logits=logits).forward(logits, targets)


def backward(dloss, cache, *, implementation=None):
    """Gradient of `dloss` times the loss with respect to the logits: (p - target) * dloss / (N * K), (N, K)."""
    spec.cached(cache, Cache)
    spec.number("dloss", dloss, -np.inf, np.inf, "a finite number")
    return implementations.load(__name__, implementation, cache=cache).backward(float(dloss), cache)
