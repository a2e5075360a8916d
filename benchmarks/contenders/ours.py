"""xception_np itself."""

import numpy as np

from benchmarks.in_turn import Work
from benchmarks.subjects import MOMENTUM, RATE, Convolution, Network
from xception_np import ops, threads
from xception_np.geometry import Geometry
from xception_np.layers import Step
from xception_np.models import folding
from xception_np.training.optimizers import SGD


def training(network: Network, _: str) -> Work:
    """One step."""
    model, x, labels = network.build()
    optimizer = SGD(model.buffers, MOMENTUM)

    def step():
        model.zero_gradients()
        with threads.many_passes():
            logits, cache = model.forward(x, Step())
            loss, loss_cache = ops.softmax_cross_entropy.forward(logits, labels)
            model.backward(ops.softmax_cross_entropy.backward(1.0, loss_cache), cache)
        optimizer.step(RATE)
        return loss

    return Work(step, lambda loss: [np.array([loss])])


def inference(network: Network, _: str) -> Work:
    """Logits, batch normalisation folded into the kernels."""
    model, x, _ = network.build()
    predictor = folding.folded(model)

    def logits():
        with threads.many_passes():
            return predictor.apply(x)

    return Work(logits, lambda logits: [logits])


def convolution(convolution: Convolution, _: str) -> Work:
    """Both passes."""
    x, weight, dy = convolution.build()

    def passes():
        with threads.many_passes():
            y, cache = ops.grouped_conv.forward(x, weight, Geometry(3), convolution.segments)
            return y, *ops.grouped_conv.backward(dy, cache)

    return Work(passes, list)
