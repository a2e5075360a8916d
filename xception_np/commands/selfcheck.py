"""`xception-np selfcheck`: every operation of an implementation against the reference, on this machine."""

import os
import platform
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar
from rich.table import Column
from rich.table import Table as Grid

from xception_np import arrays, emulator, implementations, kernels, ops, threads
from xception_np.check import cases, operations, updates
from xception_np.check.anchors import check_anchors
from xception_np.check.cases import Case
from xception_np.check.comparison import Comparison
from xception_np.check.updates import check_muon, check_sum_of_squares, check_update
from xception_np.commands.output import check_target, console, emit, print_grid, to_json
from xception_np.emulator import Report, toolchain
from xception_np.errors import InputError
from xception_np.files import read_json, replacing
from xception_np.ops import spec

_DTYPES = (np.dtype(np.float32), np.dtype(np.float64))
UPDATES = "updates"  # what reports call the operations of the package of that name
_REPEATS = 3  # of a case: the same bits?
_MOST_WRONG = 20  # sentences that are printed; the report has all


Compared = tuple[str, str, str, Callable[[], Iterable[Comparison]]]  # operation, case, dtype, and what to compare


class Outcome(NamedTuple):
    """What came of one case in one dtype.

    seconds : of the fastest of its forward and backward passes together, with the copies to a device and back
    used : the largest part of an error budget that a comparison used
    wrong : a sentence for everything that is wrong
    """

    operation: str
    case: str
    dtype: str
    seconds: float
    used: float
    wrong: list[str]


def run(implementation: str, names: Sequence[str], report: Path | None, as_json: bool) -> None:
    """Check operations, all if none is named; exit with status 1 if anything is wrong."""
    names = list(dict.fromkeys(map(cases.known, names))) or list(ops.__all__)
    spec.one_of("implementation", implementation, tuple(implementations.NAMES))
    place = implementations.place(implementation)
    if place != arrays.NUMPY:
        arrays.device(place)
    if place == "emulated":
        toolchain.compiler()
    if report is not None:
        _check_target(report)
    outcomes = _outcomes(implementation, names)
    facts = _facts(implementation, outcomes)
    if report is not None:
        with replacing(report) as temporary:
            temporary.write_text(to_json(facts, indent=1))
    if as_json:
        emit(facts)
    else:
        _print(implementation, outcomes, report)
    if not facts["right"]:
        sys.exit(1)


def _check_target(report: Path) -> None:
    """InputError if no report can be written there, or if there is a file that is none."""
    check_target(report, "report")
    if not report.exists():
        return
    found = read_json(report, "a report, or a path where no file is")
    if not isinstance(found, dict) or "outcomes" not in found:
        raise InputError(f"report is {report}, a file that is no report; choose another one")


