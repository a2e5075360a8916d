"""`xception-np bench`."""

from typing import NamedTuple

import numpy as np
from rich.table import Column
from rich.table import Table as Grid

from xception_np import arrays, cost, implementations, models, ops, threads
from xception_np.commands.output import console, emit, print_grid
from xception_np.cost import benching, ladder
from xception_np.cost.benching import Timing
from xception_np.errors import InputError
from xception_np.geometry import Geometry
from xception_np.ops import spec

SPECTRUM = "spectrum"


class Request(NamedTuple):
    """What is to be timed: a network, or with "spectrum" a convolution of so many channels."""

    what: str | None
    batch: int | None
    size: int | None
    channels: int | None
    inference: bool
    rounds: int
    implementation: str

    @property
    def place(self) -> str:
        """Where its arrays are."""
        return implementations.place(self.implementation)

    @property
    def threads(self) -> int:
        """That compute on this machine: the reference and the emulator have one, and so has who launches kernels on a GPU."""
        return threads.count() if self.implementation == "cpu" else 1


def run(request: Request, as_json: bool) -> None:
    """Time a network, or a convolution at every number of segments."""
    for name in ("rounds", "batch", "size", "channels"):
        if (value := getattr(request, name)) is not None:
            spec.positive(name, value)
    implementations.check(request.implementation)
    with implementations.use(request.implementation):
        _time(request, as_json)


def _time(request: Request, as_json: bool) -> None:
    if request.what == SPECTRUM:
        _spectrum(request, as_json)
    elif request.inference and request.place != arrays.NUMPY:
        raise InputError(
            f"inference is True; expected it with cpu or reference: batch normalisation is folded {arrays.WHERE[arrays.NUMPY]}"
        )
    elif request.channels is not None:
        raise InputError(f"channels is {request.channels}; expected it with bench {SPECTRUM} only, for a network has its own")
    else:
        _network(request, as_json)


def _network(request: Request, as_json: bool) -> None:
    table = models.find(request.what or "xception_small")
    batch = request.batch or (128 if table.input_size <= 64 else 8)
    shape = cost.pictures_shape(table, request.size, batch)
    macs = cost.total(cost.count(models.outline(table), shape)).macs
    model, random = models.build(table.name), np.random.default_rng(0)
    model.move(request.place)
    x = arrays.moved(random.standard_normal(shape, np.float32), request.place)
    labels = arrays.moved(random.integers(0, model.classes, batch), request.place)
    what = "inference" if request.inference else "a training step"
    pictures = f"{batch} picture{'s' * (batch > 1)} of {shape[1]} pixels"
    console.print(f"timing {what} of {table.name} on {pictures}, {_by_what(request)}", soft_wrap=True)
    compute = benching.inference(model, x) if request.inference else benching.training_step(model, x, labels)
    timing = benching.timed(compute, request.rounds, request.place)
    facts = {
        "model": table.name,
        "what": "inference" if request.inference else "training",
        "batch": batch,
        "size": shape[1],
        "implementation": request.implementation,
        "threads": request.threads,
        **timing._asdict(),
        "images_per_second": batch / timing.median,
        "gmacs_per_second": (1 if request.inference else 3) * macs / timing.median / 1e9,
        "peak_bytes": benching.peak_bytes(),
    }
    if as_json:
        emit(facts)
        return
    print(f"{what}: {_shown(timing)}, {request.rounds} rounds")
    print(f"speed            {facts['images_per_second']:,.1f} images/s, {facts['gmacs_per_second']:,.1f} GMAC/s")
    if request.place == arrays.NUMPY:
        print(f"page faults      {timing.faults:,.0f}")
        print(f"peak memory      {facts['peak_bytes'] / 2**20:,.0f} MiB")


def _spectrum(request: Request, as_json: bool) -> None:
    if request.inference:
        raise InputError(f"inference is True; expected it with a network: bench {SPECTRUM} times both passes of a convolution")
    channels, size, batch = request.channels or 256, request.size or 28, request.batch or 8
    random, shape = np.random.default_rng(0), (batch, size, size, channels)
    x, dy = (arrays.moved(random.standard_normal(shape, np.float32), request.place) for _ in range(2))
    divisors = spec.divisors(channels)
    console.print(f"timing {len(divisors)} convolutions in turn, {_by_what(request)}")
    computations = []
    for segments in divisors:
        weight = arrays.moved(random.standard_normal((3, 3, channels // segments, channels), np.float32), request.place)
        computations.append(benching.convolution(x, weight, dy, segments))
    found = benching.timed_in_turn(computations, request.rounds, request.place, console.print)
    rows = [
        {
            "segments": segments,
            "width": channels // segments,
            "macs": 3 * ops.grouped_conv.cost(shape, (3, 3, channels // segments, channels), Geometry(3), segments).macs,
            **timing._asdict(),
        }
        for segments, timing in zip(divisors, found, strict=True)
    ]
    if as_json:
        about = {"channels": channels, "size": size, "batch": batch, "implementation": request.implementation}
        emit(about | {"threads": request.threads, "points": rows})
        return
    headings = ("segments", "channels in each", "GMACs", "median ms", "fastest", "slowest", "GMAC/s")
    grid = Grid(*(Column(heading, justify="right") for heading in headings), box=None)
    for row in rows:
        milliseconds = (f"{1e3 * row[name]:.2f}" for name in ("median", "fastest", "slowest"))
        speed = row["macs"] / row["median"] / 1e9
        grid.add_row(f"{row['segments']}", f"{row['width']}", f"{row['macs'] / 1e9:.3f}", *milliseconds, f"{speed:,.1f}")
    print(f"forward and backward of a 3x3 convolution, {size}x{size}x{channels}, batch {batch}, {_by_what(request)}")
    print_grid(grid)


def climb(request: Request, as_json: bool) -> None:
    """Time the rungs of the ladder, of which a request may change the number of rounds alone."""
    others = {"what": None, "batch": None, "size": None, "channels": None, "inference": False, "implementation": "cpu"}
    for name, fixed in others.items():
        if (value := getattr(request, name)) != fixed:
            raise InputError(f"{name} is {value!r}; expected it without --ladder, whose rungs are always the same")
    spec.positive("rounds", request.rounds)
    rungs = ladder.rungs()
    console.print(f"timing {len(rungs)} rungs in turn")
    found = benching.timed_in_turn([rung.compute for rung in rungs], request.rounds, said=console.print)
    if as_json:
        pairs = zip(rungs, found, strict=True)
        emit({"shape": ladder.SHAPE, "rungs": [{"name": r.name, "why": r.why, **t._asdict()} for r, t in pairs]})
        return
    print(f"batch norm, ReLU, depthwise, pointwise; forward and backward; x is {ladder.SHAPE}, float32")
    grid = Grid("", Column("median ms", justify="right"), Column("gained", justify="right"), box=None)
    for rung, timing, below in zip(rungs, found, [None, *found], strict=False):
        gained = f"{below.median / timing.median:.2f}x" if below else ""
        grid.add_row(rung.name, f"{1e3 * timing.median:.1f}", gained)
    print_grid(grid)
    for rung in rungs:
        print(f"\n{rung.name}:\n    {rung.why}")


def _by_what(request: Request) -> str:
    if request.place == arrays.NUMPY:
        return f"{request.implementation}, {request.threads} thread{'s' * (request.threads > 1)}"
    return arrays.WHERE[request.place]


def _shown(timing: Timing) -> str:
    return f"{1e3 * timing.median:,.1f} ms (fastest {1e3 * timing.fastest:,.1f}, slowest {1e3 * timing.slowest:,.1f})"
