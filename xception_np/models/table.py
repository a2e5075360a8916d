"""The words that networks are written in: a table of modules, in the rows of the paper's Figure 5.

Every `Conv` and `Sep` is followed by batch normalisation, which the figure does not draw (its caption says so).
"""

from typing import NamedTuple


class Conv(NamedTuple):
    """Regular convolution."""

    filters: int
    kernel: int = 3
    stride: int = 1
    padding: str = "same"


class Sep(NamedTuple):
    """Separable convolution, 3x3, stride 1, same padding."""

    filters: int


class Relu(NamedTuple):
    """Rectified linear unit."""


class Pool(NamedTuple):
    """Max pooling, 3x3, stride 2, same padding: halves the image."""


class Plain(NamedTuple):
    """A module without a residual connection."""

    name: str
    rows: tuple


class Residual(NamedTuple):
    """A module with a residual connection around it; an empty shortcut is the identity."""

    name: str
    main: tuple
    shortcut: tuple = ()


class Table(NamedTuple):
    """A network: its modules, and what follows from how it was trained.

    input_size : pixels, height and width of the pictures it is made for
    classes : of the data set it is made for
    momentum : of batch normalisation's moving statistics
    source : where the table comes from
    """

    name: str
    input_size: int
    classes: int
    momentum: float
    source: str
    modules: tuple

    @property
    def input_shape(self) -> tuple[int, int, int, int]:
        """One picture of the size the network is made for."""
        return 1, self.input_size, self.input_size, 3
