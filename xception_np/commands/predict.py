"""`xception-np predict`."""

from pathlib import Path

import numpy as np

from xception_np import implementations
from xception_np.commands.output import emit
from xception_np.training import pretrained
from xception_np.training.evaluation import softmax


def run(pictures: list[Path], checkpoint: str, network: str | None, top: int, implementation: str, as_json: bool) -> None:
    """Say what is in pictures."""
    implementations.check(implementation)
    model, classes, preprocessing, _ = pretrained.load(checkpoint, network)
    found = {}
    with model.computed_by(implementation):
        for picture in pictures:
            row = softmax(model.predict(preprocessing.apply(preprocessing.load(picture)[None])))[0]
            found[str(picture)] = [{"class": classes[k], "probability": float(row[k])} for k in np.argsort(-row)[:top]]
    if as_json:
        emit(found)
    else:
        for path, answers in found.items():
            print(f"{path}: " + ", ".join(f"{answer['class']} {answer['probability']:.1%}" for answer in answers))
