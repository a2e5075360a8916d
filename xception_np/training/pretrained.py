"""Networks that are trained already: by this package, or by others, with what is to be done to pictures and what the outputs mean.

pretrained.load("box")                              the model in the box
pretrained.load("runs/cifar/averaged.safetensors")  a checkpoint of this package
pretrained.load("imagenet", "xception")             published weights, downloaded once
pretrained.load("weights.h5", "xception")           a file of published weights, Keras's or timm's
"""

from pathlib import Path
from typing import NamedTuple

from xception_np import models, weights
from xception_np.data import Preprocessing, download, imagenet
from xception_np.errors import InputError, check_file
from xception_np.files import with_home
from xception_np.training import box, checkpoints
from xception_np.training.checkpoints import Checkpoint

_KERAS = "https://storage.googleapis.com/tensorflow/keras-applications"
_HALVES = (0.5, 0.5, 0.5)
_BLUE_FIRST = (103.939 / 255, 116.779 / 255, 123.68 / 255), (1 / 255,) * 3


class Published(NamedTuple):
    """Weights that the world has, trained on ImageNet.

    address, md5 : of the file
    preprocessing : with which they were trained and measured
    """

    address: str
    md5: str
    preprocessing: Preprocessing


# Xception and Inception V3 take pixels from -1 to 1, VGG-16 blue first, less their mean. The shorter side is scaled to 333, 342 and
# 256 pixels, and the middle cut out.
PUBLISHED = {
    "xception": Published(
        f"{_KERAS}/xception/xception_weights_tf_dim_ordering_tf_kernels.h5",
        "0a58e3b7378bc2990ea3b43d5981f1f6",
        Preprocessing(299, _HALVES, _HALVES, scaled=333),
    ),
    "inception_v3": Published(
        f"{_KERAS}/inception_v3/inception_v3_weights_tf_dim_ordering_tf_kernels.h5",
        "9a0d58056eeedaa3f26cb7ebd46da564",
        Preprocessing(299, _HALVES, _HALVES, scaled=342),
    ),
    "vgg16": Published(
        f"{_KERAS}/vgg16/vgg16_weights_tf_dim_ordering_tf_kernels.h5",
        "64373286793e3c8b2b4e3219cbf3544b",
        Preprocessing(224, *_BLUE_FIRST, scaled=256, order="BGR"),
    ),
}
_SAME_WEIGHTS = {"legacy_xception": "xception"}


class Found(NamedTuple):
    """Where weights are, and what belongs to them.

    checkpoint : whether the file is one of this package's, which says everything itself
    """

    path: Path
    network: str
    preprocessing: Preprocessing
    classes: tuple[str, ...]
    checkpoint: bool


def find(source: str | Path, network: str | None = None) -> Found:
    """Where the weights are that somebody names; they are downloaded if they are published ones.

    Parameters
    ----------
    source : str or path
        `box`, `imagenet`, or a file.
    network : str, optional
        For a file that does not say of which network it is, and for `imagenet`; xception if not given, legacy_xception for a file
        with timm's names.

    Raises
    ------
    InputError
        If there are no such weights, or none for this network.
    """
    if str(source) == "imagenet":
        network = "xception" if network is None else network
        published = _published(network, source)
        if network in _SAME_WEIGHTS:
            raise InputError(f"model is {network!r}, whose weights are timm's; expected a file of them, as .safetensors")
        path = download.fetch(published.address, published.md5)
        return Found(path, network, published.preprocessing, imagenet.CLASSES, False)
    path = box.checkpoint() if str(source) == "box" else with_home(source)
    check_file("checkpoint", path, "a file of weights, 'box' or 'imagenet'")
    if checkpoints.is_one(path):
        described = checkpoints.describe(path)
        if network not in (None, described.network):
            raise InputError(f"model is {network!r}, but {path} holds a {described.network}; leave the option out")
        return Found(path, described.network, described.preprocessing, described.classes, True)
    if network is None:
        network = "legacy_xception" if weights.is_timms(path) else "xception"
    return Found(path, network, _published(network, source).preprocessing, imagenet.CLASSES, False)


def load(source: str | Path, network: str | None = None) -> Checkpoint:
    """A network that is trained already; the arguments are those of `find`."""
    found = find(source, network)
    if found.checkpoint:
        return checkpoints.load(found.path)
    weights.check(found.path)  # before memory is asked for
    model = models.build(found.network, len(found.classes))
    weights.load(model, found.path)
    return Checkpoint(model, found.classes, found.preprocessing, {})


def _published(network: str, source: str | Path) -> Published:
    """What is published for a network; InputError if nothing is, or there is no such network."""
    name = _SAME_WEIGHTS.get(models.find(network).name, network)
    if name not in PUBLISHED:
        known = ", ".join([*PUBLISHED, *_SAME_WEIGHTS])
        raise InputError(f"model is {network!r}; expected one of those with published weights, {known}, for weights {source}")
    return PUBLISHED[name]
