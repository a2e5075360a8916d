"""Costs and times added up: by layer, by kind of layer, by module, and all together."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from xception_np.cost.counting import Line, total
from xception_np.ops import spec
from xception_np.ops.spec import Cost

BY = ("layer", "kind", "module")


class Row(NamedTuple):
    """A layer, or several together.

    name : of the layer, the kind or the module
    cost : at inference
    predicted, measured : seconds; None where nobody asked
    """

    name: str
    cost: Cost
    predicted: float | None = None
    measured: float | None = None


def rows(
    lines: Sequence[Line],
    by: str = "kind",
    predicted: Mapping[str, float] | None = None,
    measured: Mapping[str, float] | None = None,
) -> list[Row]:
    """A row for every layer, kind or module, in the order of their first operations.

    Parameters
    ----------
    lines : what `count` returned
    by : "layer", "kind" or "module"
    predicted, measured : seconds by the names of lines, optional
        What `predict` and `time_layers` returned.

    Raises
    ------
    InputError
        If `by` is something else.
    """
    spec.one_of("by", by, BY)
    groups: dict[str, list[Line]] = {}
    for line in lines:
        groups.setdefault(line.name if by == "layer" else getattr(line, by), []).append(line)
    return [together(name, group, predicted, measured) for name, group in groups.items()]


def together(
    name: str, lines: Iterable[Line], predicted: Mapping[str, float] | None = None, measured: Mapping[str, float] | None = None
) -> Row:
    """One row for all of them."""
    lines = list(lines)
    return Row(name, total(lines), _seconds(lines, predicted), _seconds(lines, measured))


def _seconds(lines: Iterable[Line], seconds: Mapping[str, float] | None) -> float | None:
    return None if seconds is None else sum(seconds[line.name] for line in lines)
