"""Two layers that run as one operation, in one pass over memory."""

from xception_np.layers.containers import Chain


class Joined(Chain):
    """A chain of two layers, which run as one operation. What lies between the two is not kept."""

    def learn(self, dy, cache):
        """As `backward`: one operation finds dx and the gradients."""
        self.backward(dy, cache)
