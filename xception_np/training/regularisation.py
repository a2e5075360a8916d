"""What each parameter has of its own: weight decay by its kind, a learning rate by its place; and clipping by the global norm."""

import math
from collections.abc import Sequence

import numpy as np

from xception_np.layers import Parameter
from xception_np.models import is_head

_CHUNK = 2**16  # numbers that are squared at once, in float64: their memory stays in the cache


def decay_vector(parameters: Sequence[Parameter], coefficient: float, depthwise: bool = True) -> np.ndarray:
    """A weight decay coefficient for every number of a model, by its parameter's name.

    Kernels decay. Biases and batch normalisation's gamma and beta do not: they have no direction to lose, and a gamma that
    shrinks is made up for by the next layer. A depthwise kernel has 9 numbers for a channel where a pointwise one has hundreds,
    and small networks train better if it is let alone (Howard et al., "MobileNets", arXiv 1704.04861, section 3.2).

    Parameters
    ----------
    parameters : sequence of Parameter
        In the order of the model's buffers.
    coefficient : float
        Of kernels.
    depthwise : bool
        Whether `depthwise_kernel` decays too.

    Returns
    -------
    (numbers,) array, of the parameters' dtype
    """
    kinds = {"kernel", "pointwise_kernel"} | ({"depthwise_kernel"} if depthwise else set())
    decays = [p.name.rpartition("/")[2] in kinds for p in parameters]
    return np.concatenate(
        [np.full(p.size, coefficient if decay else 0, p.value.dtype) for p, decay in zip(parameters, decays, strict=True)]
    )


def rate_vector(parameters: Sequence[Parameter], backbone: float) -> np.ndarray | None:
    """For every number of a model its learning rate, as a part of the last layer's; None if it is the same for all.

    Parameters
    ----------
    parameters : sequence of Parameter
        In the order of the model's buffers.
    backbone : float
        Part for all layers but the last, 0 to 1.

    Returns
    -------
    (numbers,) array, of the parameters' dtype, or None
    """
    if backbone == 1:
        return None
    return np.concatenate([np.full(p.size, 1 if is_head(p.name) else backbone, p.value.dtype) for p in parameters])


def global_norm(gradients: np.ndarray) -> float:
    """Square root of the sum of all squares, summed in float64; NaN or infinity if one of the gradients is."""
    chunks = (gradients[start : start + _CHUNK] for start in range(0, gradients.size, _CHUNK))
    return math.sqrt(sum(float(np.square(chunk, dtype=np.float64).sum()) for chunk in chunks))


def clip(gradients: np.ndarray, norm: float, limit: float) -> None:
    """Scale gradients of this global norm so that it is `limit` at most: the direction stays.

    Source: Pascanu, Mikolov, Bengio, "On the difficulty of training recurrent neural networks" (ICML 2013), Algorithm 1.
    """
    if norm > limit:
        gradients *= limit / norm
