"""CUDA kernels without a GPU: runs a `.cu` file on the CPU, thread by thread, and watches every access.

    from xception_np.emulator import RawModule, check, device

    kernel = RawModule(code=text, options=("-DREAL=float",), file="scale.cu").get_function("scale")
    x, y = device.asarray(numpy_array), device.empty(numpy_array.shape, np.float32)
    report = check(kernel, (blocks,), (256,), (x, y, np.float32(2), np.int32(x.size)))
    report.findings                      # a list of what is wrong, with line, thread and block: empty, one hopes
    report.buffers["x"].unique_read      # bytes of x that the kernel needed; asked_read: that its threads asked for
    report.at(7)[0].sectors_per_request  # at line 7; bank_conflicts for shared memory
    y.get()

The file itself is plain CUDA. `source.py` reads its signatures and its shared memory, `runtime/cuda.h` says the rest of its words
in C++, g++ compiles it (`toolchain.py`), and `runtime/` runs it:

- **Check mode** (`check`, or everything inside of `checking`): every load and store is looked at before it is done. Found are
  accesses out of bounds or misaligned, reads of what nobody wrote, races within a block and between blocks, barriers that not all
  threads reach, exchanges within a warp that cannot end, loops without an end, and arithmetic without a defined result.
- **Fast mode** (`run`, or any launch outside of `checking`): the same numbers, to the bit, much sooner.

What it cannot show: the compiler's and the hardware's own behaviour, times, and what depends on blocks that run at the same time.
`nvrtc.py` asks NVIDIA's compiler, which needs no GPU either.
"""

from xception_np.emulator import device, nvrtc
from xception_np.emulator.kernel import RawKernel, RawModule
from xception_np.emulator.launching import ORDERS, check, checking, launch, run
from xception_np.emulator.report import Access, BufferUse, Finding, LineUse, Report
from xception_np.emulator.toolchain import MissingCompiler

__all__ = [
    "ORDERS",
    "Access",
    "BufferUse",
    "Finding",
    "LineUse",
    "MissingCompiler",
    "RawKernel",
    "RawModule",
    "Report",
    "check",
    "checking",
    "device",
    "launch",
    "nvrtc",
    "run",
]
