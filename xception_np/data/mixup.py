"""Mixup: train on what lies between two pictures, and call it what lies between their labels.

    x = weight * x_1 + (1 - weight) * x_2        target = weight * onehot_1 + (1 - weight) * onehot_2

with weight ~ Beta(alpha, alpha), its own for every pair. A picture's partner is the next one in its batch.

Source: H. Zhang et al., "mixup: Beyond Empirical Risk Minimization" (ICLR 2018).
"""

import numpy as np

from xception_np import arrays
from xception_np.data.draws import MIXUP, Draws


def mixup_weights(alpha: float, draws: Draws) -> np.ndarray:
    """A weight for each picture, (n,) of float32: the uniform number's place in the cumulative Beta(alpha, alpha)."""
    from scipy.special import betaincinv  # takes a fifth of a second to import

    return betaincinv(alpha, alpha, draws.uniform(MIXUP)[:, 0]).astype(np.float32)


def mixup(x: np.ndarray, labels: np.ndarray, weights: np.ndarray, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Mix each picture with the one after it.

    Parameters
    ----------
    x : (n + 1, H, W, 3) array of float32
        Prepared pictures; the last one is only a partner.
    labels : (n + 1,) array of int64
    weights : (n,) array of float32
        Of the first of each pair.
    classes : int

    Returns
    -------
    x : (n, H, W, 3) array of float32
    targets : (n, classes) array of float32
        Each row sums to 1.
    """
    n = len(weights)
    weight = weights[:, None, None, None]
    mixed = arrays.empty((n, *x.shape[1:]), np.float32)
    np.subtract(x[:-1], x[1:], out=mixed)
    mixed *= weight
    mixed += x[1:]  # w (a - b) + b
    targets = np.zeros((n, classes), np.float32)
    rows = np.arange(n)
    targets[rows, labels[:-1]] += weights
    targets[rows, labels[1:]] += 1 - weights  # adds up where both have the same label
    return mixed, targets
