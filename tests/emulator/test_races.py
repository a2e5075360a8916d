"""The race detector, which remembers two visits a word, against all pairs of accesses of random programs."""

from itertools import combinations

import numpy as np
import pytest

from xception_np.emulator import RawModule, check, device

# A step: a thread does nothing (0), reads (1), writes (2) or adds atomically (3); then nobody waits (0), or warps (1), or all (2).
SOURCE = """
extern "C" __global__ void interpret(const int* what, const int* word, const int* waits, int* memory, int steps) {
    __shared__ int shared[4];
    if (threadIdx.x < 4) shared[threadIdx.x] = 0;
    __syncthreads();
    int* place = USED;
    int seen = 0;
    for (int step = 0; step < steps; ++step) {
        const int i = (step * gridDim.x + blockIdx.x) * blockDim.x + threadIdx.x;
        if (what[i] == 1) seen += place[word[i]];
        if (what[i] == 2) place[word[i]] = seen;
        if (what[i] == 3) atomicAdd(place + word[i], 1);
        if (waits[step] == 1) __syncwarp();
        if (waits[step] == 2) __syncthreads();
    }
}
"""
STEPS, BLOCKS, THREADS, WORDS = 6, 2, 64, 4


def races(what, word, waits, is_shared):
    """Whether two accesses to one word, by two threads, at least one of them no atomic and one no read, are ordered by nothing."""
    epoch = np.concatenate([[0], np.cumsum(waits == 2)[:-1]])
    warp_epoch = np.concatenate([[0], np.cumsum(waits == 1)[:-1]])
    for (s, b, t), (z, c, u) in combinations(np.argwhere(what).tolist(), 2):
        first, second = what[s, b, t], what[z, c, u]
        if word[s, b, t] != word[z, c, u] or (b, t) == (c, u) or first == second == 1 or first == second == 3:
            continue
        if b != c:
            if not is_shared:
                return True
        elif epoch[s] == epoch[z] and (t // 32 != u // 32 or warp_epoch[s] == warp_epoch[z]):
            return True
    return False


@pytest.mark.parametrize("used", ["shared", "memory"])
def test_a_race_is_found_where_there_is_one_and_only_there(kernels, used):
    kernel = RawModule(SOURCE, (f"-DUSED={used}",)).get_function("interpret")
    random, outcomes = np.random.default_rng(0), []
    for trial in range(150):
        what = np.zeros((STEPS, BLOCKS, THREADS), np.int32)
        lanes = random.choice([0, 1, 2, 32, 33], (12, 1))
        places = np.hstack([random.integers(0, (STEPS, BLOCKS), (12, 2)), lanes])[: random.integers(2, 13)]
        what[tuple(places.T)] = random.choice([1, 1, 1, 2, 3], len(places))
        word = random.integers(0, WORDS, what.shape).astype(np.int32)
        waits = random.choice([0, 1, 2], STEPS).astype(np.int32)
        expected = races(what, word, waits, used == "shared")
        outcomes.append(expected)
        for order in ("forward", "reverse", "random"):
            args = (*map(device.asarray, (what, word, waits)), device.zeros(WORDS, np.int32), np.int32(STEPS))
            report = check(kernel, BLOCKS, THREADS, args, order=order, seed=trial)
            assert {found.kind for found in report.findings} == ({"race"} if expected else set()), (trial, order)
    assert 30 < sum(outcomes) < 120  # programs of both kinds
