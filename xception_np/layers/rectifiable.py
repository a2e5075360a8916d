"""What layers have in common that can do the ReLU after them in the same pass over memory."""

from copy import copy
from typing import TypeVar

from xception_np.layers.base import Layer, Row
from xception_np.ops.spec import Cost

L = TypeVar("L", bound="Rectifiable")


class Rectifiable(Layer):
    """A layer that may have a ReLU in it.

    Attributes
    ----------
    relu_name : str or None
        Of the ReLU, if there is one. It keeps a line of its own in a summary, and costs nothing of its own.
    """

    relu_name: str | None

    def with_relu(self: L, name: str | None) -> L:
        """A layer with the same parameters and a ReLU of that name; with None, without one."""
        other = copy(self)
        other.relu_name = name
        return other

    @property
    def activation(self) -> str | None:
        """As operations take it."""
        return "relu" if self.relu_name else None

    def rows(self, x_shape):
        """The layer, and the ReLU if there is one."""
        relu = [Row(self.relu_name, "ReLU", self.output_shape(x_shape), Cost())] if self.relu_name else []
        return [*super().rows(x_shape), *relu]
