"""`xception-np emulate`: an operation's CUDA kernels, run thread by thread and watched."""

import signal
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from rich.table import Column
from rich.table import Table as Grid
from rich.text import Text

from xception_np import arrays, emulator, implementations, kernels, ops, show
from xception_np.check import cases, kernel_mutations, operations
from xception_np.check.cases import Case
from xception_np.check.comparison import Comparison
from xception_np.commands.output import check_picture_target, emit, print_grid, save_figure
from xception_np.emulator import Finding, LineUse, Report, source, toolchain
from xception_np.emulator.report import SECTOR
from xception_np.errors import InputError, check_file
from xception_np.ops import spec

_FOLDER = Path(ops.__file__).parent
_EMULATED = tuple(name for name in implementations.NAMES if implementations.place(name) == "emulated")
_PASSES = ("forward", "backward")
_FEW = 256  # bytes of arguments in float64
_STEPS = 10**7  # of a block: more than any case takes, and soon over
_MOST_SECTORS = 40  # of a drawing in the terminal


class Request(NamedTuple):
    """What is asked for; `passes` are those to be shown; an `implementation` of None is that whose kernels a file has."""

    operation: str
    implementation: str | None
    case: str | None
    dtype: str
    passes: tuple[str, ...]
    order: str
    seed: int | None
    file: Path | None
    png: Path | None


class Launch(NamedTuple):
    """A launch: of which pass, what was seen of it, and the lines of the file that its kernel stands in."""

    of_pass: str
    report: Report
    source: list[str]

    def text(self, line: int) -> str:
        """A source line; nothing for line 0."""
        return self.source[line - 1].strip() if line else ""


def run(request: Request, as_json: bool) -> None:
    """Run the kernels of an operation on a case, in check mode; exit with status 1 if anything is wrong with them."""
    case = _case(request)
    dtype = np.dtype(spec.one_of("dtype", request.dtype, ("float32", "float64")))
    spec.one_of("order", request.order, emulator.ORDERS)
    if request.seed is not None and request.order != "random":
        raise InputError(f"seed is {request.seed}, which changes nothing; expected it only with order 'random'")
    if request.png:
        check_picture_target(request.png, "png")
    toolchain.compiler()
    if request.implementation is not None:
        spec.one_of("implementation", request.implementation, _EMULATED)
    replaced = _replaced(request)
    implementation = request.implementation or ("emulated" if replaced is None else _implementation_of(replaced))
    launches, comparisons = _launched(request, case, dtype, implementation, replaced)
    shown = [launch for launch in launches if launch.of_pass in request.passes or launch.report.findings]
    title = f"{case.operation}, case '{case.name}', {dtype}"
    if request.png:
        save_figure(show.kernel_accesses([(launch.report, launch.source) for launch in shown], title), request.png)
    right = all(comparison.ok for comparison in comparisons) and not any(launch.report.findings for launch in launches)
    if as_json:
        emit(_facts(request, case, shown, comparisons, right))
    else:
        _print(title, shown, comparisons, request)
    if not right:
        sys.exit(1)


def _case(request: Request) -> Case:
    """The case of that name, or the operation's first one that is more than a few numbers."""
    if request.case is not None:
        return cases.find(request.operation, request.case)
    every = cases.of(request.operation)
    return next((case for case in every if arrays.nbytes(case.arguments()) > _FEW), every[0])


def _replaced(request: Request) -> Path | None:
    """The file of the project that the user's stands in for, by the kernels of both; None without one."""
    if request.file is None:
        return None
    check_file("file", request.file, "a .cu file with the kernels of the operation, changed")
    try:
        text = request.file.read_text()
    except UnicodeDecodeError as error:
        raise InputError(f"file {request.file} is not text; expected a .cu file") from error
    names = set(source.names(text))
    own = {path: set(source.names(path.read_text())) for path in sorted((_FOLDER / request.operation).glob("gpu*.cu"))}
    if request.implementation is not None:
        launched = implementations.load(f"{ops.__name__}.{request.operation}", request.implementation).__name__
        own = {path: kernels_of_it for path, kernels_of_it in own.items() if path.stem == launched.rpartition(".")[2]}
    if not own:
        raise InputError(f"operation {request.operation} has no kernels of its own; expected one of those that it is made of")
    fitting = [path for path, kernels_of_it in own.items() if kernels_of_it <= names]
    if not fitting:
        expected = " or ".join(f"{', '.join(sorted(each))}, as {path.name} has" for path, each in own.items())
        raise InputError(f"file {request.file} has kernels {', '.join(sorted(names)) or 'none'}; expected {expected}")
    return max(fitting, key=lambda path: len(own[path]))  # tiled kernels are the naive ones' namesakes, and more


def _implementation_of(file: Path) -> str:
    return kernel_mutations.implementation_of(f"ops.{file.parent.name}.{file.stem}")


@contextmanager
def _ended_at_once() -> Iterator[None]:
    """Let Ctrl-C and SIGTERM end the process without asking Python, which waits for a kernel that may never end."""
    asking = {number: handler for number in (signal.SIGINT, signal.SIGTERM) if callable(handler := signal.getsignal(number))}
    for number in asking:
        signal.signal(number, signal.SIG_DFL)
    try:
        yield
    finally:
        for number, handler in asking.items():
            signal.signal(number, handler)


