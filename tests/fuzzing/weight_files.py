"""Weight files of Keras, timm and ours, whole, with what reads them: a refusal must leave the network as it was."""

import json
import sys
from functools import partial
from pathlib import Path

from run_files import unchanged_if_refused

WEIGHTS = Path(__file__).parents[1] / "weights"
sys.path.insert(0, str(WEIGHTS))

from tiny import tiny_inception, tiny_vgg, tiny_xception  # noqa: E402

from xception_np import models, weights  # noqa: E402

TABLES = {
    "xception": tiny_xception(),
    "legacy_xception": tiny_xception("legacy_xception"),
    "inception_v3": tiny_inception(),
    "vgg16": tiny_vgg(),
}


def read(model, path):
    unchanged_if_refused(model.arrays, lambda: weights.load(model, path))


def files():
    """Triples of a name, a content and a function that reads it."""
    expected = json.loads((WEIGHTS / "fixtures" / "expected.json").read_text())
    built = {name: models.from_table(table) for name, table in TABLES.items()}
    folder = WEIGHTS / "fixtures"
    return [(name, (folder / name).read_bytes(), partial(read, built[answer["table"]])) for name, answer in expected.items()]
