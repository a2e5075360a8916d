"""A network with its buffers: what is trained, saved, counted and asked for predictions."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from xception_np import arrays, implementations, threads
from xception_np.errors import InputError
from xception_np.layers import Buffers, Chain, Layer, allocate, bind
from xception_np.models import summary
from xception_np.models.table import Table
from xception_np.ops import spec
from xception_np.updates import vector


class Predictor(Chain):
    """A chain of layers that turns pictures (N, H, W, 3) into logits (N, classes), at inference."""

    @property
    def place(self) -> str:
        """Where its arrays are, as `arrays.place_of` says it."""
        return arrays.NUMPY

    def require_in_numpy(self) -> None:
        """InputError: what reads a model's arrays one by one, or changes them, wants the model itself."""
        raise InputError(f"model is {self.name} in its form for inference; expected the model that it was made from")

    def predict(self, x: np.ndarray, batch: int = 128) -> np.ndarray:
        """Logits (N, classes) of preprocessed pictures (N, H, W, 3), a batch at a time; both in NumPy, wherever the model is."""
        spec.shapes(x=(x, "N H W 3"))
        spec.positive("batch", batch)
        batches = (x[start : start + batch] for start in range(0, len(x), batch))
        with threads.many_passes():
            return np.concatenate([arrays.to_host(self.apply(arrays.moved(each, self.place))) for each in batches])


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

    def __setstate__(self, state):
        """A copy, or one that was sent to another process: its parameters are views of its own buffers, as the original's."""
        self.__dict__.update(state)
        bind(self.buffers, self.parameters, self.moving)

    @property
    def place(self) -> str:
        """Where its buffers are, as `arrays.place_of` says it."""
        return arrays.place_of(self.buffers.values) or arrays.NUMPY

    @property
    def arrays(self) -> dict[str, np.ndarray]:
        """Every parameter and moving statistic by name: views, so writing to one (`arrays.write`) changes the model."""
        return {parameter.name: parameter.value for parameter in self.parameters + self.moving}

    def move(self, place: str) -> None:
        """Move all buffers: to a device, "gpu" or "emulated", or back to "numpy". What has views of the old ones keeps those."""
        self.use(Buffers(*(arrays.moved(buffer, place) for buffer in self.buffers)))

    @contextmanager
    def computed_by(self, implementation: str) -> Iterator[None]:
        """Inside the `with` block the model is where an implementation computes, and every call uses that one.

        Then it has its own buffers again, with what was learnt.
        """
        before = self.buffers
        with implementations.use(implementation):
            if implementations.place(implementation) != self.place:
                self.move(implementations.place(implementation))
            try:
                yield
            finally:
                if self.buffers is not before:
                    for mine, moved in zip(before, self.buffers, strict=True):
                        arrays.write(mine, arrays.to_host(moved))
                    self.use(before)

    def require_in_numpy(self) -> None:
        """InputError if the model is on a device; for what reads its arrays one by one."""
        if self.place != arrays.NUMPY:
            raise InputError(f"model is {arrays.WHERE[self.place]}; expected it in NumPy: model.move('numpy')")

    def use(self, buffers: Buffers) -> None:
        """Make parameters and moving statistics views of other buffers."""
        self.buffers = buffers
        bind(buffers, self.parameters, self.moving)

    @contextmanager
    def with_buffers(self, **others) -> Iterator[None]:
        """Inside the `with` block some of the buffers are others."""
        before = self.buffers
        self.use(before._replace(**others))
        try:
            yield
        finally:
            self.use(before)

    def zero_gradients(self) -> None:
        """Set all gradients to 0; backward passes add to them."""
        vector.fill(self.buffers.gradients, 0)

    def summary(self, x_shape: tuple[int, ...] | None = None) -> str:
        """A table of the layers: shapes, parameters, multiply-adds, and memory that a training step keeps.

        Raises
        ------
        InputError
            If x_shape, the network's own if not given, is not (N, H, W, 3), or its pictures are too small.
        """
        x_shape = x_shape or self.table.input_shape
        if len(x_shape) != 4 or x_shape[3] != 3:
            raise InputError(f"x_shape is {x_shape}; expected (N, H, W, 3)")
        spec.sizes("x_shape", x_shape)
        return summary.text(self, x_shape)
