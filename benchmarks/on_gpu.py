"""A training step on a GPU: this project's kernels beside PyTorch's, in float32.

    python -m benchmarks.on_gpu --model xception --batch 32

Both train the same network from the same weights on the same pictures; their first losses are compared before anything is timed.
They take turns in one process: a GPU has no threads that would spin through the other's turn. PyTorch may also round the factors of
its products to TF32, with 10 bits of fraction instead of 23.
"""

import statistics
from collections.abc import Callable
from typing import Annotated

import numpy as np
import torch
import torch.nn.functional as F
import typer
from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks.subjects import MOMENTUM, RATE, TOLERANCES, Network
from benchmarks.torch_twin import TorchTwin, copy_weights
from xception_np import arrays, check, models
from xception_np.cost import benching
from xception_np.errors import in_a_sentence

Step = Callable[[], float]
OURS = "xception_np"
TF32_TOLERANCE = 1e-2  # a rounding is 5e-4, and there are up to 100 layers


def main(
    model: Annotated[str, typer.Option(help="Network.")] = "xception",
    batch: Annotated[int, typer.Option(min=1, help="Pictures in a step.")] = 32,
    turns: Annotated[int, typer.Option(min=1, help="Turns of each contender; the median counts.")] = 5,
) -> None:
    """Print the time of a step, each contender's."""
    network = Network("training", model, batch, models.find(model).input_size)
    _print(network, _times(network, turns))


def _times(network: Network, turns: int) -> dict[str, float]:
    """Seconds of a step, each contender's, the median of its turns."""
    steps = {OURS: _ours(network), "PyTorch": _pytorch(network, tf32=False), "PyTorch, TF32": _pytorch(network, tf32=True)}
    losses = {name: np.array(step()) for name, step in steps.items()}
    for name, loss in losses.items():
        tolerance = TF32_TOLERANCE if "TF32" in name else TOLERANCES["training"]
        check.compare(loss, losses[OURS], tolerance, f"first loss of {name}").require()
    found: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(turns):
        for name, step in steps.items():
            found[name].append(benching.timed(step, 1, "gpu").median)
    return {name: statistics.median(seconds) for name, seconds in found.items()}


def _ours(network: Network) -> Step:
    model, x, labels = network.build()
    model.move("gpu")
    return benching.training_step(model, arrays.to_device(x, "gpu"), arrays.to_device(labels, "gpu"), RATE, MOMENTUM)


def _pytorch(network: Network, tf32: bool) -> Step:
    model, x, labels = network.build()
    twin = TorchTwin(model.table, model.classes).to(memory_format=torch.channels_last)
    copy_weights(model, twin)
    twin.cuda()
    torch.backends.cudnn.benchmark = True  # shapes stay: cuDNN may try its kernels, and keep to the fastest
    optimizer = torch.optim.SGD(twin.parameters(), RATE, MOMENTUM)
    pictures, classes = torch.from_numpy(x).cuda(), torch.from_numpy(labels).cuda()

    def step():
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = tf32
        optimizer.zero_grad()
        loss = F.cross_entropy(twin(pictures), classes)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def _print(network: Network, seconds: dict[str, float]) -> None:
    grid = Table("", "ms", "pictures/s", "times ours", box=box.SIMPLE)
    ours = seconds[OURS]
    for name, each in seconds.items():
        grid.add_row(name, f"{1e3 * each:.1f}", f"{network.batch / each:,.0f}", f"{each / ours:.2f}")
    Console().print(f"{network}, {torch.cuda.get_device_name()}, float32", grid)


if __name__ == "__main__":
    with in_a_sentence():
        typer.run(main)
