"""Training where a picture has any number of classes, as on JFT: a sigmoid for each class, measured by MAP@k.

x, targets = synthetic(256, classes=6, seed=0)
fit(model, x, targets, settings)
map_at_k(model.predict(x), targets, k=3)
"""

import itertools

import numpy as np

from xception_np import arrays, ops
from xception_np.errors import InputError
from xception_np.layers import Step
from xception_np.models import Model
from xception_np.random import Purpose, Stream, permutation, uniform
from xception_np.training import optimizers, regularisation, schedules
from xception_np.training.schedules import Moment
from xception_np.training.settings import Settings

SIZE = 32  # pixels, height and width
_SQUARE = 8
_ACROSS = SIZE // _SQUARE
COLOURS = np.array(list(itertools.product((0, 1), repeat=3))[1:], np.float32)  # the corners of the colour cube but black


def synthetic(count: int, classes: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Dark noise with squares: a picture has class k, with probability 0.3, if it has a square of the k-th colour somewhere.

    Parameters
    ----------
    count : int
    classes : int
        1 to 7.
    seed : int

    Returns
    -------
    x : (count, 32, 32, 3) array of float32
        From -1 to 1; no further preprocessing is needed.
    targets : (count, classes) array of float32
        0 or 1.
    """
    if not 1 <= classes <= len(COLOURS):
        raise InputError(f"classes is {classes!r}; expected 1 to {len(COLOURS)}, a colour for each")
    targets = (uniform(Stream(seed, Purpose.CHECK, item=0), (count, classes)) < 0.3).astype(np.float32)
    places = uniform(Stream(seed, Purpose.CHECK, item=1), (count, _ACROSS**2)).argsort(axis=1)  # no two squares in the same
    x = uniform(Stream(seed, Purpose.CHECK, item=2), (count, SIZE, SIZE, 3), np.float32) - 1
    for n, k in np.argwhere(targets):
        top, left = (_SQUARE * place for place in divmod(places[n, k], _ACROSS))
        x[n, top : top + _SQUARE, left : left + _SQUARE] += COLOURS[k]
    return x, targets


def fit(model: Model, x: np.ndarray, targets: np.ndarray, settings: Settings) -> list[float]:
    """Train a model on pictures in memory with the sum over the classes of sigmoid cross-entropies.

    The operation's mean over the classes would make the gradient small where classes are many: it is multiplied by their number.

    Parameters
    ----------
    model : Model
        With an output for each class.
    x : (N, H, W, 3) array, preprocessed
    targets : (N, classes) array of the same dtype, from 0 to 1
    settings : Settings
        Optimizer, schedule, clipping, batch, epochs and seed; the last pictures of an epoch that fill no batch are left out. Of the
        recipe `jft`, all but its averaging.

    Returns
    -------
    losses : list of float, one for each step

    Raises
    ------
    InputError
        If the batch is larger than the data, there is not a target for each picture and class, or a setting of the run folder or of
        single labels asks for what is not done here.
    """
    names = ("minutes", "steps", "save_steps", "grow_until", "averaging", "validation", "label_smoothing", "dropout")
    unused = [name for name in names if getattr(settings, name)]
    if unused:
        raise InputError(f"{unused[0]} is {getattr(settings, unused[0])}; expected none in training on many labels")
    if targets.shape != (len(x), model.classes):
        raise InputError(
            f"targets has shape {targets.shape}; expected {(len(x), model.classes)}, a number for each picture and class"
        )
    if settings.batch > len(x):
        raise InputError(f"batch is {settings.batch}; expected at most {len(x)}, the number of images")
    optimizer, schedule = optimizers.of(settings, model), schedules.of(settings)
    batches = len(x) // settings.batch
    losses: list[float] = []
    for epoch in range(settings.epochs):
        order = permutation(Stream(settings.seed, Purpose.SHUFFLE, step=epoch), len(x))
        for indices in order[: batches * settings.batch].reshape(batches, settings.batch):
            step = len(losses)
            moment = Moment((step + 0.5) / (settings.epochs * batches), step / batches, step * settings.batch)
            model.zero_gradients()
            pictures, answers = arrays.moved((x[indices], targets[indices]), model.place)
            logits, cache = model.forward(pictures, Step(settings.seed, step, frozen=settings.statistics_stay))
            mean, loss_cache = ops.sigmoid_cross_entropy.forward(logits, answers)
            model.learn(ops.sigmoid_cross_entropy.backward(model.classes, loss_cache), cache)
            norm = regularisation.global_norm(model.buffers.gradients)
            if not np.isfinite(norm):
                raise InputError(
                    f"the norm of the gradient is {norm} at step {step + 1}; try a learning rate below {settings.rate}"
                )
            if settings.clip:
                regularisation.clip(model.buffers.gradients, norm, settings.clip)
            optimizer.step(settings.rate * schedule(moment))
            losses.append(model.classes * mean)
    return losses
