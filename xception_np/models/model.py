"""A network with its buffers: what is trained, saved, counted and asked for predictions."""

import numpy as np

from xception_np.layers import Chain, Layer, allocate
from xception_np.models import summary
from xception_np.models.table import Table
from xception_np.ops import spec


class Predictor(Chain):
    """A chain of layers that turns pictures (N, H, W, 3) into logits (N, classes), at inference."""

    def predict(self, x: np.ndarray, batch: int = 128) -> np.ndarray:
        """Logits (N, classes) of preprocessed pictures (N, H, W, 3), a batch at a time."""
        spec.shapes(x=(x, "N H W 3"))
        spec.positive("batch", batch)
        return np.concatenate([self.apply(x[start : start + batch]) for start in range(0, len(x), batch)])


class Model(Predictor):
    """A network that can be trained.

    Attributes
    ----------
    table : Table
        What it was built from.
    buffers : Buffers
        All values, all gradients and all moving statistics, each in one vector; parameters are views of them.
    """

    def __init__(self, table: Table, layers: list[Layer], classes: int, seed: int = 0, dtype=np.float32):
        super().__init__(table.name, layers)
        self.table, self.classes = table, classes
        self.buffers = allocate(self.parameters, self.moving, dtype, seed)

    @property
    def arrays(self) -> dict[str, np.ndarray]:
        """Every parameter and moving statistic by name: views, so writing to one changes the model."""
        return {parameter.name: parameter.value for parameter in self.parameters + self.moving}

    def zero_gradients(self) -> None:
        """Set all gradients to 0; backward passes add to them."""
        self.buffers.gradients.fill(0)

    def summary(self, x_shape: tuple[int, ...] | None = None) -> str:
        """A table of the layers: shapes, parameters, multiply-adds, and memory that a training step keeps."""
        return summary.text(self, x_shape or self.table.input_shape)
