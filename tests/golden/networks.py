"""Published networks filled with numbers from a seed, for their golden answers: the same on every machine, to rounding."""

import numpy as np

from xception_np import models
from xception_np.layers import BatchNorm, Step, leaves

CASES = [("xception", 71), ("xception", 150), ("inception_v3", 150), ("legacy_xception", 150)]
KEPT = 150  # logits of each
GRADIENTS = ("xception", 71, 3)  # network, size, pictures


def pictures(count: int, size: int) -> np.ndarray:
    """Random pictures of large patches, so that deep layers see differences too."""
    coarse = np.random.default_rng(size).standard_normal((count, 9, 9, 3))
    rows = np.arange(size) * 9 // size
    return np.ascontiguousarray(coarse[:, rows][:, :, rows])


def filled(name: str, size: int) -> models.Model:
    """A network in float64 with random numbers in every array, and the statistics of some pictures."""
    model = models.build(name, dtype=np.float64)
    random = np.random.default_rng(1)
    for parameter in model.parameters:
        kind = parameter.name.rpartition("/")[2]
        if kind == "gamma":
            parameter.value[...] = random.uniform(0.5, 1.5, parameter.shape)
        elif kind in ("beta", "bias"):
            parameter.value[...] = 0.3 * random.standard_normal(parameter.shape)
    momentum = model.table.norm.momentum
    norms = [layer for layer in leaves(model) if isinstance(layer, BatchNorm)]
    for norm in norms:
        norm.momentum = 0.0  # what follows the batches is the batch
    model.forward(pictures(4, size), Step())
    for norm in norms:
        norm.momentum = momentum
    return model
