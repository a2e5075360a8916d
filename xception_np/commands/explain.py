"""`xception-np explain` and `xception-np features`: what happens inside."""

from pathlib import Path

import numpy as np

from xception_np.commands.output import check_picture_target, emit, save_figure
from xception_np.data.pictures import check_picture
from xception_np.errors import InputError
from xception_np.files import is_zip, replacing
from xception_np.models import inside
from xception_np.show import explanation, feature_maps
from xception_np.training import pretrained
from xception_np.training.evaluation import softmax

_MOST = 100  # pictures below each other in one
_AT_ONCE = 4  # pictures whose way back is kept: of 299 pixels each needs 200 MiB


def run(
    pictures: list[Path], checkpoint: str, network: str | None, wanted: str | None, layer: str | None, out: Path, as_json: bool
) -> None:
    """Draw where in pictures the evidence for a class is."""
    check_picture_target(out)
    if len(pictures) > _MOST:
        raise InputError(f"pictures are {len(pictures)}; expected at most {_MOST}, which are drawn below each other")
    model, classes, preprocessing, _ = pretrained.load(checkpoint, network)
    chosen = None if wanted is None else _number(wanted, classes)
    images = np.stack([preprocessing.load(picture) for picture in pictures])
    x = preprocessing.apply(images)
    probabilities = softmax(model.predict(x))
    explained = probabilities.argmax(axis=1) if chosen is None else np.full(len(images), chosen)
    parts = (slice(start, start + _AT_ONCE) for start in range(0, len(x), _AT_ONCE))
    maps = np.concatenate([inside.grad_cam(model, x[part], explained[part], layer) for part in parts])
    sure = probabilities[np.arange(len(images)), explained]
    says = [f"{classes[k]} {probability:.0%}" for k, probability in zip(explained, sure, strict=True)]
    drawn = save_figure(
        explanation(images, maps, says, f"What {model.name} goes by, at {layer or inside.last_image(model, x.shape)} (Grad-CAM)"),
        out,
    )
    if as_json:
        found = [
            {"file": str(picture), "class": classes[k], "probability": float(probability), "map": evidence.round(4).tolist()}
            for picture, k, probability, evidence in zip(pictures, explained, sure, maps, strict=True)
        ]
        emit({"picture": str(drawn), "explanations": found})
    else:
        for picture, text in zip(pictures, says, strict=True):
            print(f"{picture}: {text}")
        print(f"picture {drawn}")


def features(picture: Path, checkpoint: str, network: str | None, wanted: list[str], out: Path, as_json: bool) -> None:
    """Write what layers make of a picture: arrays, and for those that are images their channels drawn."""
    if out.suffix != ".npz":
        raise InputError(f"out is {out}; expected a path that ends in .npz")
    if out.exists() and not is_zip(out):
        raise InputError(f"out is {out}, a file that is no archive of arrays; choose another one")
    inner = next((name for name in wanted if "/" in name), None)
    if inner is not None:
        raise InputError(f"layer is {inner!r}; expected the name of a layer, without that of an array: {inner.partition('/')[0]!r}")
    targets = {name: out.with_name(f"{out.stem}-{name}.png") for name in wanted}
    for target in targets.values():
        check_picture_target(target)
    check_picture(picture)
    model, _, preprocessing, _ = pretrained.load(checkpoint, network)
    if not wanted:
        names = inside.names(model)
        if as_json:
            emit({"layers": names})
        else:
            print("\n".join(names))
        return
    found = inside.features(model, preprocessing.apply(preprocessing.load(picture)[None]), wanted)
    arrays = {name: np.ascontiguousarray(array[0]) for name, array in found.items()}
    with replacing(out) as temporary, open(temporary, "wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]  # names of layers are not those of its options
    drawn = {
        name: save_figure(feature_maps(array, f"{name} of {model.name}"), targets[name])
        for name, array in arrays.items()
        if array.ndim == 3
    }
    if as_json:
        shapes = {name: list(array.shape) for name, array in arrays.items()}
        emit({"arrays": str(out), "shapes": shapes, "pictures": {name: str(path) for name, path in drawn.items()}})
    else:
        for name, array in arrays.items():
            print(f"{name}: {' x '.join(map(str, array.shape))}{f', picture {drawn[name]}' if name in drawn else ''}")
        print(f"arrays {out}")


def _number(wanted: str, classes: tuple[str, ...]) -> int:
    if wanted not in classes:
        near = [name for name in classes if wanted.lower() in name.lower()][:10] or classes[:10]
        more = ", ..." if len(classes) > len(near) else ""
        raise InputError(f"class is {wanted!r}; expected a class of the network, such as {', '.join(near)}{more}")
    return classes.index(wanted)
