"""What each parameter has of its own, by its kind and place: weight decay, a learning rate, whether it turns; and clipping."""

import math
from collections.abc import Sequence
from itertools import pairwise
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
    return _joined(_parts(parameters, backbone))


class Matrix(NamedTuple):
    """A kernel's part of a model's vectors, and the shape (rows, columns) in which it maps what comes in to what goes out."""

    part: Part
    shape: tuple[int, int]

    def of(self, vector):
        """What a vector has there, as a matrix."""
        return vector[self.part.where].reshape(self.shape)


def matrices_and_rest(parameters: Sequence[Parameter], backbone: float) -> tuple[list[Matrix], list[Part]]:
    """The parts of a model's vectors that are matrices whose length means nothing, and all others.

    The kernels of regular convolutions (kh * kw * C rows, F columns) and of pointwise ones (C, F) are: batch normalisation follows
    them. A depthwise kernel is one number a channel at each tap, that of a grouped convolution a matrix for each group, and the
    length of the last layer's says how sure the network is. Matrices whose share of the learning rate is 0 are left out.

    Parameters
    ----------
    parameters, backbone
        As for `rate_parts`.
    """
    matrices, rest = [], []
    for parameter, part in zip(parameters, _parts(parameters, backbone), strict=True):
        kind, axes = parameter.name.rpartition("/")[2], len(parameter.shape)
        if parameter.groups > 1 or (kind != "pointwise_kernel" and (kind, axes) != ("kernel", 4)):
            rest.append(part)
        elif part.share > 0:
            columns = parameter.shape[-1]
            matrices.append(Matrix(part, (parameter.size // columns, columns)))
    return matrices, _joined(rest)


def _parts(parameters: Sequence[Parameter], backbone: float) -> list[Part]:
    """One for each parameter."""
    ends = np.cumsum([0, *(parameter.size for parameter in parameters)]).tolist()
    shares = (1.0 if is_head(parameter.name) else backbone for parameter in parameters)
    return [Part(slice(*span), share) for span, share in zip(pairwise(ends), shares, strict=True)]


def _joined(parts: Sequence[Part]) -> list[Part]:
    """The same with as few parts as can be: neighbours of the same share are one."""
    found: list[Part] = []
    for where, share in parts:
        if found and found[-1].where.stop == where.start and found[-1].share == share:
            found[-1] = Part(slice(found[-1].where.start, where.stop), share)
        else:
            found.append(Part(where, share))
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
