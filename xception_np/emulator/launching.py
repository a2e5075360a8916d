"""Launching a kernel: what is checked before, running it, and reading what the runtime saw.

    report = check(kernel, grid, block, args)         # every access watched
    run(kernel, grid, block, args)                    # as fast as it goes
    launch(kernel, grid, block, args)                 # as host code does it: fast, or checked inside of

    with checking(order="reverse") as reports: ...    # this

A GPU takes a launch's arguments as bytes and asks no questions. So they are compared with the kernel's signature here: an array's dtype with
the pointer's type, and a number must be one of NumPy's, of the parameter's own type.
"""

import ctypes
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np

from xception_np.emulator import native
from xception_np.emulator.device import ndarray
from xception_np.emulator.kernel import MOST_DYNAMIC_SHARED, RawKernel
from xception_np.emulator.report import ACCESSES, KINDS, BufferUse, Finding, LineUse, Place, Report, Triple
from xception_np.emulator.source import Parameter
from xception_np.errors import InputError, is_whole

ORDERS = ("forward", "reverse", "random")
_MOST_THREADS = 1024
_BLOCK_LIMITS = (1024, 1024, 64)
_GRID_LIMITS = (2**31 - 1, 65535, 65535)


class _Checking(NamedTuple):
    order: str
    seed: int
    reports: list[Report]


_checking: _Checking | None = None


@contextmanager
def checking(*, order: str = "forward", seed: int = 0) -> Iterator[list[Report]]:
    """Inside the `with` block every launch is in check mode; the list that it gives is filled with their reports."""
    global _checking
    before, _checking = _checking, _Checking(order, seed, [])
    try:
        yield _checking.reports
    finally:
        _checking = before


def launch(kernel: RawKernel, grid, block, args: Sequence, shared_mem: int = 0) -> None:
    """Run a kernel: in fast mode, or in check mode inside of `checking`. Arguments as in `check`."""
    if _checking is None:
        run(kernel, grid, block, args, shared_mem)
    else:
        _checking.reports.append(check(kernel, grid, block, args, shared_mem, order=_checking.order, seed=_checking.seed))


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
) -> Report:
    """Run a kernel and watch every access.

    A launch ends at an access out of bounds or misaligned, as on a GPU; it goes on after every other finding.

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

    Raises
    ------
    InputError
        If an argument, the grid or the block is not one that a GPU would take.
    MissingCompiler
        If there is no g++.
    """
    return _launched(kernel, "check", grid, block, args, shared_mem, order, seed, only)


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
    report = _launched(kernel, "fast", grid, block, args, shared_mem, order, seed, only)
    if report.findings:
        raise RuntimeError(f"{report.findings[0]}")


def _launched(kernel, mode, grid, block, args, shared_mem, order, seed, only) -> Report:
    grid, block = _sizes("grid", grid, _GRID_LIMITS), _sizes("block", block, _BLOCK_LIMITS)
    _check_launch(kernel, block, shared_mem, order)
    names, arrays, values = _arguments(kernel, args)
    blocks = _blocks(grid, order, seed, only)
    if 0 in grid:
        return Report(kernel.name, kernel.module.file, grid, block, 0, 0, 0, [], {}, [])

    library = kernel.module.library(mode)
    buffers = (native.Buffer * max(1, len(arrays)))(*(_buffer(array) for array in arrays))
    request = native.Launch(
        kernel=library.entry(kernel.name),
        arguments=values,
        grid=native.Index(*grid),
        block=native.Index(*block),
        dynamic_shared=shared_mem,
        most_shared=kernel.max_dynamic_shared_size_bytes,
        blocks=None if blocks is None else blocks.ctypes.data,
        block_count=grid[0] * grid[1] * grid[2] if blocks is None else len(blocks),
        order=ORDERS.index(order),
        seed=seed,
        buffers=buffers,
        buffer_count=len(arrays),
    )
    with library.lock:
        report = _report(kernel, library, library.launch(request), grid, block, names)
    if mode == "fast":
        for parameter, argument in zip(kernel.parameters, args, strict=True):
            if parameter.pointer and not parameter.const:
                argument._mark_initialised()  # nobody looked, so it is taken for granted
    return report


