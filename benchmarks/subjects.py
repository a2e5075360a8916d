"""What is timed: a word for what, and its numbers, separated by slashes.

    training/xception/8          a training step of a network on 8 pictures: forward, loss, backward, SGD with momentum
    training/xception/8/150      the same on pictures of 150 pixels
    inference/xception/1         logits of 1 picture, batch normalisation folded into the kernels (Keras does not)
    convolution/256/28/8/4       forward and backward of a 3x3 convolution of 256 channels to 256 in 4 segments, 28x28, batch 8
    spectrum/256/28/8            the convolution for every number of segments, one after the other

Everyone computes the same: inputs, starting values and upstream gradients come from fixed seeds, in float32.
"""

from typing import Literal, NamedTuple

import numpy as np

from xception_np import models
from xception_np.errors import InputError
from xception_np.models import Model
from xception_np.ops import spec

RATE, MOMENTUM = 0.1, 0.9
# float32 rounding, 1e-7 an operation, through up to 100 layers, in another order of sums; a wrong twin is off by 1e-2 or more
TOLERANCES = {"training": 1e-4, "inference": 1e-3, "convolution": 1e-4}
EXPECTED = "for example training/xception_small/128, inference/xception/1, convolution/256/28/8/4 or spectrum/256/28/8"


class Network(NamedTuple):
    """A training step or the inference of a network."""

    what: Literal["training", "inference"]
    model: str
    batch: int
    size: int

    def build(self) -> tuple[Model, np.ndarray, np.ndarray]:
        """The network, pictures and labels."""
        model, random = models.build(self.model), np.random.default_rng(0)
        x = random.standard_normal((self.batch, self.size, self.size, 3), np.float32)
        labels = random.integers(0, model.classes, self.batch)
        return model, x, labels

    def __str__(self) -> str:
        return f"{self.what}/{self.model}/{self.batch}/{self.size}"


class Convolution(NamedTuple):
    """Forward and backward pass of one 3x3 convolution, as many filters as channels."""

    channels: int
    size: int
    batch: int
    segments: int
    what = "convolution"

    def build(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(x, weight, dy) in our layouts."""
        random, width = np.random.default_rng(0), self.channels // self.segments
        shape = (self.batch, self.size, self.size, self.channels)
        x, dy = random.standard_normal(shape, np.float32), random.standard_normal(shape, np.float32)
        return x, random.standard_normal((3, 3, width, self.channels), np.float32), dy

    def __str__(self) -> str:
        return f"{self.what}/{self.channels}/{self.size}/{self.batch}/{self.segments}"


Subject = Network | Convolution


def parse(text: str) -> list[Subject]:
    """The subjects that a user names: one, or a spectrum of many.

    Raises
    ------
    InputError
        If the text names none.
    """
    match text.split("/"):
        case [("training" | "inference") as what, name, batch, *size] if len(size) <= 1:
            table = models.find(name)
            network = Network(what, name, _number(text, batch), _number(text, size[0]) if size else table.input_size)
            models.outline(table).output_shape((network.batch, network.size, network.size, 3))  # to say what size does not fit
            return [network]
        case ["convolution", *numbers] if len(numbers) == 4:
            channels, size, batch, segments = (_number(text, number) for number in numbers)
            spec.segments(segments, channels, channels)
            return [Convolution(channels, size, batch, segments)]
        case ["spectrum", *numbers] if len(numbers) == 3:
            channels, size, batch = (_number(text, number) for number in numbers)
            return [Convolution(channels, size, batch, segments) for segments in spec.divisors(channels)]
    raise InputError(f"subject is {text!r}; expected {EXPECTED}")


def _number(text: str, word: str) -> int:
    if not word.isdecimal() or not 1 <= int(word) <= 4096:
        raise InputError(f"subject is {text!r}, with the number {word!r}; expected whole ones from 1 to 4,096: {EXPECTED}")
    return int(word)
