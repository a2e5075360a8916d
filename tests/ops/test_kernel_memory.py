"""How CUDA kernels use memory, as the emulator counts it: whole sectors, no bank twice, and what tiles save."""

import functools
from pathlib import Path

import numpy as np
import pytest

from xception_np import arrays, emulator, ops
from xception_np.check import operations
from xception_np.geometry import Geometry
from xception_np.random import Purpose, Stream

# What is not read or written by neighbouring lanes from neighbours in memory
EXEMPT = {
    ("pointwise_conv/gpu.cu", "backward_x", "weight"): "a lane a row of weight; the tile turns it in shared memory",
    ("conv/gpu.cu", "backward_x", "weight"): "the same",
    ("grouped_conv/gpu.cu", "backward_x", "weight"): "the same, and not tiled",
    ("softmax_cross_entropy/gpu.cu", "softmax", "logits"): "a thread an image: classes are few",
    ("softmax_cross_entropy/gpu.cu", "softmax", "p"): "the same",
    ("softmax_cross_entropy/gpu.cu", "softmax", "log_p"): "the same",
    ("softmax_cross_entropy/gpu.cu", "losses_of_classes", "log_p"): "the same",
    ("softmax_cross_entropy/gpu.cu", "losses_of_classes", "labels"): "a label has 8 bytes",
    ("sigmoid_cross_entropy/gpu.cu", "sum_chunks", "losses"): "a thread a chunk: the losses of a batch are few",
    ("dropout/gpu.cu", "apply", "x"): "four numbers a thread, as Philox makes them",
    ("dropout/gpu.cu", "apply", "y"): "the same",
}
WINDOWS = Geometry(3, (2, 1))


def _numbers(*shape):
    return (1 + np.random.default_rng(0).random(shape)).astype(np.float32)


# Float32, and C a multiple of 32, so that every row of channels begins a sector; nothing is cut or dropped
X, VECTOR = _numbers(1, 9, 10, 64), _numbers(64)
ARGUMENTS = {
    "conv": (X, _numbers(3, 3, 64, 32), WINDOWS),
    "grouped_conv": (X, _numbers(3, 3, 32, 64), WINDOWS, 2),
    "depthwise_conv": (X, _numbers(3, 3, 64, 1), Geometry(3)),
    "pointwise_conv": (X, _numbers(64, 96)),
    "batch_norm": (X, VECTOR, 10 + VECTOR, 1e-3, "relu"),
    "batch_norm_inference": (X, VECTOR, 10 + VECTOR, VECTOR, VECTOR, 1e-3, "relu"),
    "bias": (X, VECTOR, "relu"),
    "relu": (X,),
    "elu": (X,),
    "max_pool": (X, WINDOWS),
    "avg_pool": (X, WINDOWS),
    "global_avg_pool": (X,),
    "add": (X, _numbers(*X.shape)),
    "concat": ([X, _numbers(1, 9, 10, 32)],),
    "dropout": (X, 0.0, Stream(0, Purpose.DROPOUT)),
    "softmax_cross_entropy": (_numbers(40, 64), np.arange(40), 0.1),
    "sigmoid_cross_entropy": (_numbers(40, 64), _numbers(40, 64) - 1),
}
TILED = ("conv", "depthwise_conv", "pointwise_conv", "batch_norm")
# In parts of what a forward and a backward pass are given and give: what threads ask for, tiled, and how many times as much, naive
ASKED = {"conv": (2.6, 20), "depthwise_conv": (2.8, 3), "pointwise_conv": (1.9, 30), "batch_norm": (2.8, 2)}


pytestmark = pytest.mark.usefixtures("needs_compiler")


@functools.cache
def _reports(operation, rung):
    """Of the launches of a forward pass, and of a backward pass; and the bytes of what each is given and gives."""
    module, given = getattr(ops, operation), arrays.to_device(ARGUMENTS[operation], "emulated")
    with emulator.checking() as forward:
        y, cache = module.forward(*given, implementation=rung)
    dy = 0.5 if isinstance(y, float) else arrays.to_device(1 + y.get(), "emulated")
    with emulator.checking() as backward:
        gradients = operations.as_list(module.backward(dy, cache, implementation=rung))
    assert [str(finding) for report in (*forward, *backward) for finding in report.findings] == []
    return (forward, arrays.nbytes(given, y)), (backward, arrays.nbytes(given, dy, gradients))


@pytest.mark.parametrize(
    ("operation", "rung"), [(name, "emulated") for name in ARGUMENTS] + [(name, "emulated_naive") for name in TILED]
)
def test_sectors_and_banks(operation, rung):
    """A warp's 32 floats in a row are 4 sectors; in shared memory, 32 lanes are in 32 banks."""
    for reports, _ in _reports(operation, rung):
        for report in reports:
            for use in report.lines:
                where = f"{report.file}:{use.line}: {report.kernel} {use.access}s {use.buffer}"
                assert use.bank_conflicts in (0, 1), where
                assert (use.sectors_per_request > 4) == ((report.file, report.kernel, use.buffer) in EXEMPT), where


def test_every_operation_with_kernels_has_arguments():
    assert set(ARGUMENTS) == {file.parent.name for file in Path(ops.__file__).parent.glob("*/gpu.cu")}
    assert set(TILED) == {file.parent.name for file in Path(ops.__file__).parent.glob("*/gpu_tiled.cu")}


@pytest.mark.parametrize("operation", TILED)
def test_what_tiles_save(operation):
    """Bytes that threads ask for, and that all kernels together move at least, in parts of what both passes are given and give."""
    asked, moved = {}, {}
    for rung in ("emulated_naive", "emulated"):
        passes = _reports(operation, rung)
        least = sum(nbytes for _, nbytes in passes)
        uses = [use for reports, _ in passes for report in reports for use in _global(report)]
        asked[rung] = sum(use.asked_read + use.asked_written for use in uses) / least
        moved[rung] = sum(use.unique_read + use.unique_written for use in uses) / least
        print(f"\n{operation:16}{rung:16} asked {asked[rung]:6.2f}  moved {moved[rung]:5.2f}", end="")
    most, gain = ASKED[operation]
    assert asked["emulated"] <= most
    assert asked["emulated_naive"] >= gain * asked["emulated"]


def _global(report):
    """The use of arrays, without those in shared memory."""
    shared = {use.buffer for use in report.lines if use.least_passes}
    return [use for name, use in report.buffers.items() if name not in shared]
