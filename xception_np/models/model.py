"""A network with its buffers: what is trained, saved, counted and asked for predictions."""

import numpy as np

from xception_np.errors import InputError
from xception_np.layers import Chain, Layer, allocate
from xception_np.models.table import Table
from xception_np.ops.spec import Cost


class Model(Chain):
    """A chain of layers that turns pictures (N, H, W, 3) into logits (N, classes).

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

    def predict(self, x: np.ndarray, batch: int = 128) -> np.ndarray:
        """Logits (N, classes) of preprocessed pictures, at inference, a batch at a time."""
        parts = [self.forward(x[start : start + batch])[0] for start in range(0, len(x), batch)]
        if not parts:
            raise InputError("x has no pictures; expected (N, H, W, 3) with N >= 1")
        return np.concatenate(parts)

    def cost(self, x_shape: tuple[int, ...] | None = None) -> Cost:
        """What a forward pass costs; by default for one picture of the size the model is made for."""
        return Cost(*map(sum, zip(*(row.cost for row in self.rows(x_shape or self.input_shape)), strict=True)))

    @property
    def input_shape(self) -> tuple[int, int, int, int]:
        """One picture of the size the model is made for."""
        return 1, self.table.input_size, self.table.input_size, 3

    def summary(self, x_shape: tuple[int, ...] | None = None) -> str:
        """A table of the layers: shapes, parameters, multiply-adds, and memory that a training step keeps."""
        shape = x_shape or self.input_shape
        lines = [
            f"{self.name}: {self.table.source}",
            f"input {_dims(shape)}",
            f"{'layer':<28}{'kind':<16}{'output':<20}{'parameters':>12}{'MACs':>16}{'kept, KiB':>12}",
        ]
        for row in self.rows(shape):
            lines.append(
                f"{row.name:<28}{row.kind:<16}{_dims(row.output_shape):<20}{row.cost.parameters:>12,}"
                f"{row.cost.macs:>16,}{row.cost.bytes_cached / 1024:>12,.0f}"
            )
        total = self.cost(shape)
        lines += [
            f"{'total':<64}{total.parameters:>12,}{total.macs:>16,}{total.bytes_cached / 1024:>12,.0f}",
            f"{self.buffers.values.size:,} trainable parameters, {self.buffers.moving.size:,} moving statistics. "
            f"A ReLU and the layer after it keep the same array, which is counted for both.",
        ]
        return "\n".join(lines)


def _dims(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))
