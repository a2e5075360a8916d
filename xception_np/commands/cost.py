"""`xception-np cost`."""

from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

from rich.table import Column
from rich.table import Table as Grid

from xception_np import cost, models, show
from xception_np.commands.output import check_picture_target, console, emit, print_grid, save_figure
from xception_np.cost import Line, Machine, Row
from xception_np.errors import InputError
from xception_np.ops import spec

_MEBI = 2**20
_EXPLANATION = (
    "Moved: what every operation reads and writes, each array once. Kept: what a training step holds for its backward pass.\n"
    "Both in float32, batch-norm statistics not counted; MACs are multiply-adds. Moved and MACs are those of a forward pass."
)


class Request(NamedTuple):
    """What is asked for; `constants` are GMACs a second, GB a second and microseconds of a call."""

    model: str
    size: int | None
    batch: int
    by: str
    training: bool
    predict: bool
    measure: bool
    constants: tuple[float, float, float] | None
    gpus: bool
    out: Path | None
    roofline: Path | None


class Times(NamedTuple):
    """Seconds by operation, where they were asked for, of the whole network as it runs, and what they were predicted from."""

    machine: Machine | None = None
    predicted: dict[str, float] | None = None
    measured: dict[str, float] | None = None
    whole: float | None = None


def run(request: Request, as_json: bool) -> None:
    """Count a network, and predict and measure its time if asked to."""
    table = models.find(request.model)
    shape = cost.pictures_shape(table, request.size, request.batch)
    spec.one_of("by", request.by, cost.BY)
    if request.training and not (_is_timed(request) or request.gpus):
        raise InputError("training is True; expected it with what it is about, times: --predict, --measure, --machine or --gpus")
    for option, path in {"out": request.out, "roofline": request.roofline}.items():
        if path:
            check_picture_target(path, option)
    if request.out and request.roofline and request.out.resolve() == request.roofline.resolve():
        raise InputError(f"roofline is {request.roofline}, as out is; expected another file")
    lines = cost.count(models.outline(table), shape)
    times = _times(request, lines, shape)
    rows = cost.rows(lines, request.by, times.predicted, times.measured)
    total = cost.together("total", lines, times.predicted, times.measured)
    floors = _floors(request, lines)
    what = f", times of {_what(request)}" if times.machine else ""
    pictures = _pictures(request, lines, rows, times, _title(request, shape) + what)
    if as_json:
        emit(_facts(request, shape, rows, total, times, floors) | {"pictures": pictures})
        return
    print(_title(request, shape))
    print_grid(_grid(rows, total, request, floors))
    print(f"\n{_EXPLANATION}")
    for sentence in _sentences(request, total, times) + _sentences_of_gpus(request):
        print(sentence)
    for picture in pictures:
        print(f"picture {picture}")


def _is_timed(request: Request) -> bool:
    return bool(request.predict or request.measure or request.constants or request.roofline)


def _times(request: Request, lines: list[Line], shape: tuple[int, ...]) -> Times:
    if not _is_timed(request):
        return Times()
    measured, whole = None, None
    if request.measure:
        console.print(f"building {request.model}, and timing it and this machine in turn")
        model = models.build(request.model)
        machine, measured = cost.in_turn(model, shape, request.training)
        whole = cost.time_network(model, shape, request.training)
    elif not request.constants:
        console.print("measuring this machine")
        machine = cost.measure()
    if request.constants:
        peak, bandwidth, call = request.constants
        machine = Machine(peak * 1e9, bandwidth * 1e9, call / 1e6)
    return Times(machine, cost.predict(lines, machine, request.training), measured, whole)


def _floors(request: Request, lines: list[Line]) -> dict[str, list[float]]:
    """Of every GPU, where they were asked for, the least seconds of each row and of all together."""
    if not request.gpus:
        return {}
    floors = {name: cost.at_least(lines, gpu, request.training) for name, gpu in cost.GPUS.items()}
    return {
        name: [*(row.predicted or 0.0 for row in cost.rows(lines, request.by, seconds)), sum(seconds.values())]
        for name, seconds in floors.items()
    }


def _what(request: Request) -> str:
    """What takes the times that are shown."""
    return "a training step, forward and backward" if request.training else "inference"


