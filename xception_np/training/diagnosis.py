"""Where a NaN or an infinity comes from: a step once more, with a look at what every layer makes."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from xception_np import arrays, ops
from xception_np.layers import Layer, Step, rebuilt
from xception_np.models import Model


class _Found(Exception):
    """A number that is not finite, and where."""


def first_not_finite(model: Model, x: np.ndarray, labels: np.ndarray, step: Step, label_smoothing: float) -> str:
    """Repeat a training step and say where a number is not finite first.

    Parameters
    ----------
    model : Model
        With the parameters that the step began with; its gradients are lost.
    x, labels : arrays
        The step's batch.
    step : Step
    label_smoothing : float

    Returns
    -------
    str
        Such as "in the forward pass of block2_sepconv1"; empty if all of them are finite.
    """
    if not np.isfinite(x).all():
        return "in the pictures"
    for parameter in model.parameters:
        if not _finite(parameter.value):
            return f"in the parameter {parameter.name}"
    x, labels = arrays.moved((x, labels), model.place)
    model.zero_gradients()
    apart = rebuilt(model, lambda chain: chain)  # layers that training runs as one are two here, each with what it makes
    try:
        with _watched(apart.layers):
            logits, cache = apart.forward(x, step)
            loss, loss_cache = ops.softmax_cross_entropy.forward(logits, labels, label_smoothing)
            if not np.isfinite(loss):
                return "in the loss"
            apart.backward(ops.softmax_cross_entropy.backward(1.0, loss_cache), cache)
    except _Found as found:
        return str(found)
    return ""


@contextmanager
def _watched(layers: list[Layer]) -> Iterator[None]:
    """Inside the `with` block every layer, and every layer inside one, checks what it returns and adds to gradients."""
    watched = list({id(layer): layer for layer in _all(layers)}.values())  # one that is used twice is watched once
    for layer in watched:
        _watch(layer)
    try:
        yield
    finally:
        for layer in watched:
            del layer.forward, layer.backward  # the instance's; the class's show again


def _watch(layer: Layer) -> None:
    forward, backward = layer.forward, layer.backward

    def checked_forward(x, training=None):
        y, cache = forward(x, training)
        if not _finite(y):
            raise _Found(f"in the forward pass of {layer.name}")
        return y, cache

    def checked_backward(dy, cache):
        dx = backward(dy, cache)
        if not all(_finite(array) for array in (dx, *(p.gradient for p in layer.parameters))):
            raise _Found(f"in the backward pass of {layer.name}")
        return dx

    layer.forward, layer.backward = checked_forward, checked_backward  # type: ignore[method-assign]


def _finite(array) -> bool:
    return bool(np.isfinite(arrays.to_host(array)).all())


def _all(layers: list[Layer]) -> Iterator[Layer]:
    """Layers and the layers they are made of, which layers hold as attributes: alone, or in lists."""
    for layer in layers:
        yield layer
        for value in vars(layer).values():
            inside = value if isinstance(value, list) else [value]
            yield from _all([part for part in inside if isinstance(part, Layer)])
