"""What was measured: `results/FIGURE.json`, an entry for every point and seed, written whole as each training ends."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from xception_np.files import make_folder, read_json, replacing

RESULTS = Path(__file__).parent / "results"


class Measured(NamedTuple):
    """One training.

    point, line, x, seed : what was trained; see `figures.Point`
    model, data, settings : the network's table by name, the data set, and all settings
    parameters, macs : of the network, one picture
    accuracy : on the test pictures after every epoch, 0 to 1
    loss : mean cross-entropy of every epoch's steps, in nats
    seconds : of the whole training, measuring included; on a shared machine
    command : what does it again
    environment : machine and versions
    """

    point: str
    line: str
    x: float | None
    seed: int
    model: str
    data: str
    settings: dict[str, Any]
    parameters: int
    macs: int
    accuracy: list[float]
    loss: list[float]
    seconds: float
    command: str
    environment: dict[str, Any]


def read(figure: str, folder: Path = RESULTS) -> list[Measured]:
    """Everything that was measured for a figure; nothing if there is no file yet."""
    path = folder / f"{figure}.json"
    return [Measured(**entry) for entry in read_json(path, "one that experiments wrote")] if path.exists() else []


def add(figure: str, found: Measured, folder: Path = RESULTS) -> None:
    """Add a training to a figure's file; the file is the old one or the new one, whole."""
    write(figure, [*read(figure, folder), found], folder)


def write(figure: str, entries: Iterable[Measured], folder: Path = RESULTS) -> None:
    """Write a figure's file: a line a training."""
    lines = ",\n".join(json.dumps(entry._asdict()) for entry in entries)
    with replacing(make_folder(folder) / f"{figure}.json") as temporary:
        temporary.write_text(f"[\n{lines}\n]\n")
