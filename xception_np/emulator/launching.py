"""Launching a kernel: what is checked before, running it, and reading what the runtime saw.

    report = check(kernel, grid, block, args)         # every access watched
    run(kernel, grid, block, args)                    # as fast as it goes
    launch(kernel, grid, block, args)                 # as host code does it: fast, or checked inside of

    with checking(order="reverse") as reports: ...    # this

What a GPU would refuse is refused here, and so is what it would not notice: arguments that are not what the kernel takes.
"""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import NamedTuple

import numpy as np

from xception_np.emulator import arguments, device, native, placing, reading
from xception_np.emulator.kernel import DYNAMIC_SHARED, MOST_DYNAMIC_SHARED, RawKernel
from xception_np.emulator.report import Report, Triple
from xception_np.errors import InputError, is_whole

ORDERS = ("forward", "reverse", "random")
_MOST_THREADS = 1024
_BLOCK_LIMITS = (1024, 1024, 64)
_GRID_LIMITS = (2**31 - 1, 65535, 65535)
MOST_STEPS = 2 * 10**8  # of a block in check mode: some seconds
_NO_BLOCK = 2**64 - 1


class _How(NamedTuple):
    """The settings of `check`."""

    order: str = "forward"
    seed: int = 0
    only: Sequence[int] | None = None
    steps: int = MOST_STEPS
    trace: int | None = None


class _Checking(NamedTuple):
    how: _How
    reports: list[Report]
    kernels: Collection[str] | None

    def watches(self, kernel: RawKernel) -> bool:
        """Whether a kernel is to be in check mode. One that reads whole numbers from memory may take an address from there."""
        if self.kernels is None or kernel.name in self.kernels:
            return True
        return any(parameter.pointer and parameter.dtype.kind != "f" for parameter in kernel.parameters)


_checking: _Checking | None = None


@contextmanager
def checking(
    *,
    order: str = "forward",
    seed: int = 0,
    steps: int = MOST_STEPS,
    trace: int | None = None,
    kernels: Collection[str] | None = None,
) -> Iterator[list[Report]]:
    """Inside the `with` block launches are in check mode; the list that it gives is filled with their reports.

    Parameters
    ----------
    order, seed, steps, trace
        As in `check`.
    kernels : collection of str, optional
        Names of the kernels to watch, where others are known to be right: those are in fast mode, unless what they read could
        lead them astray; by default all.
    """
    global _checking
    before, _checking = _checking, _Checking(_How(order, seed, None, steps, trace), [], kernels)
    try:
        yield _checking.reports
    finally:
        _checking = before


def launch(kernel: RawKernel, grid, block, args: Sequence, shared_mem: int = 0) -> None:
    """Run a kernel: in fast mode, or in check mode inside of `checking`. Arguments as in `check`."""
    if _checking is None or not _checking.watches(kernel):
        run(kernel, grid, block, args, shared_mem)
    else:
        _checking.reports.append(_launched(kernel, "check", grid, block, args, shared_mem, _checking.how))


def check(
    kernel: RawKernel,
    grid: Sequence[int],
    block: Sequence[int],
    args: Sequence,
    shared_mem: int = 0,
    *,
    order: str = "forward",
    seed: int = 0,
    only: Sequence[int] | None = None,
    steps: int = MOST_STEPS,
    trace: int | None = None,
) -> Report:
    """Run a kernel and watch every access.

    A launch ends at an access out of bounds or misaligned, as on a GPU, and in a loop without an end; it goes on after every other
    finding.

    Parameters
    ----------
    kernel : RawKernel
    grid, block : up to three sizes each
    args : sequence of device arrays and NumPy numbers
        One for every parameter, of its type.
    shared_mem : int
        Bytes of dynamic shared memory.
    order : "forward", "reverse" or "random"
        In which blocks, and threads of a block, are run.
    seed : int
        Of the random order.
    only : sequence of int
        Numbers of the blocks to run, x fastest: for a grid that is too large to be run.
    steps : int
        How many branches the threads of a block may come to, together, before it is taken for one that never ends.
    trace : int, optional
        Number of a block whose accesses are kept, one by one: `report.accesses`, the first 262,144 of them.

    Raises
    ------
    InputError
        If an argument, the grid or the block is not one that a GPU would take.
    MissingCompiler
        If there is no g++.
    """
    return _launched(kernel, "check", grid, block, args, shared_mem, _How(order, seed, only, steps, trace))


def run(
    kernel: RawKernel,
    grid: Sequence[int],
    block: Sequence[int],
    args: Sequence,
    shared_mem: int = 0,
    *,
    order: str = "forward",
    seed: int = 0,
    only: Sequence[int] | None = None,
) -> None:
    """Run a kernel without watching; arguments as in `check`. A kernel with a bug may end the process."""
    report = _launched(kernel, "fast", grid, block, args, shared_mem, _How(order, seed, only))
    if report.findings:
        raise RuntimeError(f"{report.findings[0]}")


