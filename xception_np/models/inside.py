"""What happens inside a network: features at any layer, and Grad-CAM.

    names(model)                                          what can be asked for
    features(model, x, ["block4_sepconv1_act"])           {name: array}
    grad_cam(model, x, classes, "block14_sepconv2_act")   where the network looked, for these classes

The model is not changed: what is asked for is noted down by layers around its own, in containers built for the purpose, in which
layers that run as one for speed are taken apart.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from xception_np.errors import InputError, is_whole
from xception_np.layers import Chain, Layer, Rectifiable, ReLU, rebuilt
from xception_np.models.model import Model
from xception_np.ops import spec


class Notes(NamedTuple):
    """What came out of layers, and the gradients that came back to them, by name."""

    y: dict[str, np.ndarray]
    dy: dict[str, np.ndarray]


class Watched(Layer):
    """A layer that notes what comes out of it, forwards and backwards."""

    def __init__(self, layer: Layer, name: str, notes: Notes):
        self.layer, self.name, self.notes = layer, name, notes

    @property
    def parameters(self):
        """The layer's."""
        return self.layer.parameters

    def forward(self, x, training=None):
        """y as the layer's."""
        y, cache = self.layer.forward(x, training)
        self.notes.y[self.name] = y
        return y, cache

    def backward(self, dy, cache):
        """dx as the layer's."""
        self.notes.dy[self.name] = dy
        return self.layer.backward(dy, cache)


def names(model: Model) -> list[str]:
    """The layers of a model, as its summary has them."""
    return [row.name for row in model.rows(model.table.input_shape)]


def watched(model: Model, wanted: Sequence[str]) -> tuple[Chain, Notes]:
    """The network with an eye on some layers; it shares the model's parameters.

    Raises
    ------
    InputError
        If there is no such layer.
    """
    model.require_in_numpy()
    known = names(model)
    for name in wanted:
        if name not in known:
            near = [other for other in known if isinstance(name, str) and other.startswith(name.partition("_")[0])] or known
            raise InputError(f"layer is {name!r}; expected one of {', '.join(near)}")
    notes = Notes({}, {})

    def change(chain: list[Layer]) -> list[Layer]:
        return [part for layer in chain for part in _with_eyes(layer, set(wanted), notes)]

    return rebuilt(model, change), notes


def features(model: Model, x: np.ndarray, wanted: Sequence[str]) -> dict[str, np.ndarray]:
    """What layers make of preprocessed pictures (N, H, W, 3), at inference: {name: (N, h, w, c) or (N, c) array}.

    Raises
    ------
    InputError
        If there is no such layer, `wanted` is no list, or x is not of that shape.
    """
    spec.shapes(x=(x, "N H W 3"))
    if isinstance(wanted, str):
        raise InputError(f"wanted is {wanted!r}; expected a list of names: [{wanted!r}]")
    net, notes = watched(model, wanted)
    net.apply(x)
    return {name: notes.y[name] for name in wanted}


def grad_cam(
    model: Model, x: np.ndarray, classes: Sequence[int] | np.ndarray | None = None, layer: str | None = None
) -> np.ndarray:
    """Where in pictures the evidence for a class is: Grad-CAM.

        weight[n, c] = mean over positions of d logit[n, class] / d a[n, h, w, c]
        map[n, h, w] = relu(sum over c of weight[n, c] * a[n, h, w, c])

    Parameters
    ----------
    model : Model
    x : (N, H, W, 3) array, preprocessed
    classes : N integers, optional
        For every picture; by default the class that the network takes it for.
    layer : str, optional
        Whose result `a` is looked at; by default the last that is still an image.

    Returns
    -------
    (N, h, w) array, >= 0, each map from 0 to at most 1: divided by its largest value

    Raises
    ------
    InputError
        If there is no such layer, its result is not an image, or a class does not exist.

    Source: Selvaraju et al., arXiv 1610.02391, equations 1 and 2. The gradient is that of the logit, not of the probability; batch
    normalisation uses its moving statistics.
    """
    spec.shapes(x=(x, "N H W 3"))
    layer = layer or last_image(model, x.shape)
    net, notes = watched(model, [layer])
    logits, cache = net.forward(x)
    a = notes.y[layer]
    if a.ndim != 4:
        raise InputError(f"layer is {layer!r}, whose result has shape {a.shape}; expected one whose result is an image")
    chosen = logits.argmax(axis=1) if classes is None else _checked(classes, logits)
    gradients = model.buffers.gradients.copy()
    try:
        net.backward(_ones_at(chosen, logits), cache)
    finally:
        model.buffers.gradients[...] = gradients
    weight = notes.dy[layer].mean(axis=(1, 2), keepdims=True)
    maps = np.maximum((weight * a).sum(axis=3), 0)
    most = maps.max(axis=(1, 2), keepdims=True)
    return maps / np.where(most > 0, most, 1)


def _ones_at(classes: np.ndarray, logits: np.ndarray) -> np.ndarray:
    """dlogits of the sum of one logit of each picture."""
    dlogits = np.zeros_like(logits)
    dlogits[np.arange(len(logits)), classes] = 1
    return dlogits


def last_image(model: Model, x_shape: tuple[int, ...]) -> str:
    """The last layer whose result is still an image."""
    return [row.name for row in model.rows(x_shape) if len(row.output_shape) == 4][-1]


def _with_eyes(layer: Layer, wanted: set[str], notes: Notes) -> list[Layer]:
    """The layer, or a watched one, or several in its place if it is two in one."""
    if isinstance(layer, Rectifiable) and layer.relu_name and layer.name in wanted:
        alone = Watched(layer.with_relu(None), layer.name, notes)
        return [alone, *_with_eyes(ReLU(layer.relu_name), wanted, notes)]
    name = _name(layer)
    return [Watched(layer, name, notes)] if name in wanted else [layer]


def _name(layer: Layer) -> str:
    """What a summary calls the layer's result."""
    match layer:
        case Rectifiable(relu_name=str(name)):
            return name
    return layer.own_name


def _checked(classes: Sequence[int] | np.ndarray, logits: np.ndarray) -> np.ndarray:
    images, count = logits.shape
    if np.ndim(classes) != 1 or len(classes) != images or not all(is_whole(k) and 0 <= k < count for k in classes):
        raise InputError(f"classes is {classes!r}; expected {images} whole numbers, each from 0 to {count - 1}")
    return np.asarray(classes)
