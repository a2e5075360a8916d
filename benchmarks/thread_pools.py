"""Which thread pool runs ReLU -> depthwise 3x3 -> pointwise fastest, forward?

    python -m benchmarks.thread_pools

The contenders compute one separable convolution of Xception's middle flow (C = F = 728, 19x19, same padding):

- `parallel`: Numba's `prange` for ReLU + depthwise into a whole middle array, then one matrix product on BLAS's own threads
  (Numba's threading layer as the environment says: omp, workqueue or tbb);
- `tiles`: serial `nogil` Numba functions on one pool of Python threads; each thread computes the depthwise convolution of a
  tile into its own panel and multiplies it while it is in cache, with BLAS held to one thread.

`in_turn.py` says how they take turns.
"""

import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated

import numba
import numpy as np
import typer
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table
from threadpoolctl import threadpool_limits

from benchmarks.in_turn import Work, measure, meet, serve, started
from xception_np import threads
from xception_np.errors import in_a_sentence

BATCH, SIZE, CHANNELS = 8, 19, 728
TOLERANCE = 1e-5  # float32, sums of 728 terms in other orders
FASTMATH = {"reassoc", "contract", "nsz", "arcp"}
CONTENDERS: dict[str, dict[str, str]] = {  # what the environment says
    "tiles": {},
    "parallel, omp": {"NUMBA_THREADING_LAYER": "omp"},
    "parallel, omp, passive": {"NUMBA_THREADING_LAYER": "omp", "OMP_WAIT_POLICY": "passive"},
    "parallel, workqueue": {"NUMBA_THREADING_LAYER": "workqueue"},
}


def main(
    rounds: Annotated[int, typer.Option(min=1, help="Turns of each contender.")] = 15,
    contender: Annotated[str | None, typer.Option(hidden=True)] = None,
) -> None:
    """Time one separable convolution on each pool, in turn; XCEPTION_NP_THREADS threads each, by default one a core."""
    if contender:
        serve(lambda _: Work(tiles() if contender == "tiles" else parallel(), lambda y: [y]))
        return
    subject = (
        f"ReLU + depthwise 3x3 + pointwise, forward, batch {BATCH}, {SIZE}x{SIZE}x{CHANNELS}, float32, {threads.count()} threads"
    )
    command = [sys.executable, "-m", "benchmarks.thread_pools", "--contender"]
    # a process is told by `env`, so that all are started alike
    commands = {name: ["env", *(f"{k}={v}" for k, v in said.items()), *command, name] for name, said in CONTENDERS.items()}
    with started(commands) as processes:
        results = measure(meet(processes, subject, TOLERANCE), subject, rounds)
    table = Table(box=SIMPLE, title=subject)
    for heading in ("", "median ms", "fastest", "slowest", "GMAC/s"):
        table.add_column(heading, justify="right" if heading else "left", no_wrap=True)
    macs = BATCH * SIZE * SIZE * CHANNELS * (9 + CHANNELS)
    for name, (median, fastest, slowest, *_) in results.items():
        table.add_row(name, *(f"{1e3 * seconds:.2f}" for seconds in (median, fastest, slowest)), f"{macs / median / 1e9:.1f}")
    Console(width=100).print(table)


def tiles():
    """One image a tile, on a pool of Python threads."""
    x, depthwise, pointwise = arrays()
    y, pool, panels = np.empty_like(x), ThreadPoolExecutor(threads.count()), threading.local()
    threadpool_limits(1, "blas")

    def tile(n):
        if not hasattr(panels, "mine"):
            panels.mine = np.empty((SIZE * SIZE, CHANNELS), np.float32)
        _rows(x, depthwise, panels.mine, n, 0, SIZE)
        np.matmul(panels.mine, pointwise, out=y[n].reshape(-1, CHANNELS))

    def compute():
        list(pool.map(tile, range(BATCH)))
        return y

    return compute


def parallel():
    """Row by row on Numba's pool, then a product on BLAS's."""
    x, depthwise, pointwise = arrays()
    middle, y = np.empty_like(x), np.empty_like(x)
    numba.set_num_threads(min(threads.count(), numba.config.NUMBA_NUM_THREADS))
    threadpool_limits(threads.count(), "blas")

    def compute():
        _all_rows(x, depthwise, middle)
        np.matmul(middle.reshape(-1, CHANNELS), pointwise, out=y.reshape(-1, CHANNELS))
        return y

    return compute


def arrays():
    """The picture, and both kernels."""
    random = np.random.default_rng(0)
    shapes = ((BATCH, SIZE, SIZE, CHANNELS), (3, 3, CHANNELS), (CHANNELS, CHANNELS))
    return [random.standard_normal(shape, np.float32) for shape in shapes]


@numba.njit(nogil=True, fastmath=FASTMATH)
def _rows(x, weight, y, n, first, last):
    """Rows of the middle of one image."""
    height, width, channels = x.shape[1:]
    for oh in range(first, last):
        for ow in range(width):
            out = y[(oh - first) * width + ow]
            out[:] = 0
            for i in range(max(0, 1 - oh), min(3, height + 1 - oh)):
                for j in range(max(0, 1 - ow), min(3, width + 1 - ow)):
                    pixel, tap = x[n, oh + i - 1, ow + j - 1], weight[i, j]
                    for c in range(channels):
                        if pixel[c] > 0:
                            out[c] += pixel[c] * tap[c]


@numba.njit(parallel=True, fastmath=FASTMATH)
def _all_rows(x, weight, middle):
    height = x.shape[1]
    for row in numba.prange(x.shape[0] * height):
        n, oh = row // height, row % height
        _rows(x, weight, middle[n, oh], n, oh, oh + 1)


if __name__ == "__main__":
    with in_a_sentence():
        typer.run(main)
