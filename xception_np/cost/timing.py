"""How long every operation of a network takes, where it stands in the network: its x is what the layer before has just written.

Of several rounds the fastest counts, for every operation: what disturbs a computation only adds to its time.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np

from xception_np import threads
from xception_np.cost.counting import parts
from xception_np.cost.measuring import measure
from xception_np.cost.roofline import Machine
from xception_np.errors import InputError
from xception_np.layers import Chain, Layer, Step, rebuilt
from xception_np.ops import spec

ROUNDS = 5  # passes through the network that are timed, after one that compiles
TURNS = 3


def time_layers(chain: Chain, x_shape: tuple[int, ...], training: bool = False, rounds: int = ROUNDS) -> dict[str, float]:
    """Seconds of every operation, by the names of `count`; the least over rounds.

    Operations run one by one, what training puts into one pass taken apart. The network's gradients and moving statistics are
    afterwards what they were.

    Parameters
    ----------
    chain : Chain
        With memory for its parameters: a model.
    x_shape : (N, H, W, C)
    training : bool
        Forward and backward together, with the batch's statistics; otherwise inference.
    rounds : int

    Raises
    ------
    InputError
        If the network has no memory for its parameters, the shape does not fit, or rounds is less than 1.
    """
    clock = Clock()

    def change(layers: list[Layer]) -> list[Layer]:
        return [part if isinstance(part, Chain) else Timed(part, clock) for layer in layers for part in parts(layer)]

    apart = rebuilt(chain, change)
    _, *laps = [clock.lap() for _ in _runs(chain, apart, x_shape, training, rounds)]
    return {name: min(lap[name] for lap in laps) for name in laps[0]}


def in_turn(chain: Chain, x_shape: tuple[int, ...], training: bool = False, turns: int = TURNS) -> tuple[Machine, dict[str, float]]:
    """The constants of the machine and the seconds of every operation, measured in turn, so that both saw the same machine.

    Of each the best counts, over all turns; two rounds of the network in each. Otherwise as `time_layers`.
    """
    spec.positive("turns", turns)
    machine, seconds = measure(), time_layers(chain, x_shape, training, rounds=2)
    for _ in range(turns - 1):
        machine, again = machine.at_best(measure()), time_layers(chain, x_shape, training, rounds=2)
        seconds = {name: min(value, again[name]) for name, value in seconds.items()}
    return machine, seconds


def time_network(chain: Chain, x_shape: tuple[int, ...], training: bool = False, rounds: int = ROUNDS) -> float:
    """Seconds of the whole network as it runs, in one pass what can be; otherwise as `time_layers`."""
    _, *seconds = _runs(chain, chain, x_shape, training, rounds)
    return min(seconds)


class Clock:
    """Adds up seconds by name; what is timed inside of something else counts for itself alone."""

    def __init__(self):
        self._seconds: defaultdict[str, float] = defaultdict(float)
        self._inside = [0.0]  # seconds of what was timed inside, for everything that is being timed now

    @contextmanager
    def of(self, name: str) -> Iterator[None]:
        """Time the `with` block."""
        self._inside.append(0.0)
        begin = time.perf_counter()
        yield
        elapsed = time.perf_counter() - begin
        self._seconds[name] += elapsed - self._inside.pop()
        self._inside[-1] += elapsed

    def lap(self) -> dict[str, float]:
        """The seconds since the last lap."""
        seconds, self._seconds = dict(self._seconds), defaultdict(float)
        return seconds


class Timed(Layer):
    """A layer with a clock around it."""

    def __init__(self, layer: Layer, clock: Clock):
        self.layer, self.clock = layer, clock
        self.name = layer.own_name

    def forward(self, x, training=None):
        """As the layer's."""
        with self.clock.of(self.name):
            return self.layer.forward(x, training)

    def backward(self, dy, cache):
        """As the layer's."""
        with self.clock.of(self.name):
            return self.layer.backward(dy, cache)

    def learn(self, dy, cache):
        """As the layer's."""
        with self.clock.of(self.name):
            self.layer.learn(dy, cache)

    def apply(self, x):
        """As the layer's."""
        with self.clock.of(self.name):
            return self.layer.apply(x)


def _runs(chain: Chain, runs: Chain, x_shape: tuple[int, ...], training: bool, rounds: int) -> Iterator[float]:
    """Run a form of a network again and again, and give the seconds of each round; the first, which compiles, is one more."""
    spec.positive("rounds", rounds)
    for parameter in chain.parameters:
        if parameter.value.shape != parameter.shape:
            raise InputError(f"chain has no memory for {parameter.name}; expected a network with memory, as models.build returns")
    dtype = next((parameter.value.dtype for parameter in chain.parameters), np.dtype(np.float32))
    x = np.random.default_rng(0).uniform(-1, 1, x_shape).astype(dtype)
    once = _step(runs, x) if training else (lambda: runs.apply(x))
    with _as_it_was(chain), threads.many_passes():
        for _ in range(rounds + 1):
            begin = time.perf_counter()
            once()
            yield time.perf_counter() - begin


def _step(chain: Chain, x: np.ndarray) -> Callable[[], object]:
    """Forward and backward, as a training step: nobody asks for the gradient of the pictures."""

    def once():
        y, cache = chain.forward(x, Step())
        chain.learn(np.ones_like(y), cache)

    return once


@contextmanager
def _as_it_was(chain: Chain) -> Iterator[None]:
    """Put gradients and moving statistics back at the end of the `with` block."""
    changed = [parameter.gradient for parameter in chain.parameters] + [parameter.value for parameter in chain.moving]
    before = [array.copy() for array in changed]
    try:
        yield
    finally:
        for array, value in zip(changed, before, strict=True):
            array[...] = value