def _outcomes(implementation: str, names: Sequence[str]) -> list[Outcome]:
    """Of every case in both dtypes, of what was worked out by hand, and of updates if all operations are asked for."""
    every = [(case, dtype) for name in names for dtype in _DTYPES for case in cases.of(name)]
    compared: list[Compared] = [(name, "by hand", "float64", partial(check_anchors, name, implementation)) for name in names]
    if set(names) == set(ops.__all__):
        compared += _updates(implementation)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    found = []
    with Bar(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("compiling", total=len(every) + len(compared))
        for case, dtype in every:
            bar.update(task, advance=1, description=f"{case.operation} {dtype}")
            found.append(_outcome(case, dtype, implementation))
        for operation, case_name, dtype_name, comparisons in compared:
            bar.update(task, advance=1, description=f"{operation} {case_name}")
            found.append(_compared(operation, case_name, dtype_name, implementation, comparisons))
    return found


def _updates(implementation: str) -> list[Compared]:
    """What writes to vectors in place: optimizers' steps, averages, and sums."""
    found: list[Compared] = []
    for dtype in _DTYPES:
        found += [(UPDATES, name, str(dtype), partial(check_update, name, implementation, dtype)) for name in updates.UPDATES]
        found.append((UPDATES, "sum of squares", str(dtype), partial(check_sum_of_squares, implementation, dtype)))
        found.append((UPDATES, "muon", str(dtype), partial(check_muon, implementation, dtype)))
    return found


def _outcome(case: Case, dtype: np.dtype, implementation: str) -> Outcome:
    """Like the reference, the same bits every time, nothing written beside the arrays; emulated, with nothing found."""
    wrong: list[str] = []
    comparisons: list[Comparison] = []
    seconds: list[float] = []
    watched: AbstractContextManager[list[Report]] = (
        emulator.checking() if implementations.place(implementation) == "emulated" else nullcontext([])
    )
    try:
        with watched as reports, arrays.guarded() as broken, np.errstate(all="ignore"):
            comparisons = list(operations.check_like_reference(case, implementation, dtype))
            arguments, bits = case.arguments(dtype), set()
            for _ in range(_REPEATS):
                start = time.perf_counter()
                y, _, gradients = operations.passes(case, arguments, implementation)
                seconds.append(time.perf_counter() - start)
                bits.add(tuple(np.asarray(array).tobytes() for array in (y, *gradients)))
            if len(bits) > 1:
                wrong.append(f"{case.operation}.{implementation}, {case.name}: {len(bits)} different results in {_REPEATS} runs")
            if count := broken():
                wrong.append(f"{case.operation}.{implementation}, {case.name}: something was written beside {count} arrays")
        wrong += [str(finding) for report in reports for finding in report.findings]
    except Exception as error:  # one operation that does not work says nothing of the others
        wrong.append(f"{case.operation}.{implementation}, {case.name}: {type(error).__name__}: {error}")
    wrong += _failed(comparisons)
    return Outcome(case.operation, case.name, str(dtype), min(seconds, default=0.0), _used(comparisons), wrong)


def _compared(
    operation: str, case: str, dtype: str, implementation: str, comparisons: Callable[[], Iterable[Comparison]]
) -> Outcome:
    """Numbers worked out by hand, which are not the reference's, or vectors that were updated; nothing is timed."""
    try:
        found = list(comparisons())
    except Exception as error:
        sentence = f"{operation}.{implementation}, {case}: {type(error).__name__}: {error}"
        return Outcome(operation, case, dtype, 0.0, 0.0, [sentence])
    return Outcome(operation, case, dtype, 0.0, _used(found), _failed(found))


def _used(comparisons: Iterable[Comparison]) -> float:
    return max((comparison.used for comparison in comparisons), default=0.0)


def _failed(comparisons: Iterable[Comparison]) -> list[str]:
    return [str(comparison) for comparison in comparisons if not comparison.ok]


def _facts(implementation: str, outcomes: list[Outcome]) -> dict[str, Any]:
    return {
        "implementation": implementation,
        "right": not any(outcome.wrong for outcome in outcomes),
        "kernels": kernels.EVIDENCE,
        "sources": kernels.digests(),
        "environment": _environment(implementation),
        "outcomes": [outcome._asdict() for outcome in outcomes],
    }


def _environment(implementation: str) -> dict[str, Any]:
    found: dict[str, Any] = {name: version(name) for name in ("xception-np", "numpy", "numba")}
    found |= {
        "python": platform.python_version(),
        "system": platform.platform(),
        "cores": os.cpu_count(),
        "threads": threads.count(),
    }
    if implementations.place(implementation) == "emulated":
        found["g++"] = toolchain.compiler()[1]
    if implementations.place(implementation) == "gpu":
        found |= _gpu()
    return found


def _gpu() -> dict[str, Any]:
    cupy = arrays.device("gpu")
    runtime = cupy.cuda.runtime
    about = runtime.getDeviceProperties(cupy.cuda.Device().id)
    return {
        "gpu": about["name"].decode(),
        "compute capability": f"{about['major']}.{about['minor']}",
        "memory": about["totalGlobalMem"],
        "driver": runtime.driverGetVersion(),
        "runtime": runtime.runtimeGetVersion(),
        "cupy": cupy.__version__,
    }


def _print(implementation: str, outcomes: list[Outcome], report: Path | None) -> None:
    heads = ("cases", "worst error, % of budget", "ms", "wrong")
    grid = Grid("operation", *(Column(head, justify="right") for head in heads), box=None, pad_edge=False)
    for name in dict.fromkeys(outcome.operation for outcome in outcomes):
        mine = [outcome for outcome in outcomes if outcome.operation == name]
        used, seconds = max(outcome.used for outcome in mine), sum(outcome.seconds for outcome in mine)
        wrong = sum(bool(outcome.wrong) for outcome in mine)
        grid.add_row(name, f"{len(mine)}", f"{100 * used:.3g}", f"{1e3 * seconds:,.1f}", str(wrong or ""))
    print_grid(grid)
    sentences = [sentence for outcome in outcomes for sentence in outcome.wrong]
    for sentence in sentences[:_MOST_WRONG]:
        print(f"wrong: {sentence}")
    if len(sentences) > _MOST_WRONG:
        print(f"and {len(sentences) - _MOST_WRONG} more")
    if implementation not in implementations.ON_NUMPY:
        print(f"The CUDA kernels of this version are {kernels.EVIDENCE}.")
    if report is not None:
        print(f"report {report}")
    print(f"{implementation}: {'something is wrong' if sentences else 'all right'}, {len(outcomes)} cases")
