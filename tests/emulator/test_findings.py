"""Every kind of finding: a kernel with a planted bug, caught at its line, and the correct twin of it, of which nothing is found."""

import re
from pathlib import Path

import numpy as np
import pytest

from xception_np.emulator import ORDERS, RawModule, check, device, run
from xception_np.emulator.report import KINDS
from xception_np.errors import InputError

SOURCE = (Path(__file__).parent / "planted.cu").read_text()
N = 128
# (kernel, kind of finding, buffer)
PLANTED = [
    ("guard", "out of bounds", "x"),
    ("halo", "out of bounds", "x"),
    ("strides", "out of bounds", "x"),
    ("written", "out of bounds", "y"),
    ("shared_index", "out of bounds", ""),  # found by the compiler's own check of the index
    ("shared_pointer", "out of bounds", "tile"),
    ("row", "out of bounds", ""),
    ("dynamic", "out of bounds", "tile"),
    ("registers", "out of bounds", ""),
    ("static_size", "too much shared memory", ""),
    ("aligned", "misaligned access", "x"),
    ("aligned_shared", "misaligned access", "tile"),
    ("accumulated", "uninitialised read", "y"),
    ("filled", "uninitialised read", "tile"),
    ("next_block", "uninitialised read", "total"),
    ("barrier", "race", "tile"),
    ("second_barrier", "race", "tile"),
    ("two_writers", "race", "y"),
    ("blocks_write", "race", "y"),
    ("blocks_read", "race", "y"),
    ("lanes", "race", "tile"),
    ("other_warp", "race", "tile"),
    ("atomic", "race", "total"),
    ("after_atomic", "race", "total"),
    ("half", "divergent barrier", ""),
    ("early_return", "divergent barrier", ""),
    ("two_barriers", "divergent barrier", ""),
    ("lane_ended", "warp exchange", ""),
    ("mask", "warp exchange", ""),
    ("in_vain", "deadlock", ""),
    ("intrinsics", "deadlock", ""),
    ("overflow", "undefined arithmetic", ""),
    ("shift", "undefined arithmetic", ""),
    ("division", "undefined arithmetic", ""),
    ("endless", "endless loop", ""),
    ("endless_barriers", "endless loop", ""),
]


def planted_lines(kernel):
    """Lines of a kernel that say that they are wrong."""
    start = SOURCE.index(f"void {kernel}(")
    text = SOURCE[start : SOURCE.index("\n}\n", start)]
    first = SOURCE.count("\n", 0, start) + 1
    return [first + k for k, line in enumerate(text.splitlines()) if line.endswith("// BUG")]


def launched(kernels, name, **options):
    x, y = device.asarray(np.arange(N, dtype=np.float32)), device.empty(N, np.float32)
    return check(
        kernels("planted.cu").get_function(name),
        2,
        64,
        (x, y, np.int32(N)),
        256 if "dynamic" in name else 0,
        steps=10**6,
        **options,
    )


def test_all_kernels_and_all_kinds_are_here():
    names = re.findall(r"void (\w+)_wrong\(", SOURCE)
    assert names == [name for name, *_ in PLANTED]
    assert {kind for _, kind, _ in PLANTED} == set(KINDS)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize(("name", "kind", "buffer"), PLANTED, ids=[name for name, *_ in PLANTED])
def test_planted_bug_is_caught_at_its_line(kernels, name, kind, buffer, order):
    report = launched(kernels, f"{name}_wrong", order=order)
    lines = planted_lines(f"{name}_wrong")
    assert lines
    kinds = {(found.kind, found.buffer) for found in report.findings}
    early = {("uninitialised read", buffer)} if kind == "race" else set()  # whoever comes first may find no value yet
    assert {(kind, buffer)} <= kinds <= {(kind, buffer), *early}
    for found in report.findings:
        assert {found.line, found.other.line if found.other else 0} & set(lines)
        assert f"planted.cu:{found.line}: {found.kind}: thread (" in str(report)


@pytest.mark.parametrize("seed", [None, 0, 1])
@pytest.mark.parametrize("name", [name for name, *_ in PLANTED])
def test_nothing_is_found_of_its_twin(kernels, name, seed):
    report = launched(kernels, f"{name}_right", **({} if seed is None else {"order": "random", "seed": seed}))
    assert [str(found) for found in report.findings] == []
    report = launched(kernels, f"{name}_right", order="reverse")
    assert [str(found) for found in report.findings] == []


def test_a_finding_says_who_and_where(kernels):
    (found,) = launched(kernels, "halo_wrong").findings
    assert found.at.thread == found.at.block == (0, 0, 0)
    assert (found.access, found.offset, found.size, found.nbytes) == ("read", -4, 4, 512)
    assert str(found).endswith("thread (0, 0, 0) of block (0, 0, 0) reads 4 bytes at byte -4 of x, which has 512")


def test_a_race_names_both_threads_and_both_lines(kernels):
    (found,) = launched(kernels, "barrier_wrong").findings
    written = SOURCE[: SOURCE.index("void barrier_wrong")].count("\n") + 3
    assert found.at.thread == (1, 0, 0)
    assert found.other.thread == (0, 0, 0)
    assert (found.other.line, found.line) == (written, written + 1)
    assert found.times == 2 * 63
    assert str(found).endswith(
        "thread (1, 0, 0) of block (0, 0, 0) reads 4 bytes at byte 0 of tile, which has 256, "
        f"and thread (0, 0, 0) of block (0, 0, 0) writes there at line {written}; nothing orders them (126 times)"
    )


