"""How long does one training step take, ours and PyTorch's: forward, loss, backward, SGD with momentum?

    python benchmarks/training_step.py --model xception_small --batch 128 --rounds 15

The same table, starting weights, pictures and number of threads (XCEPTION_NP_THREADS), in float32; PyTorch with `channels_last`,
and also with `torch.compile` on request. The losses of the first step must agree before anything is timed. `in_turn.py` says
how the turns go.
"""

import importlib.util
import json
import math
import sys
from collections.abc import Callable
from typing import Annotated

import numpy as np
import typer
from in_turn import Result, answer, measure, serve, started
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from xception_np import models, ops, threads
from xception_np.layers import Step
from xception_np.training.optimizers import SGD

RATE, MOMENTUM = 0.1, 0.9
LOSS_TOLERANCE = 1e-4  # float32 rounding, 1e-7 an operation, through some 40 layers; a wrong twin is off by 1e-2 or more


def our_step(model: models.Model, x: np.ndarray, labels: np.ndarray) -> Callable[[], float]:
    """A function that makes one step and returns its loss."""
    optimizer = SGD(model.buffers, MOMENTUM)

    def step():
        model.zero_gradients()
        with threads.many_passes():
            logits, cache = model.forward(x, Step())
            loss, loss_cache = ops.softmax_cross_entropy.forward(logits, labels)
            model.backward(ops.softmax_cross_entropy.backward(1.0, loss_cache), cache)
        optimizer.step(RATE)
        return loss

    return step


def torch_step(model: models.Model, x: np.ndarray, labels: np.ndarray, compiled: bool) -> Callable[[], float]:
    """The same with the model's twin in PyTorch."""
    import torch
    from torch_twin import TorchTwin, copy_weights

    torch.set_num_threads(threads.count())
    twin = TorchTwin(model.table, model.classes).to(memory_format=torch.channels_last)
    copy_weights(model, twin)
    optimizer = torch.optim.SGD(twin.parameters(), RATE, MOMENTUM)
    network = torch.compile(twin) if compiled else twin
    pictures, classes = torch.from_numpy(x), torch.from_numpy(labels)

    def step():
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(network(pictures), classes)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


CONTENDERS = {
    "xception_np": our_step,
    "torch": lambda *arguments: torch_step(*arguments, compiled=False),
    "torch.compile": lambda *arguments: torch_step(*arguments, compiled=True),
}


def main(
    model: Annotated[str, typer.Option(help=f"Network: {', '.join(models.TABLES)}.")] = "xception_small",
    batch: Annotated[int, typer.Option(min=1, help="Pictures in a step.")] = 128,
    rounds: Annotated[int, typer.Option(min=1, help="Turns of each contender; one step is timed in each.")] = 15,
    compile: Annotated[bool, typer.Option("--compile", help="Time torch.compile too.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
    contender: Annotated[str | None, typer.Option(hidden=True)] = None,
) -> None:
    """Time one training step of xception_np and of PyTorch, in turn."""
    if model not in models.TABLES:
        raise typer.BadParameter(f"model is {model!r}; expected one of {', '.join(models.TABLES)}")
    if contender:
        serve_contender(contender, model, batch)
        return
    if importlib.util.find_spec("torch") is None:
        sys.exit("PyTorch is not installed; install it with: pip install 'xception-np[parity]'")

    names = [name for name in CONTENDERS if compile or name != "torch.compile"]
    command = [sys.executable, __file__, "--model", model, "--batch", str(batch), "--contender"]
    with started({name: [*command, name] for name in names}) as processes:
        losses = {name: answer(name, process)["loss"] for name, process in processes.items()}
        if not all(math.isclose(loss, losses[names[0]], rel_tol=LOSS_TOLERANCE) for loss in losses.values()):
            sys.exit(f"the losses of the first step differ by more than {LOSS_TOLERANCE:g}: {losses}")
        results = measure(processes, rounds)
    report(results, model, batch, rounds, as_json)


def serve_contender(name: str, model: str, batch: int) -> None:
    """What the process of one contender does."""
    built = models.build(model)
    random = np.random.default_rng(0)
    x = random.standard_normal((batch, built.table.input_size, built.table.input_size, 3), np.float32)
    step = CONTENDERS[name](built, x, random.integers(0, built.classes, batch))
    serve(step, {"loss": step()})


def report(results: dict[str, Result], model: str, batch: int, rounds: int, as_json: bool) -> None:
    """Print what was measured."""
    conditions = {"model": model, "batch": batch, "rounds": rounds, "threads": threads.count()}
    if as_json:
        contenders = {name: {**result._asdict(), "images_per_second": batch / result.median} for name, result in results.items()}
        print(json.dumps({**conditions, "contenders": contenders}, indent=2))
        return
    table = Table(box=SIMPLE, title="one training step: " + ", ".join(f"{name} {value}" for name, value in conditions.items()))
    table.add_column("", no_wrap=True)
    for heading in ("median ms", "fastest", "slowest", "images/s", "peak MiB", "times ours"):
        table.add_column(heading, justify="right")
    for name, (median, fastest, slowest, times_first, peak_bytes) in results.items():
        milliseconds = [f"{seconds * 1e3:.1f}" for seconds in (median, fastest, slowest)]
        table.add_row(name, *milliseconds, f"{batch / median:.1f}", f"{peak_bytes / 2**20:.0f}", f"{times_first:.2f}")
    Console().print(table)


if __name__ == "__main__":
    typer.run(main)
