"""Networks: tables in the paper's rows, and the builder that reads them.

model = models.build("xception_small", classes=10, seed=0)
print(model.summary())
"""

import numpy as np

from xception_np.errors import InputError
from xception_np.models.builder import from_table, layers_of
from xception_np.models.model import Model
from xception_np.models.small import XCEPTION_COMPACT, XCEPTION_LARGE, XCEPTION_MEDIUM, XCEPTION_SMALL
from xception_np.models.table import Table
from xception_np.models.xception import XCEPTION

TABLES: dict[str, Table] = {
    table.name: table for table in (XCEPTION, XCEPTION_SMALL, XCEPTION_MEDIUM, XCEPTION_LARGE, XCEPTION_COMPACT)
}


def build(name: str, classes: int | None = None, seed: int = 0, dtype=np.float32, dropout: float = 0.0) -> Model:
    """Build a network by name; the names are the keys of `TABLES`.

    Parameters
    ----------
    name : str
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
        If there is no such network.
    """
    if not isinstance(name, str) or name not in TABLES:
        raise InputError(f"model is {name!r}; expected one of {', '.join(TABLES)}")
    return from_table(TABLES[name], classes, seed, dtype, dropout)


__all__ = ["TABLES", "Model", "Table", "build", "from_table", "layers_of"]
