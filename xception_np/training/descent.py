"""One step of gradient descent, written out: forward, loss, backward, the sum over all processes, and the move."""

import math

import numpy as np

from xception_np import arrays, ops, threads
from xception_np.errors import InputError, SharedError
from xception_np.layers import Chain, Dropout, Step
from xception_np.models import Model
from xception_np.training import metrics, regularisation
from xception_np.training.diagnosis import first_not_finite
from xception_np.training.optimizers import Optimizer
from xception_np.training.parallel import Lost, Processes, Sum
from xception_np.training.settings import Settings


def descend(
    model: Model,
    optimizer: Optimizer,
    settings: Settings,
    x: np.ndarray,
    labels: np.ndarray,
    step: Step,
    rate: float,
    processes: Processes,
) -> Sum:
    """Take a step on a batch, of which this process may have a share only.

    Parameters
    ----------
    model : Model
    optimizer : Optimizer
        Of this model.
    settings : Settings
        Batch, label smoothing, clipping, and whether the backbone learns.
    x : (N, H, W, 3) array
        In NumPy, wherever the model is.
    labels : (N,) array of int64, or (N, classes) array
        Classes, or shares of classes, as `ops.softmax_cross_entropy` takes them.
    step : Step
        Its number is how many steps were taken before.
    rate : float
    processes : Alone or Ranks
        All take this step.

    Returns
    -------
    Sum
        Loss and accuracy on the whole batch, before the step; time, and whether to stop.

    Raises
    ------
    InputError
        If the loss or the gradient is not finite, in all processes; then the parameters are those that the step began with.
    Lost
        If another process does not answer; then, too.
    """
    model.zero_gradients()
    fixed, trained = _parts(model, settings.backbone_rate)
    there, answers = arrays.moved((x, labels), model.place)
    with threads.many_passes():
        logits, cache = trained.forward(fixed.apply(there), step)
        loss, loss_cache = ops.softmax_cross_entropy.forward(logits, answers, settings.label_smoothing)
        dlogits = ops.softmax_cross_entropy.backward(1.0, loss_cache)
        trained.learn(dlogits, cache)
    total = processes.add_up(model.buffers, loss, metrics.accuracy(arrays.to_host(logits), labels), len(x) / settings.batch)
    norm = regularisation.global_norm(model.buffers.gradients)
    if not (math.isfinite(total.loss) and math.isfinite(norm)):
        what = f"norm of the gradient is {norm}" if math.isfinite(total.loss) else f"loss is {total.loss}"
        advice = f"a learning rate below {settings.rate}" + f", or an angle below {settings.angle}" * (settings.optimizer == "muon")
        stopped = f"the {what} at step {step.number + 1}: training was stopped"
        try:
            places = processes.words(first_not_finite(model, x, labels, step, settings.label_smoothing))
        except Lost as error:  # not to be passed on: what follows it would save statistics that are no longer finite
            raise InputError(f"{stopped}; try {advice}") from error
        where = next(filter(None, places), "in no layer alone, but in the sum of the squares of all gradients")
        raise SharedError(f"{stopped}; a number is first not finite {where}; try {advice}")
    if settings.clip:
        regularisation.clip(model.buffers.gradients, norm, settings.clip)
    optimizer.step(rate)
    return total


def _parts(model: Model, backbone_rate: float) -> tuple[Chain, Chain]:
    """The layers that stay as they are, so that nothing needs to come back to them, and those that learn."""
    head = 2 if isinstance(model.layers[-2], Dropout) else 1
    first = len(model.layers) - head if backbone_rate == 0 else 0
    return Chain("fixed", model.layers[:first]), Chain("trained", model.layers[first:])
