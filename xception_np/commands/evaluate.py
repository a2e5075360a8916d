"""`xception-np evaluate`."""

from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from xception_np import data, implementations, training
from xception_np.commands.output import check_picture_target, emit, over_views, save_figure, views_clause
from xception_np.data import ImageFolder, Pictures, imagenet
from xception_np.errors import InputError
from xception_np.files import with_home
from xception_np.ops import spec
from xception_np.show import confusion_matrix
from xception_np.training import Checkpoint, confusion, pretrained

TOP = 5
_USUAL_PIXELS = 64 * 64  # of a picture, up to which batches of 128 need little memory


class Request(NamedTuple):
    """What is to be measured.

    confusion : picture to write, None for none
    others : the options of the command line
    """

    checkpoint: str
    network: str | None
    source: str
    batch: int | None
    shift: int
    confusion: Path | None
    implementation: str


def run(request: Request, as_json: bool) -> None:
    """Measure a network's accuracy on the held-out pictures of a data set."""
    if request.confusion is not None:
        check_picture_target(request.confusion, "confusion")
    implementations.check(request.implementation)
    if request.batch is not None:
        spec.positive("batch", request.batch)
    loaded = pretrained.load(request.checkpoint, request.network)
    usual = max(1, min(128, 128 * _USUAL_PIXELS // loaded.preprocessing.size**2))
    batch = usual if request.batch is None else request.batch
    views = training.beside(loaded.training.get("mirrored") is True, request.shift)
    held_out = _held_out(request.source, loaded, request.checkpoint)
    with loaded.model.computed_by(request.implementation):
        result = training.evaluate(loaded.model, held_out, loaded.preprocessing, batch, views)
    top = result.top(TOP) if len(held_out.classes) > TOP else None  # of fewer, all would be among them
    drawn = None
    if request.confusion is not None:
        title = f"{loaded.model.name} on {held_out.name}: {result.accuracy:.1%} of {len(held_out):,} held-out pictures right"
        counts = confusion(result.labels, result.probabilities.argmax(axis=1), len(held_out.classes))
        drawn = str(save_figure(confusion_matrix(counts, held_out.classes, title), request.confusion))
    if as_json:
        emit(
            {
                "checkpoint": request.checkpoint,
                "data": held_out.name,
                "images": len(held_out),
                "accuracy": result.accuracy,
                f"top_{TOP}": top,
                "loss": result.loss,
                **over_views(result),
                "images_per_second": result.images_per_second,
                **({"confusion": drawn} if drawn else {}),
            }
        )
    else:
        among = "" if top is None else f"{top:.2%} among the first {TOP}, "
        print(
            f"accuracy {result.accuracy:.2%} on {len(held_out):,} held-out pictures of {held_out.name}, "
            f"{among}loss {result.loss:.4f}, {result.images_per_second:,.0f} images/s"
            f"{views_clause(over_views(result))}"
        )
        if drawn:
            print(f"confusion {drawn}")


def _held_out(source: str, loaded: Checkpoint, checkpoint: str) -> Pictures:
    """The pictures to measure on, with labels that are numbers of the network's classes."""
    size = loaded.preprocessing.size
    if size != data.SIZE and not data.is_scaled(source) and (data.is_name(source) or with_home(source).exists()):
        raise InputError(
            f"data is {source}; expected a folder of pictures: {checkpoint} sees {size} pixels, and only these are scaled"
        )
    held_out = data.load_test(source, size)
    if isinstance(held_out, ImageFolder):
        held_out = replace(held_out, scaled=loaded.preprocessing.scaled)
        if loaded.classes == imagenet.CLASSES and set(held_out.folders) <= set(imagenet.WORDNET):
            return held_out.as_classes(imagenet.CLASSES, [imagenet.WORDNET.index(folder) for folder in held_out.folders])
    if held_out.classes != loaded.classes:
        raise InputError(
            f"data {source} has the classes {_few(held_out.classes)}, but {checkpoint} was trained on {_few(loaded.classes)}; "
            f"expected the same"
        )
    return held_out


def _few(classes: tuple[str, ...]) -> str:
    return ", ".join(classes[:10]) + (f" and {len(classes) - 10} more" if len(classes) > 10 else "")
