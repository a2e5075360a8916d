"""The bias of a convolution, as a layer that follows it."""

from xception_np import ops
from xception_np.layers.parameter import Parameter
from xception_np.layers.rectifiable import Rectifiable


class Bias(Rectifiable):
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

    @property
    def parameters(self):
        """The bias."""
        return [self.bias]

    def forward(self, x, training=None):
        """y = activation(x + bias)."""
        return ops.bias.forward(x, self.bias.value, self.activation)

    def backward(self, dy, cache):
        """dx; adds to the bias's gradient."""
        dx, dbias = ops.bias.backward(dy, cache)
        self.bias.add_gradient(dbias)
        return dx

    def cost(self, x_shape):
        """As the operation's."""
        return ops.bias.cost(x_shape, self.bias.shape, self.activation)
