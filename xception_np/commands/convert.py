"""`xception-np convert`."""

from pathlib import Path

from xception_np import training, weights
from xception_np.commands.output import check_target, console, emit
from xception_np.errors import InputError
from xception_np.training import pretrained


def run(source: str, out: Path, network: str | None, layout: str | None, as_json: bool) -> None:
    """Write weights in another layout."""
    if out.exists():
        raise InputError(f"out is {out}, which exists already; choose another path")
    check_target(out, "out")
    weights.check_target(out, layout)
    loaded = pretrained.load(source, network)
    if out.suffix == ".safetensors" and layout is None:
        training.save(out, loaded)  # a checkpoint, which says what it is
    else:
        weights.save(loaded.model, out, layout)
    size = out.stat().st_size
    reader = {"xception": "timm", "legacy_xception": "Keras"}.get(loaded.model.name)
    if (reader == "timm" and layout) or (reader == "Keras" and out.suffix != ".safetensors"):
        console.print(
            f"{reader} adds another epsilon and pads one pool otherwise: its answers will differ a little", highlight=False
        )
    if as_json:
        emit({"model": loaded.model.name, "arrays": len(loaded.model.arrays), "out": str(out), "bytes": size})
    else:
        print(f"{loaded.model.name}, {len(loaded.model.arrays)} arrays: {out}, {size / 1e6:,.1f} MB")
