"""A run's figures as TensorBoard reads them, a copy of what is in metrics.jsonl and validation.jsonl.

Written by tensorboardX, which brings neither TensorFlow nor PyTorch.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import util
from pathlib import Path
from typing import Any

from xception_np.errors import InputError
from xception_np.training import Progress, Trainer, runs

FLUSH_SECONDS = 10


def check_installed() -> None:
    """InputError if what writes the files is not there."""
    if util.find_spec("tensorboardX") is None:
        raise InputError("tensorboard needs the package tensorboardX, which is missing; pip install 'xception-np[tensorboard]'")


@contextmanager
def written(trainer: Trainer) -> Iterator[Callable[[Progress], None]]:
    """A function to call after every step; at the end of the `with` block the files are whole.

    A run that goes on has its files written anew, from its first step: a kill may have cost some of what was in them.
    """
    writer: Any = None
    validations = 0

    def write(progress: Progress) -> None:
        nonlocal writer
        lines = [progress]
        if writer is None:
            writer, lines = _opened(trainer.folder / runs.TENSORBOARD), trainer.history
            write_validations()
        for step in lines:
            for name in ("loss", "accuracy", "rate", "images_per_second", "memory"):
                writer.add_scalar(f"training/{name}", getattr(step, name), step.step)
        if progress.epoch.is_integer():
            write_validations()

    def write_validations() -> None:
        nonlocal validations
        for validation in trainer.validations[validations:]:
            for name in ("loss", "accuracy"):
                writer.add_scalar(f"validation/{name}", getattr(validation, name), validation.step)
            validations += 1

    try:
        yield write
        if writer is None and trainer.history:  # a run that was over already
            write(trainer.history[-1])
        if writer is not None:
            write_validations()
    finally:
        if writer is not None:
            writer.close()


def _opened(folder: Path) -> Any:
    """What writes into a folder, without what was written there before."""
    from tensorboardX import SummaryWriter

    for path in folder.glob("events.out.tfevents.*"):
        path.unlink()
    return SummaryWriter(str(folder), flush_secs=FLUSH_SECONDS)
