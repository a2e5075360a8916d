"""`xception-np runs` and `xception-np compare`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from xception_np.commands.output import emit, save_figure
from xception_np.errors import InputError
from xception_np.show.comparison import Curves, compared_curves
from xception_np.training import Progress, Validation, history
from xception_np.training.runs import Run, describe, find


def run(folder: Path, as_json: bool) -> None:
    """List the runs in a folder."""
    found = find(folder)
    if as_json:
        emit({"runs": [_facts(each) for each in found]})
    elif found:
        print(_table(found))
    else:
        print(f"no runs in {folder}")


def compare(folders: Sequence[Path], out: Path, as_json: bool) -> None:
    """Draw the curves of runs over each other."""
    found = [describe(folder) for folder in folders]
    curves = {str(each.folder): _curves(each.folder) for each in found}
    picture = save_figure(compared_curves(curves), out)
    if as_json:
        emit({"picture": str(picture), "runs": [_facts(each) for each in found]})
    else:
        print(f"{_table(found)}\ncurves  {picture}")


def _curves(folder: Path) -> Curves:
    steps = history.read(folder / "metrics.jsonl", Progress)
    if not steps:
        raise InputError(f"run is {folder}, which has no steps in metrics.jsonl; expected a run that has begun")
    return Curves(steps, history.read(folder / "validation.jsonl", Validation))


def _facts(found: Run) -> dict[str, Any]:
    return {**found._asdict(), "folder": str(found.folder)}


def _table(found: Sequence[Run]) -> str:
    """A line a run, columns as wide as what is in them."""
    rows = [("run", "model", "data", "recipe", "steps", "accuracy", "minutes", "state")]
    for each in found:
        accuracy = "" if each.accuracy is None else f"{each.accuracy:.2%}"
        steps, minutes = f"{each.steps:,}", f"{each.minutes:.1f}"
        rows.append((str(each.folder), each.model, each.data, each.recipe, steps, accuracy, minutes, each.state))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)