def _launched(kernel, mode, grid, block, args, shared_mem, how: _How) -> Report:
    grid, block = _sizes("grid", grid, _GRID_LIMITS), _sizes("block", block, _BLOCK_LIMITS)
    _check_launch(kernel, block, shared_mem, how)
    memories = arguments.memories(kernel.name, kernel.parameters, args)
    blocks = _blocks(grid, how)
    if 0 in grid:
        return Report(kernel.name, kernel.module.file, grid, block, 0, 0, 0, [], {}, [], [])

    library = kernel.module.library(mode)
    threads, most = block[0] * block[1] * block[2], library.most_threads(kernel.name)
    if most is not None and threads > most:
        raise InputError(f"block is {block}, {threads} threads; expected at most {most}, the __launch_bounds__ of {kernel.name}")
    ranges = [memory.range for memory in memories]
    own_addresses = [address for address, _ in ranges]
    with placing.apart(ranges) if mode == "check" else nullcontext(own_addresses) as addresses, library.lock:
        request = native.Launch(
            kernel=library.entry(kernel.name),
            arguments=arguments.packed(kernel.parameters, args, dict(zip(ranges, addresses, strict=True))),
            grid=native.Index(*grid),
            block=native.Index(*block),
            dynamic_shared=shared_mem,
            most_shared=DYNAMIC_SHARED if kernel.max_dynamic_shared_size_bytes <= DYNAMIC_SHARED else MOST_DYNAMIC_SHARED,
            blocks=None if blocks is None else blocks.ctypes.data,
            block_count=grid[0] * grid[1] * grid[2] if blocks is None else len(blocks),
            order=ORDERS.index(how.order),
            seed=how.seed,
            buffers=(native.Buffer * max(1, len(memories)))(*map(_buffer, memories, addresses)),
            buffer_count=len(memories),
            most_steps=how.steps,
            traced_block=_NO_BLOCK if how.trace is None else how.trace,
        )
        result = library.launch(request)
        report = reading.report(kernel, library, result, grid, block, [memory.name for memory in memories])
    if mode == "fast":
        for memory in memories:
            if not all(parameter.const for parameter in memory.parameters):
                device.mark_initialised(memory.array)  # nobody looked, so it is taken for granted
    return report


def _sizes(name: str, sizes, limits: Triple) -> Triple:
    given = tuple(sizes) if isinstance(sizes, tuple | list) else (sizes,)
    full = (*given, 1, 1)[:3]
    if not 1 <= len(given) <= 3 or not all(is_whole(size) and 0 <= size <= limit for size, limit in zip(full, limits, strict=True)):
        raise InputError(f"{name} is {sizes}; expected up to three whole numbers, at most {limits}")
    return int(full[0]), int(full[1]), int(full[2])


def _check_launch(kernel: RawKernel, block: Triple, shared_mem: int, how: _How) -> None:
    if not 1 <= block[0] * block[1] * block[2] <= _MOST_THREADS:
        raise InputError(f"block is {block}, {block[0] * block[1] * block[2]} threads; expected 1 to {_MOST_THREADS}")
    if not is_whole(shared_mem) or not 0 <= shared_mem <= kernel.max_dynamic_shared_size_bytes:
        raise InputError(
            f"shared_mem is {shared_mem!r}; expected at most {kernel.max_dynamic_shared_size_bytes} bytes, or more, up to"
            f" {MOST_DYNAMIC_SHARED}, that kernel.max_dynamic_shared_size_bytes has asked for"
        )
    if how.order not in ORDERS:
        raise InputError(f"order is {how.order!r}; expected one of {', '.join(map(repr, ORDERS))}")
    if not is_whole(how.seed) or not 0 <= how.seed < 2**32:
        raise InputError(f"seed is {how.seed!r}; expected an integer from 0 to {2**32 - 1}")
    if not is_whole(how.steps) or how.steps < 1:
        raise InputError(f"steps is {how.steps!r}; expected an integer, 1 or more")
    if how.trace is not None and not (is_whole(how.trace) and how.trace >= 0):
        raise InputError(f"trace is {how.trace!r}; expected the number of a block")


def _blocks(grid: Triple, how: _How) -> np.ndarray | None:
    """Numbers of the blocks to run, in their order; None for all from the first to the last."""
    count, only = grid[0] * grid[1] * grid[2], how.only
    if only is not None and not all(is_whole(number) and 0 <= number < count for number in only):
        raise InputError(f"only is {list(only)}; expected numbers of blocks below {count}")
    if only is None and how.order == "forward":
        return None
    blocks = np.arange(count, dtype=np.uint64) if only is None else np.array(only, np.uint64)
    if how.order == "reverse":
        return blocks[::-1].copy()
    return np.random.default_rng(how.seed).permutation(blocks) if how.order == "random" else blocks


def _buffer(memory: arguments.Memory, address: int) -> native.Buffer:
    known, before = device.known_bytes(memory.array)
    return native.Buffer(address, memory.array.nbytes, known, before, 1 if memory.array.itemsize % 4 else 4)
