"""The bias of a convolution, as a layer that follows it."""

from copy import copy

from xception_np import ops
from xception_np.layers.base import Layer, Row
from xception_np.layers.parameter import Parameter
from xception_np.ops.spec import Cost


class Bias(Layer):
    """y = activation(x + bias): `bias` (C,).

    Parameters
    ----------
    convolution : str
        Name of the layer whose bias it is; the parameter is named after it, as Keras does.
    channels : int
    relu_name : str, optional
        Of the ReLU that follows in the same pass over memory, if there is one. It keeps a line of its own in a summary.
    """

    keeps = "y"

    def __init__(self, convolution: str, channels: int, relu_name: str | None = None):
        self.name, self.convolution, self.relu_name = f"{convolution}_bias", convolution, relu_name
        self.bias = Parameter(f"{convolution}/bias", (channels,))

    def with_relu(self, name: str | None) -> "Bias":
        """The layer with these parameters and a ReLU after it; with None, without one."""
        other = copy(self)
        other.relu_name = name
        return other

    @property
    def parameters(self):
        """The bias."""
        return [self.bias]

    def forward(self, x, training=None):
        """y = activation(x + bias)."""
        return ops.bias.forward(x, self.bias.value, "relu" if self.relu_name else None)

    def backward(self, dy, cache):
        """Dx; adds to the bias's gradient."""
        dx, dbias = ops.bias.backward(dy, cache)
        self.bias.gradient += dbias
        return dx

    def cost(self, x_shape):
        """As the operation's."""
        return ops.bias.cost(x_shape, "relu" if self.relu_name else None)

    def rows(self, x_shape):
        """The layer, and the ReLU if there is one, which costs nothing of its own."""
        return [*super().rows(x_shape), *([Row(self.relu_name, "ReLU", x_shape, Cost())] if self.relu_name else [])]
