"""One step of gradient descent, written out: forward, loss, backward, and the move."""

import math

import numpy as np

from xception_np import ops
from xception_np.errors import InputError
from xception_np.layers import Step
from xception_np.models import Model
from xception_np.training import metrics, regularisation
from xception_np.training.diagnosis import first_not_finite
from xception_np.training.optimizers import Optimizer
from xception_np.training.settings import Settings


def descend(
    model: Model,
    optimizer: Optimizer,
    settings: Settings,
    x: np.ndarray,
    labels: np.ndarray,
    number: int,
    rate: float,
) -> tuple[float, float]:
    """Take a step on a batch.

    Parameters
    ----------
    model : Model
    optimizer : Optimizer
        Of this model.
    settings : Settings
        Label smoothing, clipping, and the seed of dropout.
    x : (N, H, W, 3) array
    labels : (N,) array of int64, or (N, classes) array
        Classes, or shares of classes, as `ops.softmax_cross_entropy` takes them.
    number : int
        How many steps were taken before.
    rate : float

    Returns
    -------
    loss, accuracy : float
        On this batch, before the step.

    Raises
    ------
    InputError
        If the loss or the gradient is not finite; then the parameters are those that the step began with.
    """
    step = Step(settings.seed, number)
    model.zero_gradients()
    logits, cache = model.forward(x, step)
    loss, loss_cache = ops.softmax_cross_entropy.forward(logits, labels, settings.label_smoothing)
    dlogits = ops.softmax_cross_entropy.backward(1.0, loss_cache)
    model.backward(dlogits, cache)
    norm = regularisation.global_norm(model.buffers.gradients)
    if not (math.isfinite(loss) and math.isfinite(norm)):
        what, value = ("norm of the gradient", norm) if math.isfinite(loss) else ("loss", loss)
        where = first_not_finite(model, x, labels, step, settings.label_smoothing)
        raise InputError(
            f"the {what} is {value} at step {number + 1}: training was stopped; a number is first not finite {where}; "
            f"try a learning rate below {settings.rate}"
        )
    if settings.clip:
        regularisation.clip(model.buffers.gradients, norm, settings.clip)
    optimizer.step(rate)
    return loss, metrics.accuracy(logits, labels)