def _sizes(name: str, sizes, limits: Triple) -> Triple:
    given = (sizes,) if is_whole(sizes) else tuple(sizes)
    full = (*given, 1, 1)[:3]
    if not 1 <= len(given) <= 3 or not all(is_whole(size) and 0 <= size <= limit for size, limit in zip(full, limits, strict=True)):
        raise InputError(f"{name} is {sizes}; expected up to three whole numbers, at most {limits}")
    return int(full[0]), int(full[1]), int(full[2])


def _check_launch(kernel: RawKernel, block: Triple, shared_mem: int, order: str) -> None:
    if not 1 <= block[0] * block[1] * block[2] <= _MOST_THREADS:
        raise InputError(f"block is {block}, {block[0] * block[1] * block[2]} threads; expected 1 to {_MOST_THREADS}")
    if not is_whole(shared_mem) or not 0 <= shared_mem <= kernel.max_dynamic_shared_size_bytes:
        raise InputError(
            f"shared_mem is {shared_mem!r}; expected at most {kernel.max_dynamic_shared_size_bytes} bytes, or more, up to"
            f" {MOST_DYNAMIC_SHARED}, that kernel.max_dynamic_shared_size_bytes has asked for"
        )
    if order not in ORDERS:
        raise InputError(f"order is {order!r}; expected one of {', '.join(map(repr, ORDERS))}")


def _blocks(grid: Triple, order: str, seed: int, only: Sequence[int] | None) -> np.ndarray | None:
    """Numbers of the blocks to run, in their order; None for all from the first to the last."""
    count = grid[0] * grid[1] * grid[2]
    if only is not None and not all(is_whole(number) and 0 <= number < count for number in only):
        raise InputError(f"only is {list(only)}; expected numbers of blocks below {count}")
    if only is None and order == "forward":
        return None
    blocks = np.arange(count, dtype=np.uint64) if only is None else np.array(only, np.uint64)
    if order == "reverse":
        return blocks[::-1].copy()
    return np.random.default_rng(seed).permutation(blocks) if order == "random" else blocks


def _arguments(kernel: RawKernel, args: Sequence) -> tuple[list[str], list[ndarray], ctypes.Array]:
    """Names and arrays of the different buffers, and the bytes of all arguments."""
    if len(args) != len(kernel.parameters):
        raise InputError(
            f"args has {len(args)} values; expected {len(kernel.parameters)}, as kernel {kernel.name} takes:"
            f" {', '.join(f'{each.declaration} {each.name}' for each in kernel.parameters)}"
        )
    values = ctypes.create_string_buffer(native.MOST_ARGUMENTS * native.ARGUMENT_BYTES)
    found: dict[tuple[int, int], list[Parameter]] = {}
    arrays: dict[tuple[int, int], ndarray] = {}
    for number, (parameter, value) in enumerate(zip(kernel.parameters, args, strict=True)):
        _check_argument(kernel, parameter, value)
        if parameter.pointer:
            key = (_address(value), value.nbytes)
            found.setdefault(key, []).append(parameter)
            arrays[key] = value
            content = ctypes.string_at(ctypes.byref(ctypes.c_uint64(key[0])), 8)
        else:
            content = value.tobytes()
        ctypes.memmove(ctypes.byref(values, number * native.ARGUMENT_BYTES), content, len(content))
    _check_overlaps(kernel, found)
    return [" = ".join(each.name for each in same) for same in found.values()], list(arrays.values()), values


