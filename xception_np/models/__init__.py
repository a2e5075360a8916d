"""Networks: tables in the paper's rows, and the builder that reads them.

model = models.build("xception_small", classes=10, seed=0)
print(model.summary())
"""

from functools import reduce

import numpy as np

from xception_np.errors import InputError
from xception_np.models import ablations, modules
from xception_np.models.builder import from_table, is_head, layers_of, outline
from xception_np.models.inception_v3 import INCEPTION_V3, INCEPTION_V3_PAPER
from xception_np.models.model import Model
from xception_np.models.small import XCEPTION_COMPACT, XCEPTION_LARGE, XCEPTION_MEDIUM, XCEPTION_SMALL
from xception_np.models.table import Table
from xception_np.models.vgg16 import VGG16
from xception_np.models.xception import LEGACY_XCEPTION, XCEPTION, XCEPTION_FC

LONGEST_NAME = 100  # of a table with its changes, in characters

TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        XCEPTION,
        XCEPTION_FC,
        LEGACY_XCEPTION,
        INCEPTION_V3,
        INCEPTION_V3_PAPER,
        VGG16,
        XCEPTION_SMALL,
        XCEPTION_MEDIUM,
        XCEPTION_LARGE,
        XCEPTION_COMPACT,
    )
}


def build(name: str, classes: int | None = None, seed: int = 0, dtype=np.float32, dropout: float = 0.0) -> Model:
    """Build a network by name.

    Parameters
    ----------
    name : str
        As in `find`.
    classes : int, optional
        Outputs of the last layer; by default as many as the table says.
    seed : int
        Of the starting values.
    dtype : float32 or float64
    dropout : float
        Probability that a feature is left out before the last layer, in training; the paper's ImageNet runs have 0.5.

    Raises
    ------
    InputError
        If there is no such network, or another argument is out of its range.
    """
    return from_table(find(name), classes, seed, dtype, dropout)


def find(name: str) -> Table:
    """A table by its name, a key of `TABLES`, and changes to it: `xception_small`, `xception_small:no-residual,segments=4`.

    Raises
    ------
    InputError
        If there is no such network.
    """
    table, _, changes = name.partition(":") if isinstance(name, str) else (None, "", "")
    if table not in TABLES or len(name) > LONGEST_NAME:
        raise InputError(f"model is {name!r}; expected one of {', '.join(TABLES)}; after a colon may stand {ablations.CHANGES}")
    return reduce(ablations.changed, changes.split(",") if changes else (), TABLES[table])


__all__ = ["TABLES", "Model", "Table", "build", "find", "from_table", "is_head", "layers_of", "modules", "outline"]
