"""`xception-np evaluate`."""

from pathlib import Path

from xception_np import data, training
from xception_np.commands.output import emit, over_views, views_clause
from xception_np.errors import InputError


def run(checkpoint: Path, source: str, batch: int, shift: int, as_json: bool) -> None:
    """Measure a checkpoint's accuracy on the held-out pictures of a data set."""
    loaded = training.load(checkpoint)
    views = training.beside(loaded.training.get("mirrored") is True, shift)
    held_out = data.load(source, loaded.preprocessing.size).test
    if held_out.classes != loaded.classes:
        raise InputError(
            f"data {source} has the classes {', '.join(held_out.classes)}, but {checkpoint} was trained on "
            f"{', '.join(loaded.classes)}; expected the same"
        )
    result = training.evaluate(loaded.model, held_out, loaded.preprocessing, batch, views)
    if as_json:
        emit(
            {
                "checkpoint": str(checkpoint),
                "data": held_out.name,
                "images": len(held_out),
                "accuracy": result.accuracy,
                "loss": result.loss,
                **over_views(result),
                "images_per_second": result.images_per_second,
            }
        )
    else:
        print(
            f"accuracy {result.accuracy:.2%} on {len(held_out):,} held-out pictures of {held_out.name}, "
            f"loss {result.loss:.4f}, {result.images_per_second:,.0f} images/s{views_clause(over_views(result))}"
        )