def _check_argument(kernel: RawKernel, parameter: Parameter, value) -> None:
    if parameter.pointer:
        fits, expected = isinstance(value, ndarray) and value.dtype == parameter.dtype, f"a device array of {parameter.dtype}"
    else:
        fits, expected = isinstance(value, np.generic) and value.dtype == parameter.dtype, f"a numpy.{parameter.dtype}"
    if not fits:
        what = f"{type(value).__name__} of {value.dtype}" if isinstance(value, ndarray | np.ndarray) else f"{value!r} ({type(value).__name__})"
        raise InputError(f"argument {parameter.name} of kernel {kernel.name} is {what}; expected {expected}, for {parameter.declaration}")


def _check_overlaps(kernel: RawKernel, found: dict[tuple[int, int], list[Parameter]]) -> None:
    """Arrays are apart or the same; the same only where nobody was promised otherwise (`__restrict__`), or nobody writes."""
    ordered = sorted(key for key in found if key[1])
    for (address, nbytes), following in zip(ordered, ordered[1:], strict=False):
        if following[0] < address + nbytes:
            names = f"{found[address, nbytes][0].name} and {found[following][0].name}"
            raise InputError(f"arguments {names} of kernel {kernel.name} overlap in part; expected arrays that are apart, or the same")
    for same in found.values():
        if len(same) > 1 and any(each.restrict for each in same) and not all(each.const for each in same):
            names = " and ".join(each.name for each in same)
            raise InputError(f"arguments {names} of kernel {kernel.name} are the same array; expected different ones, as __restrict__ promises")


def _address(array: ndarray) -> int:
    return array._allocation.address + array._offset


def _buffer(array: ndarray) -> native.Buffer:
    known = array._allocation.initialised
    return native.Buffer(
        start=_address(array),
        size=array.nbytes,
        initialised=None if known is None else known.ctypes.data,
        before=array._offset,
        grain=1 if array.itemsize % 4 else 4,
    )


def _report(kernel: RawKernel, library: native.Library, result: native.Result, grid: Triple, block: Triple, names: list[str]) -> Report:
    regions = result.regions[: result.region_count]
    all_names = [each.name.decode() if each.name else names[number] for number, each in enumerate(regions)]
    found, sites = result.findings[: result.finding_count], result.sites[: result.site_count]
    lines = library.lines({*(each.site for each in found), *(each.other_site for each in found), *(each.site for each in sites)})

    def place(thread: int, number: int, site: int) -> Place:
        return Place(_coordinates(thread, block), _coordinates(number, grid), lines[site])

    findings = [
        Finding(
            kind=KINDS[each.kind],
            file=kernel.module.file,
            at=place(each.thread, each.block, each.site),
            access=ACCESSES[each.access],
            buffer=all_names[each.region] if each.region >= 0 else "",
            offset=each.offset,
            size=each.size,
            nbytes=regions[each.region].size if each.region >= 0 else 0,
            other=place(each.other_thread, each.other_block, each.other_site) if each.with_other else None,
            count=each.count,
        )
        for each in found
    ]
    buffers = {
        name: BufferUse(name, each.size, each.asked_read, each.asked_written, each.unique_read, each.unique_written)
        for name, each in zip(all_names, regions, strict=True)
    }
    return Report(
        kernel.name, kernel.module.file, grid, block, result.threads, result.blocks, result.barriers, findings, buffers, _by_line(sites, lines, all_names)
    )


def _by_line(sites, lines: dict[int, int], names: list[str]) -> list[LineUse]:
    """The sum over a line's instructions, for every buffer and kind of access."""
    sums: dict[tuple[int, str, str], list[int]] = {}
    for each in sites:
        total = sums.setdefault((lines[each.site], names[each.region], ACCESSES[each.access]), [0] * 5)
        for k, value in enumerate((each.requests, each.bytes, each.sectors, each.passes, each.least_passes)):
            total[k] += value
    return [LineUse(*key, *total) for key, total in sorted(sums.items())]


def _coordinates(number: int, sizes: Triple) -> Triple:
    return number % sizes[0], number // sizes[0] % sizes[1], number // sizes[0] // sizes[1]
