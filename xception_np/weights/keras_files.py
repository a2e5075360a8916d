"""Keras's weight files, in and out.

Three layouts, one table of names (`keras_layers`):

- Legacy, `.h5`: a group a layer at the root (or in `model_weights`), its arrays inside: `block2_sepconv1/.../depthwise_kernel:0`.
  Keras 1, which the published Xception is from, has no names but kinds and numbers, and arrays of other names:
  `separableconvolution2d_7/separableconvolution2d_7_pointwise_kernel:0`; its `running_std` is the variance.
- `.weights.h5` of Keras 3: `layers/separable_conv2d_7/vars/1`, numbered by class along `model.layers`, arrays by their place. Newer
  versions write a layer's name beside it.
- `.keras`: a zip file with a `model.weights.h5` inside.

A layer is found by its name; those that have only a kind and a number, by the order of these numbers, which is that of creation.
Keras's own layers are never identified by the number itself: a second model in one session starts where the first ended.
"""

import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import h5py

from xception_np.errors import InputError
from xception_np.layers import Chain
from xception_np.weights import hdf5
from xception_np.weights.keras_layers import ARRAYS, KerasLayer, in_creation_order, in_topological_order
from xception_np.weights.strict import Contents, Entry

KINDS = {  # how Keras names a layer that has no name; Keras 1 had longer words
    "conv2d": "Conv2D",
    "convolution2d": "Conv2D",
    "separable_conv2d": "SeparableConv2D",
    "separableconvolution2d": "SeparableConv2D",
    "batch_normalization": "BatchNormalization",
    "batchnormalization": "BatchNormalization",
    "dense": "Dense",
}
_NUMBERED = re.compile(rf"({'|'.join(KINDS)})(?:_(\d{{1,9}}))?")
_KERAS_1 = {"W": "kernel", "b": "bias", "running_mean": "moving_mean", "running_std": "moving_variance"}
_COPY = re.compile(r"_\d+$")  # what TensorFlow adds to a name that it has already: VGG-16's arrays are block1_conv1_W_1
_INSIDE = "model.weights.h5"
_BOUNDED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # what zipfile unpacks no further than it is asked to
_KERAS_3_ROOTS = ("layers", "_layer_checkpoint_dependencies")  # the latter in the first files of the kind, of Keras 2.12


class Found:
    """A file's layers, by their names there: arrays by Keras's names; and what is there twice, which nothing answers to."""

    def __init__(self):
        self.layers: dict[str, dict[str, Entry]] = {}
        self.twice: list[str] = []

    def add(self, layer: str, array: str, entry: Entry) -> None:
        """Note an array of a layer."""
        arrays = self.layers.setdefault(layer, {})
        if array in arrays:
            self.twice.append(entry.name)
        else:
            arrays[array] = entry


@contextmanager
def opened(path: Path, chain: Chain) -> Iterator[Contents]:
    """What a file has for a model; the file is open inside the `with` block."""
    source = None if h5py.is_hdf5(path) else BytesIO(_unpacked(path, chain))
    with hdf5.opened(path, source) as file:
        yield _matched(*_read(path, file), chain)


def write_legacy(path: Path, chain: Chain) -> None:
    """A legacy file: what every Keras from 1 to 3 loads, by the order of the layers."""
    with h5py.File(path, "w") as file:
        layers = in_topological_order(chain)
        file.attrs["layer_names"] = [layer.name.encode() for layer in layers]
        file.attrs["backend"], file.attrs["keras_version"] = b"tensorflow", b"2.15.0"
        for layer in layers:
            group = file.create_group(layer.name)
            names = {array: f"{layer.name}/{array}:0" for array in _arrays(layer)}
            group.attrs["weight_names"] = [name.encode() for name in names.values()]
            for array, name in names.items():
                group[name] = layer.arrays[array].value.reshape(layer.shape(array))


def write_keras_3(path: Path, chain: Chain) -> None:
    """A `.weights.h5` file of Keras 3."""
    with h5py.File(path, "w") as file:
        file.create_group("vars")  # the model's own, of which there are none; older versions look for them
        for group_name, layer in _numbered(in_topological_order(chain)).items():
            group = file.create_group(f"layers/{group_name}/vars")
            group.attrs["name"] = layer.name
            for index, array in enumerate(_arrays(layer)):
                group[str(index)] = layer.arrays[array].value.reshape(layer.shape(array))


def _unpacked(path: Path, chain: Chain) -> bytes:
    """The weights in a `.keras` file: one member, no larger than the model's arrays could be."""
    most = 2 * 8 * sum(parameter.size for parameter in chain.parameters + chain.moving) + 2**24
    try:
        with zipfile.ZipFile(path) as archive:
            if archive.getinfo(_INSIDE).compress_type not in _BOUNDED:
                raise InputError(
                    f"weights {path} are packed in another way than Keras packs them; expected a .keras file of Keras 3"
                )
            with archive.open(_INSIDE) as member:
                content = member.read(most + 1)
    except InputError:
        raise
    except KeyError as error:
        raise InputError(f"weights {path} have no {_INSIDE} inside; expected a .keras file that Keras 3 wrote") from error
    except Exception as error:  # zipfile and zlib raise what comes to hand
        raise InputError(
            f"weights {path} cannot be unpacked ({hdf5.reason(error)}); expected a .keras file that Keras 3 wrote"
        ) from error
    if len(content) > most:
        raise InputError(f"weights {path} unpack to more than {most:,} bytes; expected a file for this model")
    return content


