"""Which thread pool runs ReLU -> depthwise 3x3 -> pointwise fastest, forward?

The contenders compute one separable convolution of Xception's middle flow (C = F = 728, 19x19, same padding):

- `parallel`: Numba's `prange` for ReLU + depthwise into a whole middle array, then one matrix product on BLAS's own threads
  (Numba's threading layer as the environment says: omp, workqueue or tbb);
- `tiles`: serial `nogil` Numba functions on one pool of Python threads; each thread computes the depthwise convolution of a
  tile into its own panel and multiplies it while it is in cache, with BLAS held to one thread.

Every contender lives in a process of its own and the parent asks them in turn (A B C A B C ...), because threads
that spin while they wait steal the next contender's turn; for the same reason the parent pauses between turns, and the
first computation of a turn is not timed. Run with `python benchmarks/thread_pools.py`.
"""

import json
import os
import statistics
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np

BATCH, SIZE, CHANNELS = 8, 19, 728
ROUNDS = 15


def contender(name):
    """Serve one contender: compute on each line read from standard input, answer with seconds."""
    import numba
    from threadpoolctl import threadpool_limits

    fastmath = {"reassoc", "contract", "nsz", "arcp"}

    def depthwise_rows(x, weight, y, n, first, last):
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

    serial = numba.njit(nogil=True, fastmath=fastmath)(depthwise_rows)

    @numba.njit(parallel=True, fastmath=fastmath)
    def parallel_rows(x, weight, middle):
        height = x.shape[1]
        for row in numba.prange(x.shape[0] * height):
            n, oh = row // height, row % height
            serial(x, weight, middle[n, oh], n, oh, oh + 1)

    rng = np.random.default_rng(0)
    x = rng.standard_normal((BATCH, SIZE, SIZE, CHANNELS), dtype=np.float32)
    depthwise = rng.standard_normal((3, 3, CHANNELS), dtype=np.float32)
    pointwise = rng.standard_normal((CHANNELS, CHANNELS), dtype=np.float32)
    middle, y = np.empty_like(x), np.empty_like(x)
    cores = len(os.sched_getaffinity(0))

    def run_parallel():
        parallel_rows(x, depthwise, middle)
        np.matmul(middle.reshape(-1, CHANNELS), pointwise, out=y.reshape(-1, CHANNELS))

    pool = ThreadPoolExecutor(cores)
    panels = {}

    def run_tile(n):
        import threading

        panel = panels.setdefault(threading.get_ident(), np.empty((SIZE * SIZE, CHANNELS), np.float32))
        serial(x, depthwise, panel, n, 0, SIZE)
        np.matmul(panel, pointwise, out=y[n].reshape(-1, CHANNELS))

    def run_tiles():
        list(pool.map(run_tile, range(BATCH)))

    run = run_tiles if name == "tiles" else run_parallel
    threadpool_limits(1 if name == "tiles" else cores, "blas")
    run()
    print(json.dumps(float(np.abs(y).sum())), flush=True)
    for _ in sys.stdin:
        run()
        begin = time.perf_counter()
        for _ in range(8):
            run()
        print((time.perf_counter() - begin) / 8, flush=True)


def main():
    names = ["tiles", "parallel omp", "parallel omp passive", "parallel workqueue"]
    processes = {}
    for name in names:
        environment = dict(os.environ)
        if name.startswith("parallel"):
            environment["NUMBA_THREADING_LAYER"] = name.split()[1]
        if name.endswith("passive"):
            environment["OMP_WAIT_POLICY"] = "passive"
        processes[name] = subprocess.Popen(
            [sys.executable, __file__, name.split()[0]],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
    answers = [json.loads(process.stdout.readline()) for process in processes.values()]
    assert np.allclose(answers, answers[0], rtol=1e-5), answers
    times = {name: [] for name in names}
    for _ in range(ROUNDS):
        for name, process in processes.items():
            time.sleep(0.2)
            process.stdin.write("\n")
            process.stdin.flush()
            times[name].append(float(process.stdout.readline()))
    for process in processes.values():
        process.stdin.close()
        process.wait()
    print(
        f"ReLU + depthwise 3x3 + pointwise, forward, batch {BATCH}, {SIZE}x{SIZE}x{CHANNELS}, float32, "
        f"{len(os.sched_getaffinity(0))} cores, {ROUNDS} rounds in turn"
    )
    print(f"{'contender':<22}{'median ms':>10}{'fastest':>10}{'slowest':>10}{'GMAC/s':>10}")
    macs = BATCH * SIZE * SIZE * CHANNELS * (9 + CHANNELS)
    for name, values in times.items():
        median = statistics.median(values)
        print(f"{name:<22}{median * 1e3:>10.2f}{min(values) * 1e3:>10.2f}{max(values) * 1e3:>10.2f}{macs / median / 1e9:>10.1f}")


if __name__ == "__main__":
    contender(sys.argv[1]) if len(sys.argv) > 1 else main()
