"""Optimizers: from gradients to new parameters, in one pass over the model's flat vectors (`updates.sgd`, `updates.rmsprop`).

Weight decay is the gradient of an L2 penalty, decay / 2 * value^2, added to the gradient of the loss; `decay` is one number or
one for each parameter (`regularisation.decay_vector`).
"""

from collections.abc import Sequence
from typing import Union

import numpy as np

from xception_np import arrays, updates
from xception_np.errors import InputError
from xception_np.layers import Buffers
from xception_np.models import Model
from xception_np.training.regularisation import Part, decay_vector, rate_parts
from xception_np.training.settings import Settings

Optimizer = Union["SGD", "RMSprop"]


class SGD:
    """Stochastic gradient descent with momentum, as the paper's ImageNet runs (section 4.2): `updates.sgd` has the formula.

    Parameters
    ----------
    buffers : Buffers
        Of the model to train; the optimizer's own vectors are where these are.
    momentum : float
        0 <= momentum < 1.
    nesterov : bool
    decay : float, or (parameters,) array
    parts : sequence of Part, optional
        Parts of the vectors that have a learning rate of their own; by default one for all.
    """

    def __init__(
        self,
        buffers: Buffers,
        momentum: float = 0.9,
        nesterov: bool = False,
        decay: float | np.ndarray = 0.0,
        parts: Sequence[Part] | None = None,
    ):
        self.buffers, self.momentum, self.nesterov = buffers, _fraction("momentum", momentum), nesterov
        self.decay, self.parts = _vector(buffers, decay), parts or _whole(buffers)
        self.velocity = _vector(buffers, 0.0)

    @property
    def state(self) -> dict[str, np.ndarray]:
        """What the next step depends on, besides the parameters; write to it to go on from there."""
        return {"velocity": self.velocity}

    def step(self, rate: float) -> None:
        """Move all parameters, with this learning rate."""
        vectors = self.buffers.values, self.velocity, self.buffers.gradients, self.decay
        for where, share in self.parts:
            values, velocity, gradients, decay = (vector[where] for vector in vectors)
            updates.sgd.step(values, velocity, gradients, decay, share * rate, self.momentum, self.nesterov)


class RMSprop:
    """Gradients divided by their usual size, with momentum, as the paper's JFT runs (section 4.2).

    `updates.rmsprop` has the formula. The paper gives the momentum only; `forgetting` and `epsilon` are the defaults of Keras.

    Parameters
    ----------
    buffers : Buffers
        Of the model to train; the optimizer's own vectors are where these are.
    momentum, forgetting : float
        0 <= momentum < 1, 0 <= forgetting < 1.
    epsilon : float
        > 0.
    decay : float, or (parameters,) array
    parts : sequence of Part, optional
        Parts of the vectors that have a learning rate of their own; by default one for all.
    """

    def __init__(
        self,
        buffers: Buffers,
        momentum: float = 0.9,
        forgetting: float = 0.9,
        epsilon: float = 1e-7,
        decay: float | np.ndarray = 0.0,
        parts: Sequence[Part] | None = None,
    ):
        if not epsilon > 0:
            raise InputError(f"epsilon is {epsilon!r}; expected a number > 0")
        self.buffers, self.epsilon = buffers, epsilon
        self.decay, self.parts = _vector(buffers, decay), parts or _whole(buffers)
        self.momentum, self.forgetting = _fraction("momentum", momentum), _fraction("forgetting", forgetting)
        self.mean_square, self.velocity = _vector(buffers, 0.0), _vector(buffers, 0.0)

    @property
    def state(self) -> dict[str, np.ndarray]:
        """What the next step depends on, besides the parameters; write to it to go on from there."""
        return {"mean_square": self.mean_square, "velocity": self.velocity}

    def step(self, rate: float) -> None:
        """Move all parameters, with this learning rate."""
        vectors = self.buffers.values, self.mean_square, self.velocity, self.buffers.gradients, self.decay
        settings = self.momentum, self.forgetting, self.epsilon
        for where, share in self.parts:
            values, mean_square, velocity, gradients, decay = (vector[where] for vector in vectors)
            updates.rmsprop.step(values, mean_square, velocity, gradients, decay, share * rate, *settings)


def of(settings: Settings, model: Model) -> Optimizer:
    """The optimizer that settings ask for."""
    decay = decay_vector(model.parameters, settings.weight_decay, settings.decay_depthwise)
    parts = rate_parts(model.parameters, settings.backbone_rate)
    if settings.optimizer == "rmsprop":
        return RMSprop(model.buffers, settings.momentum, decay=decay, parts=parts)
    return SGD(model.buffers, settings.momentum, settings.nesterov, decay, parts)


def _vector(buffers: Buffers, value: float | np.ndarray):
    """One number for each of the model's, or those that are given, where the model is."""
    values = np.empty(buffers.values.shape, buffers.values.dtype)
    values[...] = value
    return arrays.beside(buffers.values, values)


def _whole(buffers: Buffers) -> list[Part]:
    return [Part(slice(0, buffers.values.size), 1.0)]


def _fraction(name: str, value: float) -> float:
    if not 0 <= value < 1:
        raise InputError(f"{name} is {value!r}; expected a number, 0 <= {name} < 1")
    return value