def _read(path: Path, file: h5py.File) -> tuple[Found, bool]:
    root = next((name for name in _KERAS_3_ROOTS if name in set(file)), None)
    return _legacy(path, file) if root is None else _keras_3(path, file, root)


def _legacy(path: Path, file: h5py.File) -> tuple[Found, bool]:
    inside = "model_weights/" if "model_weights" in set(file) else ""
    found = Found()
    for place, dataset in hdf5.datasets(path, file):
        if place.startswith(inside):
            layer, *_, last = place.removeprefix(inside).split("/")
            array = _COPY.sub("", last.partition(":")[0].removeprefix(f"{layer}_"))
            found.add(layer, _KERAS_1.get(array, array), hdf5.entry(path, place, dataset))
    if hdf5.word(file[inside or "/"].attrs.get("backend", "")) == "theano":  # no link any more: all were looked at
        raise InputError(f"weights {path} were written with Theano, whose kernels are turned around; expected TensorFlow's")
    return found, True


def _keras_3(path: Path, file: h5py.File, root: str) -> tuple[Found, bool]:
    """The second result: whether layers have their names beside them, and not only a number along `model.layers`."""
    groups: dict[str, dict[str, h5py.Dataset]] = {}
    for place, dataset in hdf5.datasets(path, file):
        if place.startswith(f"{root}/"):
            group, _, variable = place.rpartition("/")
            groups.setdefault(group, {})[variable] = dataset
    found, named = Found(), True
    for group, variables in groups.items():
        name = group.removeprefix(f"{root}/").removesuffix("/vars")
        kind = _kind(name)
        arrays = ARRAYS.get(kind, ())
        if kind == "BatchNormalization" and len(variables) == 3:  # without a scale
            arrays = arrays[1:]
        attributes = file[group].attrs
        named = named and "name" in attributes
        if "name" in attributes:
            name = hdf5.word(attributes["name"])
        for index, dataset in variables.items():
            array = arrays[int(index)] if index.isdecimal() and int(index) < len(arrays) else index
            found.add(name, array, hdf5.entry(path, dataset.name, dataset))
    return found, named


def _matched(found: Found, created: bool, chain: Chain) -> Contents:
    """What a file has for our arrays; its layers without a name are numbered in the order of creation, or along `model.layers`."""
    layers = in_creation_order(chain) if created else in_topological_order(chain)
    ours = {layer.name: layer for layer in layers}
    numbered = sorted((name for name in found.layers if name not in ours and _NUMBERED.fullmatch(name)), key=_number)
    with_names = {ours[name].kind for name in found.layers if name in ours}  # if some of a kind have one, all but the shortcuts do
    nameless = {
        kind: iter([layer for layer in layers if layer.kind == kind and (kind not in with_names or _is_shortcut(layer))])
        for kind in ARRAYS
    }
    for name in numbered:
        layer = next(nameless[_kind(name)], None)
        if layer is not None:
            ours[name] = layer
    entries: dict[str, Entry] = {}
    unexpected = list(found.twice)
    for name, arrays in found.layers.items():
        layer = ours.get(name)
        for array, entry in arrays.items():
            if layer is None or array not in layer.arrays:
                unexpected.append(entry.name)
            else:
                entries[f"{layer.name}/{array}"] = entry
    shapes = {f"{layer.name}/{array}": (layer.shape(array),) for layer in layers for array in layer.arrays}
    return Contents(entries, unexpected, shapes)


def _is_shortcut(layer: KerasLayer) -> bool:
    """Whether it is one of the layers that Keras's Xception leaves without a name."""
    return "_shortcut" in layer.name


def _kind(name: str) -> str:
    match = _NUMBERED.fullmatch(name)
    return KINDS[match[1]] if match else ""


def _number(name: str) -> int:
    match = _NUMBERED.fullmatch(name)
    return int(match[2] or 0) if match else 0


def _arrays(layer: KerasLayer) -> list[str]:
    return [array for array in ARRAYS[layer.kind] if array in layer.arrays]


def _numbered(layers: list[KerasLayer]) -> dict[str, KerasLayer]:
    """Keras 3's names for groups: the class, and from the second one on its number."""
    words = {kind: word for word, kind in reversed(KINDS.items())}
    counts = dict.fromkeys(ARRAYS, 0)
    found = {}
    for layer in layers:
        count = counts[layer.kind]
        found[f"{words[layer.kind]}_{count}" if count else words[layer.kind]] = layer
        counts[layer.kind] += 1
    return found
