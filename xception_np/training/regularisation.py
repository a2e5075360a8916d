"""What each parameter has of its own: weight decay by its kind, a learning rate by its place; and clipping by the global norm."""

import math
from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

import numpy as np

from xception_np.layers import Parameter
from xception_np.models import is_head
from xception_np.updates import vector


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


class Part(NamedTuple):
    """A part of a model's vectors, and its learning rate as a share of the run's."""

    where: slice
    share: float


def rate_parts(parameters: Sequence[Parameter], backbone: float) -> list[Part]:
    """The parts of a model's vectors with a learning rate of their own: the last layer has the run's, all others a share of it.

    Parameters
    ----------
    parameters : sequence of Parameter
        In the order of the model's buffers.
    backbone : float
        Share for all layers but the last, 0 to 1.
    """
    found, start = [], 0
    for share, group in groupby(parameters, lambda parameter: 1.0 if is_head(parameter.name) else backbone):
        stop = start + sum(parameter.size for parameter in group)
        found.append(Part(slice(start, stop), share))
        start = stop
    return found


def global_norm(gradients) -> float:
    """Square root of the sum of all squares; NaN or infinity if one of the gradients is."""
    return math.sqrt(vector.sum_of_squares(gradients))


def clip(gradients, norm: float, limit: float) -> None:
    """Scale gradients of this global norm so that it is `limit` at most: the direction stays.

    Source: Pascanu, Mikolov, Bengio, "On the difficulty of training recurrent neural networks" (ICML 2013), Algorithm 1.
    """
    if norm > limit:
        vector.scale(gradients, limit / norm)
