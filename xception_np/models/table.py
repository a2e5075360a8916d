"""The words that networks are written in: a table of modules, in the rows of the paper's Figure 5.

What follows every `Conv` and `Sep` is said once for a network: batch normalisation, which Figure 5 does not draw (its caption
says so), a bias, or both.
"""

from typing import NamedTuple


class Conv(NamedTuple):
    """Convolution in S segments: regular with one, depthwise with as many as there are channels."""

    filters: int
    kernel: int | tuple[int, int] = 3
    stride: int = 1
    padding: str = "same"
    segments: int = 1


class Sep(NamedTuple):
    """Separable convolution, 3x3, stride 1, same padding.

    between : activation between its two halves: None as in the paper's network, "relu" or "elu" as in its section 4.7
    segments : of its spatial half; None for one a channel, which is depthwise
    """

    filters: int
    between: str | None = None
    segments: int | None = None


class Relu(NamedTuple):
    """Rectified linear unit."""


class Pool(NamedTuple):
    """Max pooling; as in Figure 5 it halves the image."""

    kernel: int = 3
    stride: int = 2
    padding: str | tuple = "same"


class Mean(NamedTuple):
    """Average pooling that keeps the size of the image, 3x3."""


class Tower(NamedTuple):
    """One of the paths of an Inception module."""

    name: str
    rows: tuple


class Towers(NamedTuple):
    """Paths side by side, put together along the channels; a row like any other."""

    towers: tuple[Tower, ...]


class Plain(NamedTuple):
    """A module without a residual connection."""

    name: str
    rows: tuple


class Residual(NamedTuple):
    """A module with a residual connection around it; an empty shortcut is the identity."""

    name: str
    main: tuple
    shortcut: tuple = ()


class GlobalPool(NamedTuple):
    """Mean of every channel over the image."""


class Flatten(NamedTuple):
    """Every pixel of every channel, for a fully connected layer that knows where it is; fixes the size of the picture."""


class Full(NamedTuple):
    """Fully connected layer, with a bias."""

    units: int


class Norm(NamedTuple):
    """Batch normalisation after every convolution.

    momentum : what is kept of the moving statistics at a step
    epsilon : added to the variance
    scale : whether it has a gamma; where a ReLU and another convolution follow, one can do without
    """

    momentum: float = 0.99
    epsilon: float = 1e-3
    scale: bool = True


class Table(NamedTuple):
    """A network: its modules, and what follows from how it was trained.

    input_size : pixels, height and width of the pictures it is made for
    classes : of the data set it is made for
    source : where the table comes from
    modules : `Plain` and `Residual`
    norm, bias : what follows every convolution
    head : what stands between the modules and the last layer
    """

    name: str
    input_size: int
    classes: int
    source: str
    modules: tuple
    norm: Norm | None = Norm()
    bias: bool = False
    head: tuple = (GlobalPool(),)

    @property
    def input_shape(self) -> tuple[int, int, int, int]:
        """One picture of the size the network is made for."""
        return 1, self.input_size, self.input_size, 3
