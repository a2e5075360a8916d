"""Every kind of finding: a kernel with a planted bug, caught at its line, and the correct twin of it, of which nothing is found."""

import re
from pathlib import Path

import numpy as np
import pytest

from xception_np.emulator import ORDERS, check, device
from xception_np.emulator.report import KINDS

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
