"""What every layer offers."""

from typing import Any, NamedTuple

from xception_np import ops
from xception_np.layers.parameter import Parameter
from xception_np.ops.spec import Cost


class Step(NamedTuple):
    """Which training step a forward pass belongs to, and how batch normalisation is to train.

    seed, number, rank : what dropout's random numbers depend on; rank is that of the process, where each takes a share of the batch
    frozen : whether batch normalisation uses its moving statistics and leaves them as they are, to fine-tune a trained network
    """

    seed: int = 0
    number: int = 0
    rank: int = 0
    frozen: bool = False


class Row(NamedTuple):
    """A line of `model.summary()`."""

    name: str
    kind: str
    output_shape: tuple[int, ...]
    cost: Cost


class Layer:
    """Holds parameters, calls operations.

    forward(x, training) -> y, cache     training: a `Step`, or None for inference
    backward(dy, cache) -> dx            adds to the gradients of its parameters; uses the cache up

    Caches are returned, never kept, so a layer can be run any number of times before it is differentiated.

    Attributes
    ----------
    keeps : {"x", "y", "own", "none"}
        Which array its cache holds in training: what comes in or what goes out, either of which may be another layer's too, or one
        of its own; "none" where the result is the same memory as x. Its bytes are the cost's `bytes_cached`.
    """

    name: str
    keeps = "x"

    @property
    def own_name(self) -> str:
        """What a summary calls the layer's own work: its name, but for containers whose insides have lines of their own."""
        return self.name

    @property
    def parameters(self) -> list[Parameter]:
        """What is learnt, in the order of Keras."""
        return []

    @property
    def moving(self) -> list[Parameter]:
        """Statistics that follow the data."""
        return []

    def forward(self, x, training: Step | None = None) -> tuple[Any, Any]:
        """The layer's result and what its backward pass needs."""
        raise NotImplementedError

    def backward(self, dy, cache):
        """The gradient with respect to x; adds to the parameters' gradients."""
        raise NotImplementedError

    def learn(self, dy, cache) -> None:
        """What `backward` adds to the gradients, where nobody asks for dx: the first layer of a network may save itself that."""
        self.backward(dy, cache)

    def apply(self, x):
        """The layer's result at inference, for those who will not differentiate it: no layer's cache is kept."""
        return self.forward(x, None)[0]

    @property
    def adds(self) -> bool:
        """Whether `apply_and_add` is one pass over memory."""
        return False

    def apply_and_add(self, x, addend):
        """y = layer(x) + addend, at inference."""
        return ops.add.forward(self.apply(x), addend)[0]

    def output_shape(self, x_shape: tuple[int, ...]) -> tuple[int, ...]:
        """Shape of y."""
        return x_shape

    def cost(self, x_shape: tuple[int, ...]) -> Cost:
        """What a forward pass costs."""
        raise NotImplementedError

    def rows(self, x_shape: tuple[int, ...]) -> list[Row]:
        """The layer as lines of a summary; containers give a line for each layer inside."""
        return [Row(self.name, type(self).__name__, self.output_shape(x_shape), self.cost(x_shape))]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r})"
