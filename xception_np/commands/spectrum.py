"""`xception-np spectrum`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from matplotlib.figure import Figure
from rich.table import Column
from rich.table import Table as Grid

from xception_np import cost, show
from xception_np.commands.output import check_picture_target, emit, print_grid, save_figure
from xception_np.cost import Point

_MEBI = 2**20
_EXPLANATION = (
    "A 3x3 convolution in S segments, and a 1x1 convolution that mixes them; as many filters as channels. MACs are multiply-adds;\n"
    "moved is what both read and write in a forward pass, each array once, in float32."
)


class Request(NamedTuple):
    """What is asked for; `segments` chooses points, all of them if it is empty."""

    channels: int
    height: int
    width: int
    batch: int
    segments: list[int]
    png: Path | None


def run(request: Request, as_json: bool) -> None:
    """Count one module at every number of segments."""
    shape = (request.batch, request.height, request.width, request.channels)
    points = cost.spectrum(shape, request.segments or None)
    if request.png:
        check_picture_target(request.png, "png")
        save_figure(_picture(shape, request.segments), request.png)
    if as_json:
        picture = None if request.png is None else str(request.png)
        emit({"input_shape": shape, "rows": [_numbers(point) for point in points], "picture": picture})
        return
    print(_title(shape))
    print_grid(_grid(points))
    print(f"\n{_EXPLANATION}")
    if request.png:
        print(f"picture {request.png}")


def _title(shape: tuple[int, int, int, int]) -> str:
    batch, height, width, channels = shape
    return f"{channels} channel{'s' * (channels > 1)}, {batch} picture{'s' * (batch > 1)} of {height} x {width} pixels"


def _picture(shape: tuple[int, int, int, int], segments: Sequence[int]) -> Figure:
    """All points, and the connections of those that were asked for, or else of those that the paper names."""
    points = cost.spectrum(shape)
    drawn = [point for point in points if (point.segments in segments if segments else point.place)]
    squares = [(_name(point), cost.connections(shape[3], point.segments)) for point in drawn]
    return show.spectrum(points, squares, f"{_title(shape)}: a 3x3 convolution in S segments, and a 1x1")


def _name(point: Point) -> str:
    return f"S = {point.segments}" + (f", {point.place}" if point.place else "")


def _grid(points: Sequence[Point]) -> Grid:
    heads = ("parameters", "MACs", "moved MiB", "MACs/byte", "of the 3x3")
    columns = [Column(head, justify="right", no_wrap=True) for head in heads]
    grid = Grid(Column("segments", justify="right", no_wrap=True), Column("", no_wrap=True), *columns, box=None, pad_edge=False)
    for point in points:
        total = point.total
        numbers = f"{total.parameters:,}", f"{total.macs:,}", f"{total.bytes_moved / _MEBI:,.2f}"
        grid.add_row(str(point.segments), point.place, *numbers, f"{total.intensity:.2f}", f"{point.spatial.intensity:.2f}")
    return grid


def _numbers(point: Point) -> dict[str, Any]:
    parts = {"spatial": point.spatial, "pointwise": point.pointwise, "total": point.total}
    counted = {name: {**part._asdict(), "intensity": part.intensity} for name, part in parts.items()}
    return {"segments": point.segments, "place": point.place, **counted}
