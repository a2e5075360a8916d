"""Optimizers: from gradients to new parameters, on the model's flat vectors (`updates.sgd`, `updates.rmsprop`, `updates.muon`).

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
from xception_np.training.regularisation import Matrix, Part, decay_vector, matrices_and_rest, rate_parts
from xception_np.training.settings import Settings

Optimizer = Union["SGD", "RMSprop", "Muon"]


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
        self.decay, self.parts = _vector(buffers, decay), _whole(buffers) if parts is None else parts
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
        self.decay, self.parts = _vector(buffers, decay), _whole(buffers) if parts is None else parts
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


class Muon:
    """Matrices turn, by what `updates.muon` makes of their momentum; everything else moves as it does with SGD.

    Parameters
    ----------
    buffers : Buffers
        Of the model to train; the optimizer's own vector is where these are.
    matrices : sequence of Matrix
        What turns; batch normalisation, or something else that makes up for its length, has to follow each.
    rest : sequence of Part
        What moves.
    turn : float
        Angle in radians by which a matrix turns in a step, for each unit of the learning rate.
    momentum : float
        0 <= momentum < 1.
    nesterov : bool
    decay : float, or (parameters,) array
        Of what moves: a matrix that keeps its length has nothing to decay.
    """

    def __init__(
        self,
        buffers: Buffers,
        matrices: Sequence[Matrix],
        rest: Sequence[Part],
        turn: float,
        momentum: float = 0.9,
        nesterov: bool = True,
        decay: float | np.ndarray = 0.0,
    ):
        self.moved = SGD(buffers, momentum, nesterov, decay, rest)
        self.turn = turn
        self.turned: dict[float, list[Matrix]] = {}  # by their share of the learning rate
        for matrix in matrices:
            self.turned.setdefault(matrix.part.share, []).append(matrix)

    @property
    def buffers(self) -> Buffers:
        """Of the model that is trained."""
        return self.moved.buffers

    @property
    def state(self) -> dict[str, np.ndarray]:
        """What the next step depends on, besides the parameters; write to it to go on from there."""
        return self.moved.state

    def step(self, rate: float) -> None:
        """Turn the matrices and move the other parameters, with this learning rate."""
        vectors = self.buffers.values, self.moved.velocity, self.buffers.gradients
        for share, found in self.turned.items():
            values, velocities, gradients = ([matrix.of(vector) for matrix in found] for vector in vectors)
            angle = share * rate * self.turn
            updates.muon.step(values, velocities, gradients, angle, self.moved.momentum, self.moved.nesterov)
        self.moved.step(rate)


def of(settings: Settings, model: Model) -> Optimizer:
    """The optimizer that settings ask for; InputError if it is none for this model."""
    decay = decay_vector(model.parameters, settings.weight_decay, settings.decay_depthwise)
    parts = rate_parts(model.parameters, settings.backbone_rate)
    if settings.optimizer == "rmsprop":
        return RMSprop(model.buffers, settings.momentum, decay=decay, parts=parts)
    if settings.optimizer == "muon":
        if model.table.norm is None:
            raise InputError(f"optimizer is 'muon'; expected sgd or rmsprop for {model.name}, which has no batch normalisation")
        matrices, rest = matrices_and_rest(model.parameters, settings.backbone_rate)
        turn = settings.angle / settings.rate
        return Muon(model.buffers, matrices, rest, turn, settings.momentum, settings.nesterov, decay)
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
