"""What do two processes gain over one, and over two threads, on the same cores and for the same batch?

    python -m benchmarks.mpi --model xception_small --batch 128 --rounds 9

A step as training takes it (`training/descent.py`). One process with one thread, one process with two threads, two processes with
one thread each, and the sum over two processes alone; `in_turn.py` says how the turns go. Efficiency is the speed over that of one
thread, divided by the cores.
"""

import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from benchmarks.in_turn import Work, measure, meet, serve, started
from xception_np import models, threads
from xception_np.errors import in_a_sentence
from xception_np.layers import Step
from xception_np.training import SGD, Settings, parallel
from xception_np.training.descent import descend

CONTENDERS = {  # processes, threads of each, whether they compute
    "1 process x 1 thread": (1, 1, True),
    "1 process x 2 threads": (1, 2, True),
    "2 processes x 1 thread": (2, 1, True),
    "2 processes, the sum alone": (2, 1, False),
}


def main(
    model: Annotated[str, typer.Option(help=f"Network: {', '.join(models.TABLES)}.")] = "xception_small",
    batch: Annotated[int, typer.Option(min=2, help="Pictures in a step, of all processes together.")] = 128,
    rounds: Annotated[int, typer.Option(min=1, help="Turns of each contender: steps for a tenth of a second at least.")] = 9,
    contender: Annotated[str | None, typer.Option(hidden=True)] = None,
) -> None:
    """Time a training step of one process and of two, in turn."""
    models.find(model)
    if contender:
        with parallel.together() as processes:
            _, count, computes = CONTENDERS[contender]
            with threads.use(count):
                take_turns(processes, work(processes, model, batch, computes))
        return
    mpiexec = shutil.which("mpiexec", path=str(Path(sys.executable).parent)) or shutil.which("mpiexec")
    if mpiexec is None:
        sys.exit("there is no mpiexec; install one with: pip install 'xception-np[mpi]'")
    command = [sys.executable, "-m", "benchmarks.mpi", "--model", model, "--batch", str(batch), "--contender"]
    commands = {name: [mpiexec, "-n", str(processes), *command, name] for name, (processes, _, _) in CONTENDERS.items()}
    subject = f"a step of {model}, batch {batch}"
    with started(commands) as running:
        if len(able := meet(running, subject, 0)) < len(running):
            sys.exit(2)
        results = measure(able, subject, rounds)
    table = Table(box=SIMPLE, title=f"one training step: model {model}, batch {batch}, rounds {rounds}")
    for heading in ("", "median ms", "fastest", "slowest", "images/s", "efficiency"):
        table.add_column(heading, justify="right" if heading else "left", no_wrap=True)
    for name, (processes, count, computes) in CONTENDERS.items():
        median, fastest, slowest, times_first, *_ = results[name]
        speed = (f"{batch / median:.1f}", f"{1 / times_first / (processes * count):.0%}") if computes else ("", "")
        table.add_row(name, *(f"{seconds * 1e3:.1f}" for seconds in (median, fastest, slowest)), *speed)
    Console(width=100).print(table)


def work(processes: parallel.Processes, name: str, batch: int, computes: bool) -> Callable[[], object]:
    """A step of this process, or the sum that it ends with."""
    model = models.build(name)
    processes.begin(model.buffers, lambda: 0.0, lambda: False)
    if not computes:
        return lambda: processes.add_up(model.buffers, 0.0, 0.0, 1 / processes.count)
    first, last = (batch * rank // processes.count for rank in (processes.rank, processes.rank + 1))
    random = np.random.default_rng(0)
    x = random.standard_normal((batch, model.table.input_size, model.table.input_size, 3), np.float32)[first:last]
    labels = random.integers(0, model.classes, batch)[first:last]
    optimizer, settings = SGD(model.buffers, 0.9), Settings(batch=batch)
    return lambda: descend(model, optimizer, settings, x, labels, Step(), 0.01, processes)


def take_turns(processes: parallel.Processes, compute: Callable[[], object]) -> None:
    """The first process is asked; the others follow it, and rest meanwhile."""

    def together() -> None:
        processes.words("compute")
        compute()

    if processes.first:
        serve(lambda _: Work(together, lambda _: []))
        processes.words("")
    else:
        while processes.words("")[0]:
            compute()


if __name__ == "__main__":
    with in_a_sentence():
        typer.run(main)