def _launched(
    request: Request, case: Case, dtype: np.dtype, implementation: str, replaced: Path | None
) -> tuple[list[Launch], list[Comparison]]:
    """Every launch of both passes, and their results beside the reference's."""
    expected = operations.expected_passes(case, dtype)
    comparisons: list[Comparison] = []
    of_forward = 0
    mine = None if request.file is None else request.file.resolve()
    standing_in = kernels.standing_in(replaced, mine) if replaced and mine else nullcontext()
    endable = _ended_at_once() if mine else nullcontext()
    with standing_in, endable, emulator.checking(order=request.order, seed=request.seed or 0, steps=_STEPS, trace=0) as reports:
        for comparison in operations.check_passes(case, implementation, expected):
            of_forward = of_forward or len(reports)
            comparisons.append(comparison)
    files = {kernels.label(mine): mine} if mine else {}
    if mine and not any(report.file in files for report in reports):
        raise InputError(
            f"file {request.file} has no kernel that case '{case.name}' launches; choose another case, or implementation"
        )
    return [
        Launch(_PASSES[k >= of_forward], report, files.get(report.file, _FOLDER / report.file).read_text().splitlines())
        for k, report in enumerate(reports)
    ], comparisons


def _print(title: str, launches: list[Launch], comparisons: list[Comparison], request: Request) -> None:
    print(title)
    for of_pass in (name for name in _PASSES if name in {*request.passes, *(launch.of_pass for launch in launches)}):
        of_it = [launch for launch in launches if launch.of_pass == of_pass]
        if not of_it:
            print(f"\n{of_pass}: no kernel was launched")
        for launch in of_it:
            report = launch.report
            sizes = f"grid {report.grid}, block {report.block}"
            print(f"\n{of_pass}: {report.kernel} of {report.file}, {sizes}: {report.counts}")
            print_grid(_buffers(report))
            print_grid(_lines(launch))
            for finding in report.findings:
                print(f"wrong: {finding}\n    {launch.text(finding.line)}")
    print("\nBeside the reference:")
    for comparison in comparisons:
        print(f"{'right' if comparison.ok else 'wrong'}: {comparison}")
    if request.png:
        print(f"picture {request.png}")


def _buffers(report: Report) -> Grid:
    heads = ("bytes", "read", "different", "written", "different")
    grid = _table("array", *(Column(head, justify="right") for head in heads))
    for use in report.buffers.values():
        counts = (use.nbytes, use.asked_read, use.unique_read, use.asked_written, use.unique_written)
        grid.add_row(use.name, *(f"{count:,}" for count in counts))
    return grid


def _lines(launch: Launch) -> Grid:
    """What every line asked for, and how many lanes of its first request came to each sector."""
    right = [Column(head, justify="right") for head in ("requests", "bytes", "sectors each", "conflicts")]
    drawn = Column("first request: lanes in each sector of 32 bytes")
    grid = _table(Column("line", justify="right"), "access", *right, drawn, "source")
    for use in launch.report.lines:
        shared = use.least_passes > 0
        grid.add_row(
            str(use.line),
            f"{use.access} {use.buffer}",
            f"{use.requests:,}",
            f"{use.nbytes:,}",
            "" if shared else f"{use.sectors_per_request:.3g}",
            f"{use.bank_conflicts:.3g}" if shared else "",
            sectors_drawn(list(launch.report.first_request(use).values())),
            Text(launch.text(use.line)),  # not markup: it has brackets
        )
    return grid


def _table(*columns: Column | str) -> Grid:
    return Grid(*columns, box=None, pad_edge=False)


def sectors_drawn(offsets: list[int]) -> str:
    """The sectors from the first to the last that a request touches: in each, how many lanes (+ for more than 9, . for none)."""
    if not offsets:
        return ""
    lanes = Counter(offset // SECTOR for offset in offsets)
    first, last = min(lanes), max(lanes)
    shown = range(first, min(last, first + _MOST_SECTORS - 1) + 1)
    drawn = "".join("." if not lanes[k] else str(lanes[k]) if lanes[k] <= 9 else "+" for k in shown)
    return f"{drawn}{f' and {last - shown[-1]} more' if last > shown[-1] else ''}"


def _facts(request: Request, case: Case, launches: list[Launch], comparisons: list[Comparison], right: bool) -> dict[str, Any]:
    return {
        "operation": case.operation,
        "case": case.name,
        "dtype": request.dtype,
        "order": request.order,
        "seed": request.seed or 0,
        "file": None if request.file is None else str(request.file),
        "right": right,
        "launches": [_launch_facts(launch) for launch in launches],
        "comparisons": [
            {"what": each.what, "error": each.error, "budget": each.budget, "right": each.ok, "sentence": str(each)}
            for each in comparisons
        ],
        "picture": None if request.png is None else str(request.png),
    }


def _launch_facts(launch: Launch) -> dict[str, Any]:
    report = launch.report
    return {
        "pass": launch.of_pass,
        **{name: getattr(report, name) for name in ("kernel", "file", "grid", "block", "threads", "blocks", "barriers")},
        "buffers": [use._asdict() for use in report.buffers.values()],
        "lines": [_line_facts(launch, use) for use in report.lines],
        "findings": [_finding_facts(launch, finding) for finding in report.findings],
    }


def _line_facts(launch: Launch, use: LineUse) -> dict[str, Any]:
    shared = use.least_passes > 0
    return {
        **{name: getattr(use, name) for name in ("line", "buffer", "access", "requests", "nbytes")},
        "sectors_per_request": None if shared else use.sectors_per_request,
        "bank_conflicts": use.bank_conflicts if shared else None,
        "source": launch.text(use.line),
    }


def _finding_facts(launch: Launch, finding: Finding) -> dict[str, Any]:
    at = finding.at
    return {
        "kind": finding.kind,
        "line": finding.line,
        "thread": at.thread,
        "block": at.block,
        "times": finding.times,
        "sentence": str(finding),
        "source": launch.text(finding.line),
    }
