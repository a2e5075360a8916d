"""The fully connected layer."""

from xception_np import ops
from xception_np.layers.base import Layer
from xception_np.layers.parameter import Parameter


class Dense(Layer):
    """y = x @ kernel + bias: `kernel` (C, F), `bias` (F,)."""

    def __init__(self, name: str, channels: int, units: int):
        self.name = name
        self.kernel = Parameter(f"{name}/kernel", (channels, units), fan_in=channels)
        self.bias = Parameter(f"{name}/bias", (units,))

    @property
    def parameters(self):
        """Kernel and bias."""
        return [self.kernel, self.bias]

    def forward(self, x, training=None):
        """y = x @ kernel + bias."""
        return ops.dense.forward(x, self.kernel.value, self.bias.value)

    def backward(self, dy, cache):
        """dx; adds to both gradients."""
        dx, dkernel, dbias = ops.dense.backward(dy, cache)
        self.kernel.add_gradient(dkernel)
        self.bias.add_gradient(dbias)
        return dx

    def output_shape(self, x_shape):
        """(N, F)."""
        return ops.dense.output_shape(x_shape, self.kernel.shape)

    def cost(self, x_shape):
        """As the operation's."""
        return ops.dense.cost(x_shape, self.kernel.shape)
