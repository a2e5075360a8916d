"""Optimizers: from gradients to new parameters, in a few passes over the model's flat vectors.

Weight decay is the gradient of an L2 penalty, decay / 2 * value^2, added to the gradient of the loss; `decay` is one number or
one for each parameter (`regularisation.decay_vector`).
"""

from typing import Union

import numpy as np

from xception_np.errors import InputError
from xception_np.layers import Buffers
from xception_np.models import Model
from xception_np.training.regularisation import decay_vector, rate_vector
from xception_np.training.settings import Settings

Optimizer = Union["SGD", "RMSprop"]


class SGD:
    """Stochastic gradient descent with momentum, as the paper's ImageNet runs (section 4.2).

        slope    = gradient + decay * value
        velocity = momentum * velocity + slope
        value    = value - rate * velocity                        or, with Nesterov's momentum,
        value    = value - rate * (slope + momentum * velocity)

    Nesterov's in the form of Sutskever et al., "On the importance of initialization and momentum" (ICML 2013), with the value
    that is kept being the one looked ahead to.

    Parameters
    ----------
    buffers : Buffers
        Of the model to train.
    momentum : float
        0 <= momentum < 1.
    nesterov : bool
    decay : float, or (parameters,) array
    rates : (parameters,) array, optional
        What the learning rate of each is multiplied by.
    """

    def __init__(
        self,
        buffers: Buffers,
        momentum: float = 0.9,
        nesterov: bool = False,
        decay: float | np.ndarray = 0.0,
        rates: np.ndarray | None = None,
    ):
        self.buffers, self.momentum, self.nesterov = buffers, _fraction("momentum", momentum), nesterov
        self.decay, self.rates = decay, rates
        self.velocity = np.zeros_like(buffers.values)
        # Fresh memory for every step would cost page faults.
        self._slope, self._scratch = np.empty_like(buffers.values), np.empty_like(buffers.values)

    @property
    def state(self) -> dict[str, np.ndarray]:
        """What the next step depends on, besides the parameters; write to it to go on from there."""
        return {"velocity": self.velocity}

    def step(self, rate: float) -> None:
        """Move all parameters, with this learning rate."""
        values, gradients, _ = self.buffers
        slope = np.multiply(self.decay, values, out=self._slope)
        slope += gradients
        self.velocity *= self.momentum
        self.velocity += slope
        if self.nesterov:
            slope += np.multiply(self.momentum, self.velocity, out=self._scratch)
        _move(values, rate, slope if self.nesterov else self.velocity, self.rates, self._scratch)


class RMSprop:
    """Gradients divided by their usual size, with momentum, as the paper's JFT runs (section 4.2).

        slope       = gradient + decay * value
        mean_square = forgetting * mean_square + (1 - forgetting) * slope^2
        velocity    = momentum * velocity + slope / (sqrt(mean_square) + epsilon)
        value       = value - rate * velocity

    Source: Hinton, "Neural Networks for Machine Learning", lecture 6e (2012). The paper gives the momentum only; `forgetting` and
    `epsilon` are the defaults of Keras.

    Parameters
    ----------
    buffers : Buffers
        Of the model to train.
    momentum, forgetting : float
        0 <= momentum < 1, 0 <= forgetting < 1.
    epsilon : float
        > 0.
    decay : float, or (parameters,) array
    rates : (parameters,) array, optional
        What the learning rate of each is multiplied by.
    """

    def __init__(
        self,
        buffers: Buffers,
        momentum: float = 0.9,
        forgetting: float = 0.9,
        epsilon: float = 1e-7,
        decay: float | np.ndarray = 0.0,
        rates: np.ndarray | None = None,
    ):
        if not epsilon > 0:
            raise InputError(f"epsilon is {epsilon!r}; expected a number > 0")
        self.buffers, self.epsilon, self.decay, self.rates = buffers, epsilon, decay, rates
        self.momentum, self.forgetting = _fraction("momentum", momentum), _fraction("forgetting", forgetting)
        self.mean_square, self.velocity = np.zeros_like(buffers.values), np.zeros_like(buffers.values)
        self._slope, self._scratch = np.empty_like(buffers.values), np.empty_like(buffers.values)

    @property
    def state(self) -> dict[str, np.ndarray]:
        """What the next step depends on, besides the parameters; write to it to go on from there."""
        return {"mean_square": self.mean_square, "velocity": self.velocity}

    def step(self, rate: float) -> None:
        """Move all parameters, with this learning rate."""
        values, gradients, _ = self.buffers
        slope = np.multiply(self.decay, values, out=self._slope)
        slope += gradients
        square = np.multiply(slope, slope, out=self._scratch)
        square *= 1 - self.forgetting
        self.mean_square *= self.forgetting
        self.mean_square += square
        size = np.sqrt(self.mean_square, out=self._scratch)
        size += self.epsilon
        self.velocity *= self.momentum
        self.velocity += np.divide(slope, size, out=slope)
        _move(values, rate, self.velocity, self.rates, self._scratch)


def of(settings: Settings, model: Model) -> Optimizer:
    """The optimizer that settings ask for."""
    decay = decay_vector(model.parameters, settings.weight_decay, settings.decay_depthwise)
    rates = rate_vector(model.parameters, settings.backbone_rate)
    if settings.optimizer == "rmsprop":
        return RMSprop(model.buffers, settings.momentum, decay=decay, rates=rates)
    return SGD(model.buffers, settings.momentum, settings.nesterov, decay, rates)


def _move(values: np.ndarray, rate: float, direction: np.ndarray, rates: np.ndarray | None, scratch: np.ndarray) -> None:
    """value = value - rate * direction, with the rate of each value if they differ."""
    step = np.multiply(rate, direction, out=scratch)
    if rates is not None:
        step *= rates
    values -= step


def _fraction(name: str, value: float) -> float:
    if not 0 <= value < 1:
        raise InputError(f"{name} is {value!r}; expected a number, 0 <= {name} < 1")
    return value
