"""What is counted of a launch, against numbers worked out by hand."""

from pathlib import Path

import numpy as np
import pytest

from xception_np.emulator import ORDERS, Access, RawModule, check, checking, device

LINES = (Path(__file__).parent / "counted.cu").read_text().splitlines()
FLOAT, DOUBLE = ("-DREAL=float", "-DPADDING=0"), ("-DREAL=double", "-DPADDING=0")


def line(mark):
    (found,) = [number for number, text in enumerate(LINES, 1) if text.endswith(f"// {mark}")]
    return found


def launched(kernels, name, block=32, grid=1, options=FLOAT, size=1024, dtype=np.float32, **how):
    x, y = device.asarray(np.arange(size).astype(dtype)), device.empty(size, dtype)
    kernel = kernels("counted.cu", *options).get_function(name)
    report = check(kernel, grid, block, (x, y, np.int32(size)), **how)
    assert report.findings == []
    return report, x.get(), y.get()


@pytest.mark.parametrize(
    ("name", "mark", "block", "sectors"),
    [
        ("in_a_row", "row", 32, 4),  # 32 floats of 4 bytes are 128 bytes
        ("in_a_row", "row", 8, 1),
        ("in_a_row", "row", 40, 2.5),  # a warp with 4, and one of 8 threads with 1
        ("every_second", "second", 32, 8),
        ("far_apart", "apart", 32, 32),  # a sector each
        ("one_off", "off", 32, 5),
        ("all_the_same", "same", 32, 1),
        ("four_at_once", "four", 32, 16),
        ("cached", "ldg", 32, 4),
        ("by_a_helper", "helper", 32, 32),
    ],
)
def test_sectors_of_a_request(kernels, name, mark, block, sectors):
    report, *_ = launched(kernels, name, block)
    (use,) = report.at(line(mark), "read")
    assert (use.buffer, use.requests) == ("x", -(-block // 32))
    assert use.sectors_per_request == sectors
    assert use.bank_conflicts == 0


def test_doubles_are_twice_as_wide(kernels):
    report, *_ = launched(kernels, "doubles", dtype=np.float64)
    (use,) = report.at(line("double"), "read")
    assert use.sectors_per_request == 8


@pytest.mark.parametrize(
    ("dtype", "padding", "ways"),
    [
        (np.float32, 0, 32),  # a column is one bank
        (np.float32, 1, 1),
        (np.float64, 0, 16),  # half a warp at a time, all of its words in one pair of banks
        (np.float64, 1, 1),
    ],
)
@pytest.mark.parametrize("order", ORDERS)
def test_transposing_in_shared_memory(kernels, dtype, padding, ways, order):
    options = (f"-DREAL={'float' if dtype == np.float32 else 'double'}", f"-DPADDING={padding}")
    report, x, y = launched(kernels, "transpose", (32, 32), options=options, dtype=dtype, order=order, seed=1)
    np.testing.assert_array_equal(y.reshape(32, 32), x.reshape(32, 32).T)
    (use,) = report.at(line("column"), "read")
    assert (use.buffer, use.requests, use.sectors) == ("tile", 32, 0)
    assert use.bank_conflicts == ways
    assert report.buffers["tile"].nbytes == 32 * (32 + padding) * np.dtype(dtype).itemsize


@pytest.mark.parametrize(
    ("mark", "ways"),
    [("1", 1), ("2", 2), ("3", 1), ("8", 8), ("half", 1), ("same", 1), ("four", 1)],
)
def test_bank_conflicts(kernels, mark, ways):
    report, *_ = launched(kernels, "banks")
    (use,) = report.at(line(f"bank {mark}"), "read")
    assert use.bank_conflicts == ways


def test_lanes_that_leave_a_loop(kernels):
    """The second round is a request of the odd lanes alone, which touches every sector, too."""
    report, *_ = launched(kernels, "ragged")
    (use,) = report.at(line("ragged"), "read")
    assert (use.requests, use.sectors, use.nbytes) == (2, 8, 4 * (32 + 16))
    (use,) = report.at(line("after"), "write")
    assert (use.requests, use.sectors) == (1, 4)


@pytest.mark.parametrize(("images", "height", "width", "channels"), [(1, 1, 1, 1), (2, 5, 7, 3), (1, 4, 4, 32)])
def test_bytes_of_a_depthwise_convolution(kernels, images, height, width, channels):
    random = np.random.default_rng(0)
    x = random.standard_normal((images, height, width, channels)).astype(np.float32)
    weight = random.standard_normal((3, 3, channels)).astype(np.float32)
    args = (device.asarray(x), device.asarray(weight), y := device.empty(x.shape, np.float32))
    kernel = kernels("counted.cu", *FLOAT).get_function("depthwise")
    report = check(kernel, -(-x.size // 64), 64, (*args, *map(np.int32, x.shape)))
    assert report.findings == []

    expected, inside = np.zeros_like(x), 0
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    mask = np.pad(np.ones(x.shape, int), ((0, 0), (1, 1), (1, 1), (0, 0)))
    for i in range(3):
        for j in range(3):
            expected += padded[:, i : i + height, j : j + width] * weight[i, j]
            inside += mask[:, i : i + height, j : j + width].sum()
    np.testing.assert_array_equal(y.get(), expected)

    seen = 9 if min(height, width) > 1 else 1  # taps that are inside somewhere
    by_x, by_weight, by_y = (report.buffers[name] for name in ("x", "weight", "y"))
    assert (by_x.asked_read, by_x.unique_read, by_x.asked_written) == (4 * inside, x.nbytes, 0)
    assert (by_weight.asked_read, by_weight.unique_read) == (4 * inside, 4 * seen * channels)
    assert (by_y.asked_written, by_y.unique_written, by_y.asked_read) == (y.nbytes, y.nbytes, 0)
    assert (report.threads, report.blocks, report.barriers) == (64 * -(-x.size // 64), -(-x.size // 64), 0)


@pytest.mark.parametrize("name", ["turns", "turns_after_a_barrier"])
def test_orders(kernels, name):
    def turns(**how):
        when, count = device.empty(2 * 64, np.int32), device.zeros(1, np.int32)
        report = check(kernels("counted.cu", *FLOAT).get_function(name), 2, 64, (when, count), **how)
        assert report.findings == []
        assert report.barriers == (2 if "barrier" in name else 0)
        return when.get().tolist()

    assert turns() == list(range(128))
    assert turns(order="reverse") == list(range(128))[::-1]
    first, second = turns(order="random", seed=1), turns(order="random", seed=2)
    assert first != second
    assert sorted(first) == sorted(second) == list(range(128))
    assert first == turns(order="random", seed=1)
    assert turns(order="reverse", only=[0, 1])[64:] == list(range(64))[::-1]


@pytest.mark.parametrize(("name", "correct"), [("copy_int_unsigned_guard", False), ("copy_size_t", True)])
def test_more_than_an_int_can_count(kernels, name, correct):
    """A grid of more than 2^31 threads, of which the first and the last block are run, in memory that nobody touches elsewhere."""
    size = 2**31 + 100
    x, y = device.zeros(size, np.uint8), device.empty(size, np.uint8)
    grid = -(-size // 256)
    report = check(kernels("counted.cu", *FLOAT).get_function(name), grid, 256, (x, y, np.uint64(size)), only=[0, grid - 1])
    if correct:
        assert report.findings == []
        assert report.buffers["y"].unique_written == 256 + 100
        assert report.threads == 512
    else:
        (found,) = report.findings
        assert (found.kind, found.line, found.at.block) == ("out of bounds", line("overflow"), (grid - 1, 0, 0))


def test_a_guard_that_overflows_too_leaves_bytes_unwritten(kernels):
    """int i < size_t n is false for a negative i: no access is wrong, but bytes are missing."""
    size = 2**31 + 100
    x, y = device.zeros(size, np.uint8), device.empty(size, np.uint8)
    grid = -(-size // 256)
    report = check(kernels("counted.cu", *FLOAT).get_function("copy_int"), grid, 256, (x, y, np.uint64(size)), only=[grid - 1])
    assert report.findings == []
    assert report.buffers["y"].unique_written == 0


def test_the_accesses_of_one_block_one_by_one(kernels):
    text = 'extern "C" __global__ void k(const float* x, float* y) {\n    y[blockIdx.x * 4 + threadIdx.x] = x[threadIdx.x / 2];\n}'
    x, y = device.zeros(2, np.float32), device.empty(12, np.float32)
    kernel = RawModule(text).get_function("k")
    assert check(kernel, 3, 4, (x, y)).accesses == []
    found = check(kernel, 3, 4, (x, y), trace=1).accesses
    assert [each for each in found if each.access == "read"] == [Access(k, 2, "x", "read", k // 2 * 4, 4) for k in range(4)]
    assert [each for each in found if each.access == "write"] == [Access(k, 2, "y", "write", 16 + 4 * k, 4) for k in range(4)]
    with checking(trace=1) as reports:
        kernel((3,), (4,), (x, y))
    assert reports[0].accesses == found
