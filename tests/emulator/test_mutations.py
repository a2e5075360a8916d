"""Does it find what programmers get wrong? Right kernels with one change each, which findings or numbers must give away."""

from pathlib import Path

import numpy as np
import pytest

from xception_np.emulator import RawModule, check, device

SOURCE = (Path(__file__).parent / "computing.cu").read_text()
RANDOM = np.random.default_rng(0)
# kernel, grid, block, bytes of dynamic shared memory, values of the parameters; the array without values is the output
LAUNCHES = {
    "block_sum": (2, 64, 256, (RANDOM.standard_normal(100), (2,), 100)),
    "warp_sum": (2, 64, 0, (RANDOM.standard_normal(100), (2,), 100)),
    "multiply": ((2, 2), (8, 8), 0, (RANDOM.standard_normal((9, 17)), RANDOM.standard_normal((17, 11)), (9, 11), 9, 17, 11)),
    "smooth": (2, 64, 0, (RANDOM.standard_normal(100), (100,), 100)),
}
# kernel, what is changed to what, at which of the places where it stands, and the finding; None: only numbers tell
MUTATIONS = [
    ("block_sum", "__syncthreads();", "", 0, "race"),
    ("block_sum", "__syncthreads();", "", 1, "race"),
    ("block_sum", "i < n ?", "true ?", 0, "out of bounds"),
    ("block_sum", "half > 0", "half > 1", 0, None),
    ("block_sum", "threadIdx.x < half", "threadIdx.x <= half", 0, "out of bounds"),
    ("block_sum", "threadIdx.x < half", "true", 0, "out of bounds"),
    ("block_sum", "if (threadIdx.x == 0) sums", "sums", 0, "race"),
    ("block_sum", "sums[blockIdx.x]", "sums[0]", 0, "race"),
    ("block_sum", "+=", "=", 0, None),
    ("warp_sum", "__syncthreads();", "", 0, "race"),
    ("warp_sum", "of_warps[32]", "of_warps[1]", 0, "out of bounds"),
    ("warp_sum", "threadIdx.x % 32 == 0", "true", 0, "race"),
    ("warp_sum", "blockDim.x / 32; ++warp", "32; ++warp", 0, "uninitialised read"),
    ("warp_sum", "delta = 16", "delta = 8", 0, None),
    ("warp_sum", "0xffffffff, sum", "0x0000ffff, sum", 0, "warp exchange"),
    ("multiply", "__syncthreads();", "", 0, "race"),
    ("multiply", "__syncthreads();", "", 1, "race"),
    ("multiply", "a_tile[8][8];", "a_tile[7][8];", 0, "out of bounds"),
    ("multiply", "b_tile[8][8 + 1];", "b_tile[8][7];", 0, "out of bounds"),
    ("multiply", "row < rows && k_a", "k_a", 0, "out of bounds"),
    ("multiply", "k_b < depth &&", "", 0, "out of bounds"),
    ("multiply", "&& column < columns) c", ") c", 0, "out of bounds"),
    ("multiply", "size_t(row) * depth + k_a", "size_t(k_a) * depth + row", 0, "out of bounds"),
    ("multiply", "size_t(k_b) * columns + column", "size_t(k_b) * rows + column", 0, None),
    ("multiply", "first < depth", "first + 8 <= depth", 0, None),
    ("multiply", "sum += a_tile", "sum = a_tile", 0, None),
    ("smooth", "i + k >= 1", "i + k >= 0", 0, "out of bounds"),
    ("smooth", "i + k - 1 < n", "i + k - 1 <= n", 0, "out of bounds"),
    ("smooth", "if (i >= n) return;", "", 0, "out of bounds"),
    ("smooth", "if (i >= n) return;", "if (i >= n - 1) return;", 0, None),
    ("smooth", "window[3];", "window[2];", 0, "out of bounds"),
    ("smooth", "k < 3", "k < 2", 0, None),
]


@pytest.fixture(scope="module")
def mutants(kernels):
    """All of them in one text, numbered, which takes one compilation."""
    return RawModule(SOURCE + "".join(mutant(number, *each[:4]) for number, each in enumerate(MUTATIONS)), ("-DREAL=float",))


def mutant(number, kernel, old, new, which):
    start = SOURCE.index(f"void {kernel}(")
    body = SOURCE[start : SOURCE.index("\n}\n", start) + 3]
    pieces = body.split(old)
    assert len(pieces) > which + 1
    changed = old.join(pieces[: which + 1]) + new + old.join(pieces[which + 1 :])
    return f'extern "C" __global__ {changed.replace(f"void {kernel}(", f"void mutant_{number}(")}'


def launched(kernel, launch, **how):
    grid, block, shared_mem, values = launch
    args, output = [], None
    for value in values:
        if isinstance(value, tuple):
            output = device.empty(value, np.float32)
            args.append(output)
        else:
            args.append(device.asarray(value.astype(np.float32)) if isinstance(value, np.ndarray) else np.int32(value))
    report = check(kernel, grid, block, args, shared_mem, **how)
    return report.findings, output.get()


@pytest.mark.parametrize("number", range(len(MUTATIONS)), ids=[f"{each[0]}-{each[1]}-{each[2]}-{each[3]}" for each in MUTATIONS])
def test_one_change_is_noticed(mutants, number):
    kernel, *_, kind = MUTATIONS[number]
    findings, expected = launched(mutants.get_function(kernel), LAUNCHES[kernel])
    assert findings == []
    for order in ("forward", "reverse", "random"):
        findings, values = launched(mutants.get_function(f"mutant_{number}"), LAUNCHES[kernel], order=order)
        assert not kind or kind in {found.kind for found in findings}
        assert findings or not np.array_equal(values, expected)