def test_a_race_between_blocks_names_both(kernels):
    (found,) = launched(kernels, "blocks_write_wrong").findings
    assert (found.at.block, found.other.block) == ((1, 0, 0), (0, 0, 0))
    (found,) = launched(kernels, "blocks_write_wrong", order="reverse").findings
    assert (found.at.block, found.other.block) == ((0, 0, 0), (1, 0, 0))


def test_the_launch_ends_where_a_gpu_would_end_it(kernels):
    """And what was wrong is not done."""
    report = launched(kernels, "written_wrong")
    assert report.blocks == 2  # the second one began
    assert report.buffers["y"].asked_written == 64 * 4
    assert launched(kernels, "written_right").buffers["y"].asked_written == N * 4
    assert launched(kernels, "written_right").findings == []  # the runtime is whole again


def test_a_tail_that_was_forgotten_shows_in_the_bytes_written(kernels):
    assert launched(kernels, "two_writers_right").buffers["y"].unique_written == N * 2


def test_how_long_a_block_may_go_on_can_be_said(kernels):
    """Branches of all threads of a block together; what is long is not endless."""
    for name, enough in (("endless", 64 * 7), ("endless_barriers", 64 * 6)):
        kernel = kernels("planted.cu").get_function(f"{name}_right")
        args = (device.zeros(N, np.float32), device.empty(N, np.float32), np.int32(N))
        assert [found.kind for found in check(kernel, 2, 64, args, steps=enough).findings] == ["endless loop"]
        assert check(kernel, 2, 64, args, steps=10 * enough).findings == []


@pytest.fixture
def of_text(kernels):
    """A function that runs a kernel `k` of an array y of 128 zeros: its report, and y."""

    def watched(text, block=32, shared_mem=0):
        y, kernel = device.zeros(N, np.float32), RawModule(text).get_function("k")
        kernel.max_dynamic_shared_size_bytes = max(shared_mem, 48 << 10)
        return check(kernel, 1, block, (y,), shared_mem), device.asnumpy(y)

    return watched


def test_templates_have_shared_arrays_of_their_own(of_text):
    text = """
template <int COUNT> __device__ float turned(float value) {
    __shared__ float part[COUNT];
    part[threadIdx.x] = value;
    __syncthreads();
    return part[31 - threadIdx.x];
}
extern "C" __global__ void k(float* y) {
    const float first = turned<32>(threadIdx.x);
    y[threadIdx.x] = first + turned<64>(0);
}
"""
    report, y = of_text(text)
    assert report.findings == [] and list(y[:32]) == list(range(31, -1, -1))
    assert {name: use.nbytes for name, use in report.buffers.items()} == {"y": 512, "part": 128, "part (2)": 256}


def test_what_a_thread_has_not_written_is_no_0_by_chance(of_text):
    _, y = of_text('extern "C" __global__ void k(float* y) { float sum; sum += 1; y[threadIdx.x] = sum; }')
    assert not (y[:32] == 1).any()


COUNTER = """
extern "C" __global__ void k(float* y) {
    __shared__ int n;
    if (threadIdx.x == 0) n = 2147483647;
    __syncthreads();
    atomicAdd(&n, 1);
    __syncthreads();
    y[threadIdx.x] = n < 0;
}
"""


def test_atomics_on_one_word_take_turns_and_may_begin_again(of_text):
    report, y = of_text(COUNTER)
    assert report.findings == [] and (y[:32] == 1).all()
    (use,) = report.at(6)
    assert (use.access, use.requests, use.bank_conflicts) == ("atomic", 1, 32)


@pytest.mark.parametrize(("count", "dynamic", "enough"), [(4, 60_000, True), (12_000, 2000, False), (12_000, 60_000, True)])
def test_static_and_dynamic_shared_memory_together(of_text, count, dynamic, enough):
    """48 KiB together, or as much as a GPU has if a launch asks for more dynamic memory."""
    text = (
        f'extern "C" __global__ void k(float* y) {{ __shared__ float a[{count}]; extern __shared__ float b[]; a[0] = b[0] = 0; }}'
    )
    report, _ = of_text(text, 1, dynamic)
    assert [each.kind for each in report.findings] == ([] if enough else ["too much shared memory"])


@pytest.mark.usefixtures("kernels")
@pytest.mark.parametrize("start", [check, run])
def test_a_block_has_no_more_threads_than_a_kernel_is_made_for(start):
    text = '#define MOST 64\nextern "C" __global__ void __launch_bounds__(MOST / 2, 1) k(float* y) { y[threadIdx.x] = 1; }'
    kernel = RawModule(text).get_function("k")
    start(kernel, 1, 32, (device.zeros(N, np.float32),))
    with pytest.raises(InputError, match=r"block is \(33, 1, 1\), 33 threads; expected at most 32, the __launch_bounds__ of k"):
        start(kernel, 1, 33, (device.zeros(N, np.float32),))
