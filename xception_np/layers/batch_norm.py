"""Batch normalisation as a layer: it follows the statistics of the batches, for inference."""

from xception_np import arrays, ops
from xception_np.layers.parameter import Parameter
from xception_np.layers.rectifiable import Rectifiable
from xception_np.ops import spec
from xception_np.updates import average


class BatchNorm(Rectifiable):
    """Normalise C channels; with the batch's statistics in training, with the moving ones otherwise.

        moving = momentum * moving + (1 - momentum) * batch        after every training forward pass that is not frozen

    Parameters
    ----------
    momentum : float
        What is kept of the moving statistics at a step: 0.99 as in Keras forgets half in 69 steps, 0.9 in 7.
    epsilon : float
        Added to the variance.
    scale : bool
        Whether gamma is learnt; it is 1 otherwise, as in Keras's Inception V3.
    relu_name : str, optional
        Of the ReLU that follows in the same pass over memory, if there is one. It keeps a line of its own in a summary.
    """

    def __init__(
        self,
        name: str,
        channels: int,
        momentum: float = 0.99,
        epsilon: float = ops.batch_norm.EPSILON,
        scale: bool = True,
        relu_name: str | None = None,
    ):
        spec.number("momentum", momentum, 0, 1, "what is kept of the moving statistics, 0 <= momentum < 1")
        self.name, self.momentum, self.epsilon, self.relu_name = name, momentum, epsilon, relu_name
        self.gamma = Parameter(f"{name}/gamma", (channels,), start=1.0) if scale else None
        self.beta = Parameter(f"{name}/beta", (channels,))
        self.moving_mean = Parameter(f"{name}/moving_mean", (channels,))
        self.moving_variance = Parameter(f"{name}/moving_variance", (channels,), start=1.0)

    @property
    def parameters(self):
        """Scale, if there is one, and shift."""
        return [self.beta] if self.gamma is None else [self.gamma, self.beta]

    @property
    def moving(self):
        """Mean and variance."""
        return [self.moving_mean, self.moving_variance]

    def forward(self, x, training=None):
        """y = activation(gamma * (x - mean) / sqrt(variance + epsilon) + beta)."""
        gamma, beta = self.scale_and_shift()
        if training is None or training.frozen:
            mean, variance = self.moving_mean.value.copy(), self.moving_variance.value.copy()  # the cache outlives them
            return ops.batch_norm_inference.forward(x, gamma, beta, mean, variance, self.epsilon, self.activation)
        y, cache = ops.batch_norm.forward(x, gamma, beta, self.epsilon, self.activation)
        self.follow(cache.mean, cache.variance)
        return y, cache

    def backward(self, dy, cache):
        """dx; adds to the gradients. The kind of cache says which forward pass it was."""
        trained = isinstance(cache, ops.batch_norm.Cache)
        dx, *gradients = (ops.batch_norm if trained else ops.batch_norm_inference).backward(dy, cache)
        self.add_gradients(*gradients)
        return dx

    def scale_and_shift(self):
        """Gamma, which is 1 where it is not learnt, and beta."""
        beta = self.beta.value
        return arrays.ones_like(beta) if self.gamma is None else self.gamma.value, beta

    def follow(self, mean, variance):
        """Move the statistics towards those of a batch."""
        average.follow(self.moving_mean.value, mean, self.momentum)
        average.follow(self.moving_variance.value, variance, self.momentum)

    def add_gradients(self, dgamma, dbeta):
        """Add what a backward pass found."""
        if self.gamma is not None:
            self.gamma.add_gradient(dgamma)
        self.beta.add_gradient(dbeta)

    def cost(self, x_shape):
        """As the operation's; gamma counts where it is learnt."""
        return ops.batch_norm.cost(x_shape)._replace(parameters=sum(parameter.size for parameter in self.parameters))
