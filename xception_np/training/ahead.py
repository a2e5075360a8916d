"""What a training step runs, compiled before the first one: forward passes here, backward passes in a second process meanwhile.

Numba compiles one function at a time in a process, and keeps the machine code on disk, where all processes find it. A backward pass
needs the cache of a forward pass, but not of a compiled one: the reference's will do.

    this process         forward passes -----> wait --> the first step
    the second one       reference, backward passes
"""

import subprocess
import sys
from contextlib import suppress

import numpy as np

from xception_np import arrays, implementations, models, threads
from xception_np.layers import Step
from xception_np.models import Model

_PICTURES = 4  # as few as are cut into tiles of whole images
_PATIENCE = 300.0  # seconds for the second process; after that this one compiles what is missing


def compile_passes(model: Model, size: int) -> None:
    """Compile what a model runs on square pictures; nothing if that was done before, on this machine and for any model.

    Parameters
    ----------
    model : Model
        Left as it is. For one that has no name in `models.TABLES` this process has to compile the backward passes itself, later.
    size : int
        Side of the pictures, in pixels.
    """
    if model.place != arrays.NUMPY or implementations.default() != "cpu" or _are_kept():
        return
    from xception_np.models import folding  # Numba: imported when something is to be computed

    others = [_backward(model, size)] if threads.count() > 1 else []
    try:
        with model.with_buffers(moving=model.buffers.moving.copy()):
            model.forward(_pictures(size), Step())
        folding.for_inference(model).predict(_pictures(size))
        for process in others:
            with suppress(subprocess.TimeoutExpired):
                process.wait(_PATIENCE)
    finally:
        for process in others:
            process.kill()
            process.wait()


def _are_kept() -> bool:
    """Whether there is machine code of a backward pass that every network needs."""
    from xception_np.ops import compile, window_products  # likewise

    return compile.is_kept(window_products._weight_gradient)


def _pictures(size: int) -> np.ndarray:
    return np.zeros((_PICTURES, size, size, 3), np.float32)


def _backward(model: Model, size: int) -> subprocess.Popen:
    """A process that compiles backward passes. No module of the folder where the user happens to be takes the place of another."""
    command = [sys.executable, "-P", "-m", __name__, model.name, str(model.classes), str(size)]
    quiet = subprocess.DEVNULL  # what goes wrong there will go wrong here, too, and be said
    return subprocess.Popen(command, stdin=quiet, stdout=quiet, stderr=quiet)


def main(name: str, classes: int, size: int) -> None:
    """The second process."""
    model = models.build(name, classes)
    with implementations.use("reference"):
        logits, cache = model.forward(_pictures(size), Step())
    model.learn(logits, cache)  # as good as any dy


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
