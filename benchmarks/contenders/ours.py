"""xception_np itself."""

import numpy as np

from benchmarks.in_turn import Work
from benchmarks.subjects import MOMENTUM, RATE, Convolution, Network
from xception_np.cost import benching


def training(network: Network, _: str) -> Work:
    """One step."""
    return Work(benching.training_step(*network.build(), RATE, MOMENTUM), lambda loss: [np.array([loss])])


def inference(network: Network, _: str) -> Work:
    """Logits, batch normalisation folded into the kernels."""
    model, x, _ = network.build()
    return Work(benching.inference(model, x), lambda logits: [logits])


def convolution(convolution: Convolution, _: str) -> Work:
    """Both passes."""
    return Work(benching.convolution(*convolution.build(), convolution.segments), list)
