"""Batch normalisation as a layer: it follows the statistics of the batches, for inference."""

from xception_np import ops
from xception_np.layers.base import Layer, Row
from xception_np.layers.parameter import Parameter
from xception_np.ops import spec
from xception_np.ops.spec import Cost


class BatchNorm(Layer):
    """Normalise C channels; with the batch's statistics in training, with the moving ones otherwise.

        moving = momentum * moving + (1 - momentum) * batch        after every training forward pass that is not frozen

    Parameters
    ----------
    momentum : float
        What is kept of the moving statistics at a step: 0.99 as in Keras forgets half in 69 steps, 0.9 in 7.
    """

    activation: str | None = None

    def __init__(self, name: str, channels: int, momentum: float = 0.99, epsilon: float = ops.batch_norm.EPSILON):
        spec.number("momentum", momentum, 0, 1, "what is kept of the moving statistics, 0 <= momentum < 1")
        self.name, self.momentum, self.epsilon = name, momentum, epsilon
        self.gamma = Parameter(f"{name}/gamma", (channels,), start=1.0)
        self.beta = Parameter(f"{name}/beta", (channels,))
        self.moving_mean = Parameter(f"{name}/moving_mean", (channels,))
        self.moving_variance = Parameter(f"{name}/moving_variance", (channels,), start=1.0)

    @property
    def parameters(self):
        """Scale and shift."""
        return [self.gamma, self.beta]

    @property
    def moving(self):
        """Mean and variance."""
        return [self.moving_mean, self.moving_variance]

    def forward(self, x, training=None):
        """y = activation(gamma * (x - mean) / sqrt(variance + epsilon) + beta)."""
        gamma, beta = self.gamma.value, self.beta.value
        if training is None or training.frozen:
            mean, variance = self.moving_mean.value.copy(), self.moving_variance.value.copy()  # the cache outlives them
            return ops.batch_norm_inference.forward(x, gamma, beta, mean, variance, self.epsilon, self.activation)
        y, cache = ops.batch_norm.forward(x, gamma, beta, self.epsilon, self.activation)
        for moving, batch in ((self.moving_mean.value, cache.mean), (self.moving_variance.value, cache.variance)):
            moving[...] = self.momentum * moving + (1 - self.momentum) * batch
        return y, cache

    def backward(self, dy, cache):
        """Dx; adds to both gradients. The kind of cache says which forward pass it was."""
        trained = isinstance(cache, ops.batch_norm.Cache)
        dx, dgamma, dbeta = (ops.batch_norm if trained else ops.batch_norm_inference).backward(dy, cache)
        self.gamma.gradient += dgamma
        self.beta.gradient += dbeta
        return dx

    def cost(self, x_shape):
        """As the operation's."""
        return ops.batch_norm.cost(x_shape)


class BatchNormReLU(BatchNorm):
    """Batch normalisation and the ReLU after it, in one pass over memory.

    Parameters
    ----------
    relu_name : str
        Of the ReLU, which keeps a line of its own in a summary.
    """

    activation = "relu"

    def __init__(self, name: str, relu_name: str, channels: int, momentum: float = 0.99):
        super().__init__(name, channels, momentum)
        self.relu_name = relu_name

    def rows(self, x_shape):
        """Both layers; the ReLU costs nothing of its own."""
        return [Row(self.name, "BatchNorm", x_shape, self.cost(x_shape)), Row(self.relu_name, "ReLU", x_shape, Cost())]
