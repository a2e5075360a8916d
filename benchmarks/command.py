"""The parent of all contenders: python -m benchmarks SUBJECT... --against torch,keras --rounds 9 --json."""

import json
import os
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from benchmarks import in_turn, picture, subjects
from benchmarks.contenders import CONTENDERS, OTHERS, SERVE, choose
from benchmarks.in_turn import Result
from benchmarks.subjects import Subject
from xception_np import threads
from xception_np.commands.output import check_picture_target
from xception_np.errors import InputError

ROOT = Path(__file__).parents[1]
STANDARD = [  # what the README claims
    *(f"training/xception/{batch}" for batch in (8, 1, 2, 4, 16)),
    *(f"inference/xception/{batch}" for batch in (8, 1)),
    "training/xception_small/128",
    "training/xception_large/128",
    *(f"{what}/{model}/8" for model in ("inception_v3", "vgg16") for what in ("training", "inference")),
    "spectrum/256/28/8",
    "spectrum/728/19/8",
]
Results = dict[str, dict[str, Result]]


def measure(
    names: Annotated[list[str] | None, typer.Argument(metavar="SUBJECT...", help=subjects.EXPECTED, show_default="all")] = None,
    against: Annotated[
        str | None, typer.Option(help=f"Of {', '.join(OTHERS)}, with commas.", show_default="installed ones")
    ] = None,
    rounds: Annotated[int, typer.Option(min=1, help="Turns of each contender.")] = 9,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
    plot: Annotated[Path | None, typer.Option(help="Draw the times into this PNG file, too.")] = None,
) -> None:
    """Time ours and others, each in a process of its own, in turn; XCEPTION_NP_THREADS threads each, by default one a core."""
    chosen = choose(against.split(",") if against else None)
    groups = [subjects.parse(name) for name in names or STANDARD]
    for name in chosen[1:] if against else []:
        if not any(group[0].what in CONTENDERS[name].kinds for group in groups):
            raise InputError(
                f"against is {name!r}, which knows {' and '.join(CONTENDERS[name].kinds)}; expected a subject of those"
            )
    if plot:
        check_picture_target(plot, "plot")
    results: Results = {}
    for group in groups:
        found = _measured(group, chosen, rounds)
        results |= found
        if not as_json:
            for subject, times in found.items():
                Console(width=120).print(_table(subject, times, rounds))
    if as_json:
        print(
            json.dumps(
                {"rounds": rounds, "threads": threads.count(), "subjects": {k: _facts(v) for k, v in results.items()}}, indent=2
            )
        )
    if plot:
        picture.save(results, plot)


def _measured(group: list[Subject], chosen: list[str], rounds: int) -> Results:
    """Subjects that are measured by the same processes, one after the other."""
    able = [name for name in chosen if group[0].what in CONTENDERS[name].kinds]
    command = [sys.executable, "-m", "benchmarks", SERVE]
    environment = {**os.environ, "XCEPTION_NP_THREADS": str(threads.count())}
    found = {}
    with in_turn.started({name: [*command, name] for name in able}, cwd=ROOT, env=environment) as processes:
        for subject in map(str, group):
            who_can = in_turn.meet(processes, subject, subjects.TOLERANCES[group[0].what])
            found[subject] = in_turn.measure(who_can, subject, rounds)
    return found


def _table(subject: str, results: dict[str, Result], rounds: int) -> Table:
    table = Table(box=SIMPLE, title=f"{subject}, {threads.count()} threads, {rounds} rounds")
    table.add_column("", no_wrap=True)
    for heading in ("median ms", "fastest", "slowest", "times ours", "peak MiB", "page faults"):
        table.add_column(heading, justify="right")
    for name, (median, fastest, slowest, times_first, peak_bytes, faults) in results.items():
        milliseconds = [f"{seconds * 1e3:.1f}" for seconds in (median, fastest, slowest)]
        table.add_row(name, *milliseconds, f"{times_first:.2f}", f"{peak_bytes / 2**20:,.0f}", f"{faults:,.0f}")
    return table


def _facts(results: dict[str, Result]) -> dict:
    return {name: result._asdict() for name, result in results.items()}
