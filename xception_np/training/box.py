"""The model in the box: a small Xception, trained on CIFAR-10 by this project, that comes with the package.

    checkpoint = training.load(box.checkpoint())        # or `xception-np predict cat.png`

It is in half precision, which halves the file. Beside it is the log of the run that made it: what the run was started with, how it
went, and what came out (measured in single precision). After a new run, put it into the box with

    python -m xception_np.training.box RUN
"""

import json
import sys
from pathlib import Path

import numpy as np

from xception_np.errors import InputError
from xception_np.files import replacing
from xception_np.training import checkpoints, history, runs

FOLDER = Path(__file__).parents[1] / "box"
ENVIRONMENT = ("step", "processes", "python", "packages", "cpu", "cores", "threads")  # what matters elsewhere, too
FILES = ("checkpoint", "curves", "predictions", "confusion", "metrics")  # of a result, whose folder nobody else has
LOG_LINES = 200  # of the log: enough for a curve


def checkpoint() -> Path:
    """Where the model is."""
    return FOLDER / "cifar10.safetensors"


def log() -> dict:
    """The run that made it: `config`, `environment`, `result`, and `metrics`, a line every so many steps."""
    return json.loads((FOLDER / "cifar10.json").read_text())


def fill(run: Path, folder: Path = FOLDER) -> None:
    """Put the outcome of a finished run into the box, with its log.

    Raises
    ------
    InputError
        If the folder is no run, or the run is not finished.
    """
    config = runs.read_config(run)
    result = runs.read_result(run)
    metrics = history.read(run / "metrics.jsonl", history.Progress)
    chosen = np.unique(np.linspace(0, len(metrics) - 1, LOG_LINES).round().astype(int))
    found = {
        "config": {name: value for name, value in config.items() if name != "source"},
        "environment": [
            {name: start[name] for name in ENVIRONMENT} for start in json.loads((run / "environment.json").read_text())
        ],
        "result": {name: Path(value).name if name in FILES else value for name, value in result.items()},
        "metrics": [metrics[k]._asdict() for k in chosen],
    }
    checkpoints.save(folder / "cifar10.safetensors", checkpoints.load(run / Path(result["checkpoint"]).name), np.float16)
    with replacing(folder / "cifar10.json") as temporary:
        temporary.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m xception_np.training.box RUN")
    try:
        fill(Path(sys.argv[1]))
    except InputError as error:
        sys.exit(str(error))