def _title(request: Request, shape: tuple[int, ...]) -> str:
    batch, size = shape[:2]
    return f"{request.model}, {batch} picture{'s' * (batch > 1)} of {size} x {size} pixels"


def _grid(rows: list[Row], total: Row, request: Request, floors: dict[str, list[float]]) -> Grid:
    heads = ["parameters", "MACs", "moved MiB", "kept MiB", "MACs/byte"]
    heads += ["predicted ms"] * (total.predicted is not None)
    heads += ["measured ms", "predicted/measured"] * (total.measured is not None)
    heads += [f"{name}, ms at least" for name in floors]
    columns = [Column(head, justify="right", no_wrap=True) for head in heads]
    grid = Grid(Column(request.by, no_wrap=True), *columns, box=None, pad_edge=False)
    *each, together = zip(*floors.values(), strict=True) if floors else [()] * (len(rows) + 1)
    for row, least in zip(rows, each, strict=True):
        grid.add_row(row.name, *_cells(row), *map(_milliseconds, least))
    grid.add_section()
    grid.add_row(total.name, *_cells(total), *map(_milliseconds, together), style="bold")
    return grid


def _cells(row: Row) -> list[str]:
    counted = row.cost
    cells = [f"{counted.parameters:,}", f"{counted.macs:,}", _mebibytes(counted.bytes_moved), _mebibytes(counted.bytes_cached)]
    cells.append(f"{counted.intensity:.2f}")
    if row.predicted is not None:
        cells.append(_milliseconds(row.predicted))
    if row.predicted is not None and row.measured is not None:
        cells += [_milliseconds(row.measured), f"{row.predicted / row.measured:.2f}"]
    return cells


def _milliseconds(seconds: float) -> str:
    return f"{1e3 * seconds:,.2f}"


def _mebibytes(count: int) -> str:
    return f"{count / _MEBI:,.2f}"


def _sentences(request: Request, total: Row, times: Times) -> list[str]:
    if times.machine is None:
        return []
    machine = times.machine
    said = [
        f"Times of {_what(request)}, predicted from {machine.peak / 1e9:,.1f} GMAC/s, {machine.bandwidth / 1e9:,.1f} GB/s and "
        f"{1e6 * machine.call:,.1f} µs a call: below {machine.ridge:.1f} MACs/byte memory takes longer."
    ]
    if times.whole is not None and total.measured is not None:
        said.append(
            f"Operations were timed one by one: {1e3 * total.measured:,.1f} ms, the best of each together. As the network runs, in "
            f"one pass what can be, its best round took {1e3 * times.whole:,.1f} ms."
        )
    return said


def _sentences_of_gpus(request: Request) -> list[str]:
    if not request.gpus:
        return []
    what = "a training step's passes, each" if request.training else "every operation"
    sheets = "; ".join(
        f"{name}: {gpu.operations / 1e12:,.1f} TFLOP/s, {gpu.bandwidth / 1e9:,.0f} GB/s" for name, gpu in cost.GPUS.items()
    )
    return [
        f"At least: a model and not a measurement; {what} the longer of 2 MACs / peak and bytes moved / bandwidth, float32, from "
        f"data sheets ({sheets})."
    ]


def _pictures(request: Request, lines: list[Line], rows: list[Row], times: Times, title: str) -> list[str]:
    drawn = []
    if request.out:
        drawn.append(save_figure(show.cost_bars(rows, title), request.out))
    if request.roofline and times.machine:
        figure = show.roofline(lines, times.machine, title, times.measured, request.training)
        drawn.append(save_figure(figure, request.roofline))
    return list(map(str, drawn))


def _facts(
    request: Request, shape: tuple[int, ...], rows: list[Row], total: Row, times: Times, floors: dict[str, list[float]]
) -> dict[str, Any]:
    return {
        "model": request.model,
        "input_shape": shape,
        "training": request.training,
        "by": request.by,
        "machine": None if times.machine is None else asdict(times.machine),
        "at_least": {name: {"rows": each, "total": together} for name, (*each, together) in floors.items()},
        "total": _numbers(total) | {"measured_as_it_runs": times.whole},
        "rows": [_numbers(row) for row in rows],
    }


def _numbers(row: Row) -> dict[str, Any]:
    seconds = {"predicted": row.predicted, "measured": row.measured}
    return {"name": row.name, **row.cost._asdict(), "intensity": row.cost.intensity, **seconds}
